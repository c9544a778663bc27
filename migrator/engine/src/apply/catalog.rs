//! What the catalog knows about statements whose outcome was not recorded.
//!
//! Names are resolved as the file writes them, in the block's own `search_path`, so every operator is qualified.

use tokio_postgres::Client;

use crate::connect::rows;
use crate::embedded::ReindexObject;
use crate::sql::literal;

/// The state of an index.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Index {
    /// The table has no index of that name.
    Absent,
    /// It exists and is used.
    Valid(IndexName),
    /// An unfinished or failed concurrent build.
    Invalid(IndexName),
}

/// Quoted names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IndexName {
    /// The index, qualified.
    pub(super) index: String,
    /// Its table, without the schema.
    pub(super) table: String,
}

/// The index of that name (as the catalog has it) on the table (as the file writes it).
pub(super) async fn index(client: &Client, table: &str, name: &str) -> Result<Index, tokio_postgres::Error> {
    let statement = format!(
        "SELECT i.indisvalid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, pg_catalog.quote_ident(t.relname) AS of \
         FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid \
         JOIN pg_catalog.pg_class t ON t.oid OPERATOR(pg_catalog.=) i.indrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace \
         WHERE i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({}) AND c.relname OPERATOR(pg_catalog.=) {}::pg_catalog.name",
        literal(table),
        literal(name)
    );
    let rows = rows(client.simple_query(&statement).await?);
    let Some(row) = rows.first() else { return Ok(Index::Absent) };
    let column = |name| row.get(name).unwrap_or_default().to_owned();
    let name = IndexName { index: column("name"), table: column("of") };
    Ok(if row.get("indisvalid") == Some("t") { Index::Valid(name) } else { Index::Invalid(name) })
}

/// Whether an index is what its statement would build: the same statement on an empty copy of the table tells. `rest` is
/// the statement from after the table's name.
pub(super) async fn is_as_written(
    client: &Client,
    name: &IndexName,
    (table, unique, rest): (&str, bool, &str),
) -> Result<bool, tokio_postgres::Error> {
    let unique = if unique { "UNIQUE " } else { "" };
    // The copy has the table's name: a column may be written with it. Everything is rolled back.
    let statement = format!(
        "BEGIN; CREATE TEMPORARY TABLE {copy} (LIKE {table}); CREATE {unique}INDEX migrator_compare ON pg_temp.{copy} {rest};\
         SET LOCAL search_path = pg_catalog, pg_temp;\
         SELECT pg_catalog.count(*) = 2 AND pg_catalog.count(DISTINCT d) = 1 AS same FROM (SELECT pg_catalog.concat_ws('|', \
           c.relam, i.indisunique, i.indnatts, i.indnkeyatts, i.indclass, i.indcollation, i.indoption, \
           pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct', c.reloptions, pg_catalog.pg_get_expr(i.indpred, i.indrelid), \
           (SELECT pg_catalog.string_agg(pg_catalog.pg_get_indexdef(i.indexrelid, n, false), ',' ORDER BY n) \
              FROM pg_catalog.generate_series(1, i.indnatts) n)) AS d \
           FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
           WHERE i.indexrelid IN (pg_catalog.to_regclass({index}), pg_catalog.to_regclass('pg_temp.migrator_compare'))) both_indexes",
        copy = name.table,
        index = literal(&name.index),
    );
    let answer = client.simple_query(&statement).await;
    client.batch_execute("ROLLBACK").await?;
    Ok(rows(answer?).first().and_then(|row| row.get("same")) == Some("t"))
}

/// The invalid indexes that an interrupted `REINDEX CONCURRENTLY` of that object has left, qualified and quoted.
pub(super) async fn leftovers(
    client: &Client,
    object: ReindexObject,
    name: &str,
) -> Result<Vec<String>, tokio_postgres::Error> {
    let name = literal(name);
    let condition = match object {
        ReindexObject::Index => {
            format!(
                "t.oid OPERATOR(pg_catalog.=) (SELECT indrelid FROM pg_catalog.pg_index \
                 WHERE indexrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({name}))"
            )
        }
        ReindexObject::Table => format!("t.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({name})"),
        ReindexObject::Schema => format!("t.relnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace({name})"),
        ReindexObject::Database => "true".to_owned(),
    };
    let statement = format!(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name FROM pg_catalog.pg_class t \
         JOIN pg_catalog.pg_index i ON NOT i.indisvalid AND (i.indrelid OPERATOR(pg_catalog.=) t.oid \
           OR i.indrelid OPERATOR(pg_catalog.=) t.reltoastrelid) \
         JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace \
         WHERE t.relkind OPERATOR(pg_catalog.=) ANY ('{{r,m,p}}'::pg_catalog.\"char\"[]) \
           AND c.relname OPERATOR(pg_catalog.~) '_cc(new|old)[0-9]*$' AND {condition} ORDER BY 1"
    );
    let rows = rows(client.simple_query(&statement).await?);
    Ok(rows.iter().filter_map(|row| row.get("name")).map(str::to_owned).collect())
}

/// Whether a table is a partition of another.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Partition {
    /// It is.
    Attached,
    /// A concurrent detachment has begun and was not finished.
    Pending,
    /// It is not a partition, or one of the two does not exist.
    Detached,
}

/// The partition's state; names as the file writes them.
pub(super) async fn partition(client: &Client, table: &str, name: &str) -> Result<Partition, tokio_postgres::Error> {
    let statement = format!(
        "SELECT pg_catalog.to_jsonb(i) OPERATOR(pg_catalog.->>) 'inhdetachpending' AS pending FROM pg_catalog.pg_inherits i \
         WHERE inhparent OPERATOR(pg_catalog.=) pg_catalog.to_regclass({}) \
           AND inhrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({})",
        literal(table),
        literal(name)
    );
    let rows = rows(client.simple_query(&statement).await?);
    Ok(match rows.first() {
        None => Partition::Detached,
        Some(row) if row.get("pending") == Some("true") => Partition::Pending,
        Some(_) => Partition::Attached,
    })
}

/// Whether a relation of that name (as the file writes it) exists.
pub(super) async fn exists(client: &Client, relation: &str) -> Result<bool, tokio_postgres::Error> {
    let statement = format!("SELECT pg_catalog.to_regclass({}) IS NOT NULL AS there", literal(relation));
    Ok(rows(client.simple_query(&statement).await?).first().and_then(|row| row.get("there")) == Some("t"))
}
