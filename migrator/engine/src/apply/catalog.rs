//! What the catalog knows about statements whose end nobody has recorded.

use tokio_postgres::Client;

use crate::connect::rows;
use crate::sql::literal;

/// The state of an index.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Index {
    /// There is none of that name on the table.
    Absent,
    /// It is there and used.
    Valid,
    /// An unfinished or failed concurrent build; the name, qualified and quoted.
    Invalid(String),
}

/// The index of that name (as the catalog has it) on the table (as the file writes it).
pub(super) async fn index(client: &Client, table: &str, name: &str) -> Result<Index, tokio_postgres::Error> {
    let statement = format!(
        "SELECT i.indisvalid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name FROM pg_catalog.pg_index i \
         JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE i.indrelid = pg_catalog.to_regclass({}) AND c.relname = {}::pg_catalog.name",
        literal(table),
        literal(name)
    );
    let rows = rows(client.simple_query(&statement).await?);
    Ok(match rows.first() {
        None => Index::Absent,
        Some(row) if row.get("indisvalid") == Some("t") => Index::Valid,
        Some(row) => Index::Invalid(row.get("name").unwrap_or_default().to_owned()),
    })
}

/// Whether a relation of that name (as the file writes it) is there.
pub(super) async fn exists(client: &Client, relation: &str) -> Result<bool, tokio_postgres::Error> {
    let statement = format!("SELECT pg_catalog.to_regclass({}) IS NOT NULL AS there", literal(relation));
    Ok(rows(client.simple_query(&statement).await?).first().and_then(|row| row.get("there")) == Some("t"))
}
