//! The fence and the event of a statement of a `transaction:false` block, as statements that the server has prepared.
//!
//! As in [`short`](super::short), whatever fails here is tried again in full: a statement may have dropped what is called after it.

use super::fence::{lock_is_lost, newest_event};
use super::quote::{literal, nullable};
use super::rows::{ELAPSED, NewEvent, event_row};
use super::run::Run;
use super::session::{CAPTURED_SESSION, Limits, capture_session};
use super::short::{Short, no_event_trigger};
use super::tables::Tables;

/// When the state of the session was kept that is recorded with a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Captured {
    /// With the statement before: this one leaves the session as it is.
    Before,
    /// After it, with the hash of all settings as it was.
    Now,
    /// After it, with a new hash of all settings.
    Anew,
}

/// Prepares what [`short`] calls; `event` is what the events of a run of the block share. `number` makes the names new: what a
/// statement of the block has dropped, and what it has not, is unknown.
pub(crate) fn prepare(tables: &Tables, run: &Run, event: &NewEvent<'_>, limits: &Limits, number: usize) -> Vec<String> {
    let fence = format!(
        "SELECT 1 OPERATOR(pg_catalog./) CASE {} {} WHEN NOT EXISTS (SELECT FROM {}) THEN 0 ELSE 1 END",
        lock_is_lost(tables.lock_key, run.backend),
        no_event_trigger(),
        newest_event(tables, run, event.version.unwrap_or_default(), "$1")
    );
    let insert = event_row(
        tables,
        run,
        &[
            ("action", &literal(event.action)),
            ("version", &nullable(event.version)),
            ("name", &nullable(event.name)),
            ("checksum", &nullable(event.checksum)),
            ("attempt", &event.attempt.map_or_else(|| "NULL".to_owned(), |attempt| attempt.to_string())),
            ("statement", "$1"),
            ("statement_checksum", "$2"),
            ("outcome", "'done'"),
            ("duration_ms", ELAPSED),
            ("session", CAPTURED_SESSION),
        ],
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

/// What is sent around a statement, given by its number and checksum; `previous` is the number of the statement before it.
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
