//! The fence and the rows of a migration as statements that the server has prepared: for many migrations in a session that each
//! leaves as it was.
//!
//! They do what the text of [`fence`](super::fence) and the rows do, and refuse where there is an event trigger: its function runs
//! beside every definition, and may do anything to the session. Whatever fails here is tried again in full, which also says why.

use super::fence::{Condition, lock_is_lost};
use super::quote::{literal, nullable};
use super::rows::ELAPSED;
use super::run::Run;
use super::tables::Tables;
use crate::history::Direction;

/// The text of one migration's fence and rows.
pub(crate) struct Short {
    /// The fence.
    pub(crate) fence: String,
    /// What follows the body: the rows.
    pub(crate) rows: Vec<String>,
}

/// What is recorded of a migration.
pub(crate) struct Recorded<'a> {
    pub(crate) direction: Direction,
    pub(crate) version: &'a str,
    pub(crate) name: &'a str,
    pub(crate) checksum: &'a str,
    pub(crate) down_block: Option<&'a str>,
    /// `synchronous_commit` of this transaction.
    pub(crate) synchronous_commit: &'a str,
}

impl Short {
    /// `None` where the step before it was no migration in the same direction.
    pub(crate) fn new(recorded: &Recorded<'_>, previous: Option<&Condition>) -> Option<Short> {
        let version = Some(recorded.version);
        let (absent, present, rows) = match (recorded.direction, previous) {
            (Direction::Up, None) => (version, None, "migrator_up"),
            (Direction::Up, Some(Condition::Applied(before))) => (version, Some(&**before), "migrator_up"),
            (Direction::Down, None) => (None, version, "migrator_down"),
            (Direction::Down, Some(Condition::NotApplied(before))) => (Some(&**before), version, "migrator_down"),
            _ => return None,
        };
        let Recorded { version, name, checksum, down_block, synchronous_commit, .. } = recorded;
        Some(Short {
            fence: format!("EXECUTE migrator_fence({}, {})", nullable(absent), nullable(present)),
            rows: vec![format!(
                "EXECUTE {rows}({}, {}, {}, {}, '{synchronous_commit}')",
                literal(version),
                literal(name),
                literal(checksum),
                nullable(*down_block)
            )],
        })
    }

    /// Prepares what [`Short::new`] calls, in a session that has just been reset.
    pub(crate) fn prepare(tables: &Tables, run: &Run) -> Vec<String> {
        let Tables { state, events, lock_key, .. } = tables;
        let is = |parameter: &str| format!("version::pg_catalog.text OPERATOR(pg_catalog.=) {parameter}");
        let fence = format!(
            "SELECT 1 OPERATOR(pg_catalog./) CASE {lost} {event_trigger} \
             WHEN $1 IS NOT NULL AND EXISTS (SELECT FROM {state} WHERE {absent}) THEN 0 \
             WHEN $2 IS NOT NULL AND NOT EXISTS (SELECT FROM {state} WHERE {present}) THEN 0 ELSE 1 END",
            lost = lock_is_lost(*lock_key, run.backend),
            event_trigger = no_event_trigger(),
            absent = is("$1"),
            present = is("$2"),
        );
        let insert = format!(
            "INSERT INTO {state} (version, name, checksum, execution_ms, release) VALUES ($1, $2, $3, {ELAPSED}, {})",
            literal(&run.release)
        );
        let delete = format!("DELETE FROM {state} WHERE {}", is("$1"));
        let text = "pg_catalog.text";
        let rows = |name: &str, direction: Direction, change: &str| {
            let event = event(events, run, direction);
            format!(
                "PREPARE {name} ({text}, {text}, {text}, {text}, {text}) AS \
                 WITH changed AS ({change} RETURNING 1), logged AS ({event} RETURNING 1) \
                 SELECT 1 OPERATOR(pg_catalog./) ((SELECT pg_catalog.count(*) FROM changed) OPERATOR(pg_catalog.*) \
                 (SELECT pg_catalog.count(*) FROM logged)), pg_catalog.set_config('synchronous_commit', $5, true)"
            )
        };
        // Each in a message of its own: a server that logs every statement logs with each call the message that has prepared it.
        vec![
            format!("PREPARE migrator_fence ({text}, {text}) AS {fence}"),
            rows("migrator_up", Direction::Up, &insert),
            rows("migrator_down", Direction::Down, &delete),
        ]
    }
}

/// The case in which a definition runs a function of somebody's.
pub(super) fn no_event_trigger() -> &'static str {
    "WHEN EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtenabled OPERATOR(pg_catalog.<>) 'D'::pg_catalog.\"char\") THEN 0"
}

/// The event, with the columns that all events of a run share.
fn event(events: &str, run: &Run, direction: Direction) -> String {
    format!(
        "INSERT INTO {events} (run_id, action, version, name, checksum, outcome, duration_ms, actor, approved_by, plan_digest, \
         release, down_block) VALUES ({}, {}, $1, $2, $3, 'done', {ELAPSED}, {}, {}, {}, {}, $4)",
        literal(&run.id),
        literal(direction.word()),
        literal(&run.actor),
        nullable(run.approved_by.as_deref()),
        nullable(run.plan_digest.as_deref()),
        literal(&run.release),
    )
}
