//! Fills the tables of a scratch database with invented rows.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Client;

use super::rows::Asked;
use crate::prove::data::takes::Takes;
use crate::prove::scratch::Database;
use migrator_engine::Error;
use migrator_engine::client::{failed, identifier, rows, said};
use migrator_engine::stats::Stats;

const DOING: &str = "filling a scratch database";

/// So many rows are inserted by one statement.
const AT_ONCE: u64 = 250_000;

/// So many invented rows are tried against a check.
const TRIED: u64 = 2_000;

/// What is in the tables of a copy.
#[derive(Debug, Clone, Default)]
pub(super) struct Filled {
    /// Rows by table.
    pub(super) rows: BTreeMap<String, u64>,
    /// Why a table has none.
    pub(super) refused: BTreeMap<String, String>,
}

/// Columns whose invented values do not pass a check of the table.
pub(super) type Careful = BTreeMap<String, BTreeSet<String>>;

/// Tries invented rows against the checks of the schema after the plan, in that database.
///
/// # Errors
/// A lost connection.
pub(super) async fn careful(
    database: &Database,
    takes: &BTreeMap<String, Takes>,
    stats: &Stats,
    sizes: &BTreeMap<String, u64>,
) -> Result<Careful, Error> {
    let client = database.locked.client();
    let mut found = Careful::new();
    for (name, takes) in takes {
        let Some(statistics) = stats.table(name) else { continue };
        let columns = found.entry(name.clone()).or_default();
        columns.extend(takes.columns.iter().filter(|column| column.is_of_checked_domain).map(|c| c.name.clone()));
        let rows = sizes.get(name).copied().unwrap_or(1);
        let none = BTreeSet::new();
        let asked = Asked { takes, statistics, rows, others: sizes, careful: &none };
        let row: Vec<String> =
            asked.columns().iter().map(|(name, value)| format!("{value} AS {}", identifier(name))).collect();
        for (of_check, check) in &takes.checks {
            let question = format!(
                "SELECT bool_and(({check}) IS NOT FALSE)::text AS passed FROM (SELECT {} FROM generate_series(1::bigint, {TRIED}) g) r",
                row.join(", ")
            );
            // What the server cannot compute does not pass.
            let passed = match client.simple_query(&question).await {
                Ok(messages) => rows_pass(messages),
                Err(_) => false,
            };
            if !passed {
                columns.extend(of_check.iter().cloned());
            }
        }
    }
    Ok(found)
}

fn rows_pass(messages: Vec<tokio_postgres::SimpleQueryMessage>) -> bool {
    rows(messages).first().and_then(|row| row.get("passed")) == Some("true")
}

/// Inserts so many rows into each of the tables, and leaves them as a server has them that has been at rest for a while.
///
/// # Errors
/// A lost connection.
pub(super) async fn fill(
    database: &Database,
    takes: &BTreeMap<String, Takes>,
    (stats, careful): (&Stats, &Careful),
    sizes: &BTreeMap<String, u64>,
) -> Result<Filled, Error> {
    let lost = |error| failed(DOING, error);
    database.locked.put_back(None).await.map_err(lost)?;
    let client = database.locked.client();
    let (mut filled, none) = (Filled::default(), BTreeSet::new());
    for (name, &count) in sizes {
        let (Some(takes), Some(statistics)) = (takes.get(name), stats.table(name)) else { continue };
        let careful = careful.get(name).unwrap_or(&none);
        let all: BTreeSet<String> = takes.columns.iter().map(|column| column.name.clone()).collect();
        let mut reason = None;
        // Where invented values are refused, those that pass the checks one by one are not.
        for careful in [careful, &all] {
            let asked = Asked { takes, statistics, rows: count, others: sizes, careful };
            reason = insert(client, name, &asked, count).await.map_err(lost)?;
            if reason.is_none() {
                break;
            }
        }
        match reason {
            None => {
                let rows = counted(client, name).await.map_err(lost)?;
                filled.rows.insert(name.clone(), rows);
            }
            Some(reason) => {
                filled.refused.insert(name.clone(), reason);
            }
        }
    }
    views(client, stats, &mut filled).await.map_err(lost)?;
    for name in filled.rows.keys() {
        client.batch_execute(&format!("VACUUM (ANALYZE) {name}")).await.map_err(lost)?;
    }
    // Without the right to do so the first statement writes what is left to be written.
    let _ = client.batch_execute("CHECKPOINT").await;
    Ok(filled)
}

/// Why it was refused, if so. Triggers do not fire: what they do is no row of this table.
async fn insert(
    client: &Client,
    name: &str,
    asked: &Asked<'_>,
    count: u64,
) -> Result<Option<String>, tokio_postgres::Error> {
    let mut from = 1;
    client.batch_execute("BEGIN; SET LOCAL session_replication_role = replica").await?;
    while from <= count {
        let to = count.min(from + AT_ONCE - 1);
        if let Err(error) = client.batch_execute(&asked.insert(name, (from, to))).await {
            client.batch_execute("ROLLBACK").await?;
            return Ok(Some(said(&error)));
        }
        from = to + 1;
    }
    client.batch_execute("COMMIT").await?;
    Ok(None)
}

async fn counted(client: &Client, name: &str) -> Result<u64, tokio_postgres::Error> {
    let found = rows(client.simple_query(&format!("SELECT count(*) AS count FROM ONLY {name}")).await?);
    Ok(found.first().and_then(|row| row.get("count")?.parse().ok()).unwrap_or(0))
}

/// Materialized views have what their tables have.
async fn views(client: &Client, stats: &Stats, filled: &mut Filled) -> Result<(), tokio_postgres::Error> {
    if filled.rows.is_empty() {
        return Ok(());
    }
    let question = "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm' AND c.relispopulated ORDER BY c.oid";
    for row in rows(client.simple_query(question).await?) {
        let Some(name) = row.get("name").filter(|name| stats.table(name).is_some()) else { continue };
        // One that the made up rows cannot be brought into stays empty.
        if client.batch_execute(&format!("REFRESH MATERIALIZED VIEW {name}")).await.is_ok() {
            filled.rows.insert(name.to_owned(), counted(client, name).await?);
        }
    }
    Ok(())
}
