//! Which tables a rollback cannot touch, where there are too many to fill and to compare all of them.

use std::collections::BTreeSet;

use super::state::Oid;
use crate::prove::scratch::Database;
use migrator_engine::Error;
use migrator_engine::client::{failed, ours, query, rows};
use migrator_engine::embedded::{Block, Migration};

/// So many tables are filled and compared whatever the down block says.
const FEW: usize = 200;

/// What only changes definitions and whole tables locks all that it touches, whatever rows there are. Other statements may call functions,
/// which touch what they find.
const LOCKS_ALL: [&str; 7] = ["alter", "comment", "create", "drop", "grant", "revoke", "truncate"];

const DOING: &str = "finding the tables that a rollback touches";

/// The tables of people.
const TABLES: &str = "SELECT oid FROM pg_class WHERE relkind IN ('r', 'p') AND relpersistence <> 't' AND oid >= 16384 \
     AND relnamespace <> 'information_schema'::regnamespace";

/// What this transaction has locked, and what foreign keys and partitions tie to it. NULL: a trigger of a table among them touches what it
/// likes.
const TOUCHED: &str = "WITH RECURSIVE tied (one, other) AS (\
       SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f' UNION ALL SELECT inhrelid, inhparent FROM pg_inherits), \
     touched (oid) AS (\
       SELECT l.relation FROM pg_locks l WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND l.relation >= 16384 \
       UNION SELECT CASE touched.oid WHEN one THEN other ELSE one END FROM touched JOIN tied ON touched.oid IN (one, other)) \
     SELECT CASE WHEN NOT EXISTS (SELECT FROM pg_trigger JOIN touched ON tgrelid = touched.oid WHERE NOT tgisinternal) \
       THEN touched.oid END AS oid FROM touched";

/// The tables that the rollback of a migration leaves alone, for certain; the migration is the newest in this database.
///
/// # Errors
/// A lost connection.
pub(super) async fn left_alone(database: &Database, migration: &Migration) -> Result<BTreeSet<Oid>, Error> {
    let mut tables: BTreeSet<Oid> =
        oids(query(database.locked.client(), DOING, TABLES).await?.iter()).flatten().collect();
    let Some(down) = migration.down.as_ref().filter(|down| tables.len() > FEW && locks_all(down, &migration.text))
    else {
        return Ok(BTreeSet::new());
    };
    let Some(touched) = touched(database, down.sql(&migration.text)).await? else { return Ok(BTreeSet::new()) };
    tables.retain(|oid| !touched.contains(oid));
    Ok(tables)
}

/// Whether its locks say what it touches.
fn locks_all(down: &Block, text: &str) -> bool {
    let first = |sql: &str| sql.split_whitespace().next().map(str::to_lowercase).unwrap_or_default();
    let statements = || down.statements.iter().map(|statement| first(&text[statement.range.clone()]));
    down.options.transaction && statements().all(|word| LOCKS_ALL.contains(&word.as_str()))
}

/// Runs the down block and takes it back. `None`: it fails without rows already, or it is not certain.
async fn touched(database: &Database, down: &str) -> Result<Option<BTreeSet<Oid>>, Error> {
    let lost = |error| failed(DOING, error);
    database.locked.put_back(None).await.map_err(lost)?;
    let client = database.locked.client();
    client.batch_execute("BEGIN").await.map_err(lost)?;
    let locked = match client.batch_execute(down).await {
        Ok(()) => Some(client.simple_query(&ours(TOUCHED)).await),
        Err(_) => None,
    };
    client.batch_execute("ROLLBACK").await.map_err(lost)?;
    let Some(locked) = locked.transpose().map_err(lost)?.map(rows) else { return Ok(None) };
    Ok(oids(locked.iter()).collect())
}

fn oids<'a>(rows: impl Iterator<Item = &'a tokio_postgres::SimpleQueryRow>) -> impl Iterator<Item = Option<Oid>> {
    rows.map(|row| row.get("oid").map(str::to_owned))
}
