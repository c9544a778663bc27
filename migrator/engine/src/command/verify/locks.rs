//! Which locks each statement takes on what was there before, traced while it runs, not guessed from its text.

use std::collections::BTreeMap;
use std::time::Instant;

use tokio_postgres::{Client, SimpleQueryRow};

use super::scratch::{Database, Scratch};
use super::{Answer, Verdict};
use crate::connect::{failed, rows};
use crate::embedded::{Migration, StatementKind};
use crate::error::Error;
use crate::output;
use crate::sql::{Tables, insert_state, literal, session};

/// The modes that stop others, from weak to strong, and whom they stop.
const MODES: [(&str, &str); 4] = [
    ("ShareLock", "writes wait"),
    ("ShareRowExclusiveLock", "writes wait"),
    ("ExclusiveLock", "writes wait"),
    ("AccessExclusiveLock", "reads and writes wait"),
];

/// What a relation looks like from inside the transaction.
#[derive(Clone, PartialEq, Eq)]
struct Relation {
    name: String,
    /// The place in [`MODES`] of the strongest lock, from 1; 0: none that stops anybody.
    lock: usize,
    file: Option<String>,
    scans: u64,
}

/// Every statement of every migration, in its place in the history; what it locks is no failure, but worth knowing.
pub(super) async fn trace(scratch: &Scratch<'_>) -> Result<Answer, Error> {
    let mut database = scratch.database().await?;
    let mut lines = Vec::new();
    for migration in scratch.context.embedded.migrations {
        if migration.up.transaction {
            lines.extend(of_transaction(&database, migration).await?);
        } else {
            lines.extend(concurrently(migration));
            database.up(crate::plan::Target::Version(migration.number), false).await?;
        }
    }
    database.close().await;
    let head = match lines.len() {
        0 => "no statement stops anybody on what was there before".to_owned(),
        1 => "1 statement stops others on what was there before".to_owned(),
        count => format!("{count} statements stop others on what was there before"),
    };
    Ok((Verdict::Ok, std::iter::once(head).chain(lines).collect()))
}

/// Runs a migration statement by statement in one transaction, and looks after each.
async fn of_transaction(database: &Database, migration: &Migration) -> Result<Vec<String>, Error> {
    let executor = &database.executor;
    let client = &executor.connection.client;
    let lost = |error: tokio_postgres::Error| failed(&format!("tracing {}", migration.label()), &error);
    client.batch_execute(&session(&executor.session(Some(&migration.up)))).await.map_err(lost)?;
    client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await.map_err(lost)?;
    // Within the transaction the server's counters only grow.
    let there = existing(client, &executor.tables).await.map_err(lost)?;
    let mut seen = there.clone();
    let mut lines = Vec::new();
    for (index, statement) in migration.up.statements.iter().enumerate() {
        let begun = Instant::now();
        client.batch_execute(&migration.text[statement.range.clone()]).await.map_err(lost)?;
        let took = begun.elapsed();
        let now = look(client, &there).await.map_err(lost)?;
        for (oid, relation) in &now {
            let before = seen.get(oid).unwrap_or(relation);
            if let Some(what) = difference(before, relation) {
                let label = migration.label();
                lines.push(format!("{label} statement {}: {what} ({})", index + 1, output::duration(took)));
            }
        }
        seen = now;
    }
    let label = (migration.version, migration.name, migration.checksum);
    let state = insert_state(&executor.tables, &executor.run, label, None);
    let end = format!("RESET SESSION AUTHORIZATION; RESET ROLE; {state}; COMMIT");
    client.batch_execute(&end).await.map_err(lost)?;
    Ok(lines)
}

/// Short locks of these are missed by looking; they are known.
fn concurrently(migration: &Migration) -> Vec<String> {
    let statement = |(index, kind): (usize, &StatementKind)| {
        let what = match kind {
            StatementKind::CreateIndexConcurrently { table, .. } => format!("ShareUpdateExclusiveLock on {table}"),
            StatementKind::DropIndexConcurrently { index } => {
                format!("ShareUpdateExclusiveLock on the table of {index}")
            }
            StatementKind::ReindexConcurrently { name, .. } => format!("ShareUpdateExclusiveLock on {name}"),
            StatementKind::DetachConcurrently { table, .. } => format!("ShareUpdateExclusiveLock on {table}"),
            _ => return None,
        };
        Some(format!("{} statement {}: {what}, nobody waits", migration.label(), index + 1))
    };
    migration.up.statements.iter().map(|statement| &statement.kind).enumerate().filter_map(statement).collect()
}

/// `AccessExclusiveLock on core.users, rewritten: reads and writes wait`.
fn difference(before: &Relation, now: &Relation) -> Option<String> {
    let rewritten = before.file != now.file;
    if now.lock <= before.lock && !rewritten {
        return None;
    }
    let (mode, who) = MODES.get(now.lock.checked_sub(1)?)?;
    let rewritten = if rewritten { ", rewritten" } else { "" };
    let scanned = if now.scans > before.scans { ", scanned" } else { "" };
    Some(format!("{mode} on {}{rewritten}{scanned}: {who}", now.name))
}

/// The relations that are there, without those of the server and of the history.
async fn existing(client: &Client, tables: &Tables) -> Result<BTreeMap<String, Relation>, tokio_postgres::Error> {
    let statement = format!(
        "SELECT c.oid::text AS oid, c.oid::pg_catalog.regclass::text AS name, pg_catalog.pg_relation_filenode(c.oid)::text AS file, \
         coalesce(s.seq_scan, 0)::text AS scans FROM pg_catalog.pg_class c \
         LEFT JOIN pg_catalog.pg_stat_xact_user_tables s ON s.relid = c.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
         AND c.oid NOT IN ({}::pg_catalog.regclass, {}::pg_catalog.regclass)",
        literal(&tables.state),
        literal(&tables.events)
    );
    let rows = rows(client.simple_query(&statement).await?);
    let column = |row: &SimpleQueryRow, name| row.get(name).unwrap_or_default().to_owned();
    let relation = |row: &SimpleQueryRow| {
        let file = row.get("file").map(str::to_owned);
        (column(row, "oid"), Relation { name: column(row, "name"), lock: 0, file, scans: scans(row) })
    };
    Ok(rows.iter().map(relation).collect())
}

/// The same relations as they are now, with the locks of this session. One that is gone stays as it was, locked.
async fn look(
    client: &Client,
    there: &BTreeMap<String, Relation>,
) -> Result<BTreeMap<String, Relation>, tokio_postgres::Error> {
    let statement = "SELECT l.relation::text AS oid, pg_catalog.string_agg(DISTINCT l.mode, ' ') AS modes, \
         pg_catalog.pg_relation_filenode(l.relation)::text AS file, coalesce(max(s.seq_scan), 0)::text AS scans \
         FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_xact_user_tables s ON s.relid = l.relation \
         WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted GROUP BY l.relation";
    let mut now = there.clone();
    for row in rows(client.simple_query(statement).await?) {
        let Some(relation) = row.get("oid").and_then(|oid| now.get_mut(oid)) else { continue };
        let held = |mode: &str| row.get("modes").is_some_and(|modes| modes.split(' ').any(|held| held == mode));
        relation.lock = MODES.iter().rposition(|(mode, _)| held(mode)).map_or(0, |at| at + 1);
        relation.scans = scans(&row);
        if let Some(file) = row.get("file") {
            relation.file = Some(file.to_owned());
        }
    }
    Ok(now)
}

fn scans(row: &SimpleQueryRow) -> u64 {
    row.get("scans").and_then(|scans| scans.parse().ok()).unwrap_or(0)
}
