//! Asks the server what [`super::tally`] proves with: two questions at once, whose cost does not depend on how many objects there are.

use std::collections::HashMap;

use futures_util::future::join3;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, SimpleQueryRow, Statement};

use super::tally::{Catalog, Counters, Counting, New, Tally, Written};
use migrator_engine::Error;
use migrator_engine::client::{OURS, failed, ours, rows};

/// The first release that keeps the counters in shared memory: what a session has written is there at once.
const SINCE: i32 = 15;

/// So many transactions may there have been on the server during one round trip.
const MOST_TRANSACTIONS: u32 = 1_000;

const DOING: &str = "reading what was written to the catalogs";

/// Without what `ANALYZE` and large objects leave behind, which is data, and without the list of databases, in which the scratch databases
/// come and go.
const CATALOGS: &str = "SELECT c.oid, c.relname AS name, c.relisshared AS shared, \
     (SELECT a.attname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] \
        WHERE i.indrelid = c.oid AND i.indisprimary AND NOT c.relisshared \
        AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AND a.atttypid IN ('oid'::regtype, 'regproc'::regtype)) AS key, \
     (SELECT pg_catalog.string_agg(a.attname, ' ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a \
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.atttypid = 'pg_node_tree'::regtype) AS expressions \
     FROM pg_catalog.pg_class c WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' \
     AND c.relname NOT IN ('pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject', 'pg_largeobject_metadata', 'pg_database') \
     ORDER BY c.relname";

/// Asks about one database again and again.
pub(super) struct Counter {
    pub(super) catalogs: Vec<Catalog>,
    /// For the session that applies; it is not prepared there, since that session is reset now and then.
    written: String,
    /// For another session: about all catalogs, and about those of certain places in the list.
    new: Statement,
    of: HashMap<Vec<usize>, Statement>,
}

impl Counter {
    /// Gets ready to count in one database; `None`: this server does not keep such counters.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn new(monitor: &Client, server_version: i32) -> Result<Option<Counter>, Error> {
        if server_version / 10_000 < SINCE {
            return Ok(None);
        }
        let lost = |error| failed(DOING, error);
        let catalogs = rows(monitor.simple_query(&ours(CATALOGS)).await.map_err(lost)?);
        let catalogs: Option<Vec<Catalog>> = catalogs.iter().map(catalog).collect();
        let Some(catalogs) = catalogs else { return Ok(None) };
        let all: Vec<&Catalog> = catalogs.iter().collect();
        let new = prepare(monitor, &new(&all, &catalogs)).await.map_err(lost)?;
        Ok(Some(Counter { written: written(&catalogs), catalogs, new, of: HashMap::new() }))
    }

    /// What has been written to the catalogs so far, and which rows have a key above `top`; `None`: the server's answer has another
    /// form. `session` is the one that applies.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn start(&self, session: &Client, monitor: &Client, top: u32) -> Result<Option<Tally>, Error> {
        let Some(counters) = self.counters(session).await? else { return Ok(None) };
        let new = look(monitor, &self.new, top).await?;
        Ok(Some(Tally { counters, new }))
    }

    /// The same since a start, at which no row was new: only the catalogs are looked at into which something was inserted.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn tally(
        &mut self,
        session: &Client,
        monitor: &Client,
        start: &Tally,
    ) -> Result<Option<Tally>, Error> {
        let Some(counters) = self.counters(session).await? else { return Ok(None) };
        let places = counters.added_since(&start.counters);
        let statement = match self.of.get(&places) {
            Some(statement) => statement.clone(),
            None => {
                let catalogs: Vec<&Catalog> = places.iter().map(|&at| &self.catalogs[at]).collect();
                let text = new(&catalogs, &self.catalogs);
                let statement = prepare(monitor, &text).await.map_err(|error| failed(DOING, error))?;
                self.of.insert(places.clone(), statement.clone());
                statement
            }
        };
        let found = look(monitor, &statement, start.new.top).await?;
        Ok(Some(Tally { counters, new: start.new.with(&places, found) }))
    }

    /// Whether none of these catalogs has a row that was written by a transaction between the two, for certain.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn none_is_of(
        &self,
        monitor: &Client,
        catalogs: &[&Catalog],
        (from, to): (&Tally, &Tally),
    ) -> Result<bool, Error> {
        let (from, to) = (from.counters.next, to.counters.next);
        let count = to.wrapping_sub(from);
        if catalogs.is_empty() || count > MOST_TRANSACTIONS || catalogs.iter().any(|catalog| catalog.key.is_none()) {
            return Ok(catalogs.is_empty());
        }
        let numbers: Vec<String> = (0..count).map(|at| from.wrapping_add(at).to_string()).collect();
        let of = |catalog: &&Catalog| {
            format!(
                "SELECT FROM pg_catalog.{} WHERE xmin = ANY ('{{{}}}'::pg_catalog.xid[])",
                catalog.name,
                numbers.join(",")
            )
        };
        let parts: Vec<String> = catalogs.iter().map(of).collect();
        let question = format!("SELECT NOT EXISTS ({}) AS none", parts.join(" UNION ALL "));
        let answer = monitor.simple_query(&ours(&question)).await.map_err(|error| failed(DOING, error))?;
        Ok(rows(answer).first().is_some_and(|row| row.get("none") == Some("t")))
    }

    async fn counters(&self, session: &Client) -> Result<Option<Counters>, Error> {
        // A message of its own: within one transaction the server would answer the second time what it has answered before.
        let answer = session.simple_query(&ours(&self.written)).await.map_err(|error| failed(DOING, error))?;
        let counters = rows(answer).first().and_then(counters);
        Ok(counters.filter(|counters| counters.written.len() == self.catalogs.len()))
    }
}

fn counters(row: &SimpleQueryRow) -> Option<Counters> {
    let numbers: Option<Vec<i64>> = row.get("written")?.split(' ').map(|number| number.parse().ok()).collect();
    let written = numbers?
        .chunks_exact(3)
        .map(|counts| Written { inserted: counts[0], updated: counts[1], deleted: counts[2] })
        .collect();
    let counting = Counting { on: row.get("counts") == Some("on"), since: row.get("since")?.to_owned() };
    Some(Counters { written, counting, next: row.get("next")?.parse().ok()? })
}

/// The rows with a key above `top`.
async fn look(monitor: &Client, statement: &Statement, top: u32) -> Result<New, Error> {
    let lost = |error| failed(DOING, error);
    let (begin, parameters): (String, [&(dyn ToSql + Sync); 1]) = (begin(), [&top]);
    // The three are on their way before the first is answered.
    let (begun, answer, ended) = join3(
        monitor.batch_execute(&begin),
        monitor.query_one(statement, &parameters),
        monitor.batch_execute("ROLLBACK"),
    )
    .await;
    let row = begun.and(answer).map_err(lost)?;
    ended.map_err(lost)?;
    let text = |column: &str| row.try_get::<_, Option<String>>(column).map_err(lost);
    Ok(New {
        rows: row.try_get("rows").map_err(lost)?,
        expressions: text("expressions")?.unwrap_or_default(),
        top: row.try_get::<_, u32>("top").map_err(lost)?.max(top),
        event_triggers: row.try_get("event_triggers").map_err(lost)?,
        database: text("database")?.unwrap_or_default(),
    })
}

fn catalog(row: &SimpleQueryRow) -> Option<Catalog> {
    let name = row.get("name")?.to_owned();
    // By the class and the OID of what depends on something else.
    let key = if name == DEPEND { Some("objid") } else { row.get("key") };
    Some(Catalog {
        oid: row.get("oid")?.parse().ok()?,
        name,
        shared: row.get("shared")? == "t",
        key: key.map(str::to_owned),
        expressions: row.get("expressions").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
    })
}

/// Its index begins with the class of an object; then comes the object.
const DEPEND: &str = "pg_depend";

/// Opens a transaction in which the role's search path decides nothing, and in which the index is used: the server does not know that
/// hardly a key is as high as the one it is asked for.
fn begin() -> String {
    format!(
        "BEGIN READ ONLY; {}; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; \
         SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL jit = off",
        OURS.join("; ")
    )
}

/// Under the path under which it will run: under another the server would look its names up again.
async fn prepare(client: &Client, text: &str) -> Result<Statement, tokio_postgres::Error> {
    client.batch_execute(&begin()).await?;
    let statement = client.prepare(text).await;
    client.batch_execute("ROLLBACK").await?;
    statement
}

/// What the session has written: what the server has counted for all, and what this session has yet to hand in. It does so between
/// two statements only, so that nothing is missed on the way.
fn written(catalogs: &[Catalog]) -> String {
    let oids: Vec<String> = catalogs.iter().map(|catalog| catalog.oid.to_string()).collect();
    let count = |what: &str| {
        format!("pg_catalog.pg_stat_get_tuples_{what}(c.oid) + pg_catalog.pg_stat_get_xact_tuples_{what}(c.oid)")
    };
    format!(
        "SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', {}, {}, {}), ' ' ORDER BY c.place) AS written, \
         pg_catalog.current_setting('track_counts') AS counts, \
         pg_catalog.concat_ws(' ', pg_catalog.pg_stat_get_db_stat_reset_time(0), '/', pg_catalog.pg_stat_get_db_stat_reset_time(\
            (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()))) AS since, \
         (pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::bigint & 4294967295)::text AS next \
         FROM pg_catalog.unnest('{{{}}}'::oid[]) WITH ORDINALITY c (oid, place)",
        count("inserted"),
        count("updated"),
        count("deleted"),
        oids.join(",")
    )
}

/// The rows of these catalogs with a key above the given one.
fn new(of: &[&Catalog], catalogs: &[Catalog]) -> String {
    let classes: Vec<String> = catalogs.iter().map(|catalog| catalog.oid.to_string()).collect();
    let is_new = |catalog: &Catalog| {
        let key = catalog.key.as_ref()?;
        let class = match catalog.name == DEPEND {
            true => format!("classid = ANY ('{{{}}}'::oid[]) AND ", classes.join(",")),
            false => String::new(),
        };
        Some(format!("FROM pg_catalog.{} WHERE {class}{key} > $1::oid", catalog.name))
    };
    let counts = of.iter().map(|catalog| {
        is_new(catalog).map_or_else(|| "NULL".to_owned(), |rows| format!("(SELECT pg_catalog.count(*) {rows})"))
    });
    let top = |catalog: &&Catalog| {
        let (key, rows) = (catalog.key.as_ref()?, is_new(catalog)?);
        Some(format!("(SELECT pg_catalog.max({key}::oid) {rows})"))
    };
    let tops: String = of.iter().filter_map(top).map(|top| format!(", {top}")).collect();
    // An OID has at least five digits, a byte of a constant at most three. Left out are also the bytes of a constant that is an OID, and
    // where in the message an expression was.
    let expression = |catalog: &Catalog, column: &str| {
        let rows = is_new(catalog)?;
        Some(format!(
            "(SELECT pg_catalog.string_agg(pg_catalog.regexp_replace(pg_catalog.regexp_replace({column}::text, '{REFERENCE}', '\\1', 'g'), \
             '{PLACE}', '#', 'g'), ' ' ORDER BY {}) {rows} AND {column} IS NOT NULL)",
            catalog.key.as_ref()?
        ))
    };
    let expressions =
        of.iter().flat_map(|catalog| catalog.expressions.iter().filter_map(move |column| expression(catalog, column)));
    format!(
        "SELECT ARRAY[{}]::bigint[] AS rows, GREATEST($1::oid{tops}) AS top, pg_catalog.concat_ws('|', NULL{}) AS expressions, \
         EXISTS (SELECT FROM pg_catalog.pg_event_trigger) AS event_triggers, \
         (SELECT d.xmin::text || d.ctid::text FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()) AS database",
        counts.collect::<Vec<_>>().join(", "),
        expressions.map(|expression| format!(", {expression}")).collect::<String>()
    )
}

/// A constant that refers to an object: `regclass` and its like.
const REFERENCE: &str =
    r"(:consttype (?:24|2202|2203|2204|2205|2206|3734|3769|4089|4096|4191) [^{}[]*:constvalue 4 \[)[^]]*";

/// An OID of something new, or where in the message an expression was.
const PLACE: &str = r"\d{5,}|location -?\d+|stmt_len -?\d+";
