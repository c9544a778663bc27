//! The fence and the event of a statement of a `transaction:false` block, as statements that the server has prepared.
//!
//! As in [`short`](super::short): whatever fails here is tried again in full. A statement may have dropped what is called behind it.

use super::fence::lock_is_lost;
use super::quote::{literal, nullable};
use super::rows::{ELAPSED, NewEvent};
use super::run::Run;
use super::session::{CAPTURED_SESSION, Limits, capture_session};
use super::short::{Short, no_event_trigger};
use super::tables::Tables;

/// When the state of the session was kept that is recorded with a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Captured {
    /// With the statement before: this one leaves the session as it is.
    Before,
    /// Behind it, with the hash of all settings as it was.
    Now,
    /// Behind it, with a new hash of all settings.
    Anew,
}

/// Prepares what [`short`] calls; `event` is what the events of a run of the block share. `number` makes the names new: what a
/// statement of the block has dropped, and what it has not, is unknown.
pub(crate) fn prepare(tables: &Tables, run: &Run, event: &NewEvent<'_>, limits: &Limits, number: usize) -> Vec<String> {
    let Tables { events, lock_key, .. } = tables;
    let is = |column: &str, value: &str| {
        format!("{column}::pg_catalog.text OPERATOR(pg_catalog.=) {}::pg_catalog.text", literal(value))
    };
    let version = event.version.unwrap_or_default();
    // The lock is ours alone, and so is the newest event.
    let newest = format!(
        "SELECT FROM (SELECT run_id, version, statement, outcome FROM {events} ORDER BY id DESC LIMIT 1) AS newest \
         WHERE {} AND {} AND statement OPERATOR(pg_catalog.=) $1 AND {}",
        is("run_id", &run.id),
        is("version", version),
        is("outcome", "done"),
    );
    let fence = format!(
        "SELECT 1 OPERATOR(pg_catalog./) CASE {} {} WHEN NOT EXISTS ({newest}) THEN 0 ELSE 1 END",
        lock_is_lost(*lock_key, run.backend),
        no_event_trigger()
    );
    let insert = format!(
        "INSERT INTO {events} (run_id, action, version, name, checksum, attempt, statement, statement_checksum, outcome, duration_ms, \
         actor, approved_by, plan_digest, release, session) VALUES ({}, {}, {}, {}, {}, {}, $1, $2, 'done', {ELAPSED}, {}, {}, {}, {}, \
         {CAPTURED_SESSION})",
        literal(&run.id),
        literal(event.action),
        nullable(event.version),
        nullable(event.name),
        nullable(event.checksum),
        event.attempt.map_or_else(|| "NULL".to_owned(), |attempt| attempt.to_string()),
        literal(&run.actor),
        nullable(run.approved_by.as_deref()),
        nullable(run.plan_digest.as_deref()),
        literal(&run.release),
    );
    let [settings, state] = capture_session(limits);
    // Each in a message of its own: a server that logs every statement logs with each call the message that has prepared it.
    vec![
        format!("PREPARE migrator_settings_{number} AS {settings}"),
        format!("PREPARE migrator_state_{number} AS {state}"),
        format!("PREPARE migrator_fence_{number} (pg_catalog.int4) AS {fence}"),
        format!(
            "PREPARE migrator_done_{number} (pg_catalog.int4, pg_catalog.text, pg_catalog.text) AS \
             WITH logged AS ({insert} RETURNING 1) SELECT 1 OPERATOR(pg_catalog./) (SELECT pg_catalog.count(*) FROM logged), \
             pg_catalog.set_config('synchronous_commit', $3, true)"
        ),
    ]
}

/// What is sent around a statement: its number and checksum, behind the one of that number.
pub(crate) fn short(
    number: usize,
    statement: (usize, &str),
    previous: usize,
    captured: Captured,
    synchronous_commit: &str,
) -> Short {
    let (at, checksum) = statement;
    let captures: &[&str] = match captured {
        Captured::Before => &[],
        Captured::Now => &["state"],
        Captured::Anew => &["settings", "state"],
    };
    let mut rows: Vec<String> = captures.iter().map(|what| format!("EXECUTE migrator_{what}_{number}")).collect();
    // The block may have set a role; the event is the migrator's.
    rows.extend(["SET LOCAL SESSION AUTHORIZATION DEFAULT", "SET LOCAL ROLE NONE"].map(str::to_owned));
    rows.push(format!("EXECUTE migrator_done_{number}({at}, {}, '{synchronous_commit}')", literal(checksum)));
    Short { fence: format!("EXECUTE migrator_fence_{number}({previous})"), rows }
}
