//! The fence and the rows of a migration as statements that the server has prepared: for many migrations in a session that each
//! leaves as it was.
//!
//! They do what the text of [`fence`](super::fence) and the rows do, and refuse where there is an event trigger: its function runs
//! beside every definition, and may do anything to the session. Whatever fails here is tried again in full, which also says why.

use super::fence::{Condition, is_same_text, lock_is_lost};
use super::quote::{literal, nullable};
use super::rows::{ELAPSED, event_rows, state_row};
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
        let before = match (recorded.direction, previous) {
            (_, None) => None,
            (Direction::Up, Some(Condition::Applied(before))) => Some(&**before),
            (Direction::Down, Some(Condition::NotApplied(before))) => Some(&**before),
            _ => return None,
        };
        let Recorded { direction, version, name, checksum, down_block, synchronous_commit } = recorded;
        let direction = direction.word();
        Some(Short {
            fence: format!("EXECUTE migrator_fence_{direction}({}, {})", literal(version), nullable(before)),
            rows: vec![format!(
                "EXECUTE migrator_{direction}({}, {}, {}, {}, '{synchronous_commit}')",
                literal(version),
                literal(name),
                literal(checksum),
                nullable(*down_block)
            )],
        })
    }

    /// Prepares what [`Short::new`] calls for that direction, in a session that has just been reset.
    ///
    /// `is_unique`: the state table's key refuses a version that is there already, so the fence need not look for it.
    pub(crate) fn prepare(tables: &Tables, run: &Run, direction: Direction, is_unique: bool) -> [String; 2] {
        let has = |parameter: &str| {
            format!("EXISTS (SELECT FROM {} WHERE {})", tables.state, is_same_text("version", parameter))
        };
        let [version, before] = [has("$1"), has("$2")];
        let (refused, change) = match direction {
            Direction::Up => {
                let present = if is_unique { String::new() } else { format!("WHEN {version} THEN 0 ") };
                let insert = state_row(tables, run, ["$1", "$2", "$3"], ELAPSED);
                (format!("{present}WHEN $2 IS NOT NULL AND NOT {before} THEN 0"), insert)
            }
            Direction::Down => {
                let delete = format!("DELETE FROM {} WHERE {}", tables.state, is_same_text("version", "$1"));
                (format!("WHEN NOT {version} THEN 0 WHEN $2 IS NOT NULL AND {before} THEN 0"), delete)
            }
        };
        let (word, text) = (direction.word(), "pg_catalog.text");
        let lost = lock_is_lost(tables.lock_key, run.backend);
        let (event_trigger, event) = (no_event_trigger(), event(tables, run, direction));
        // Each in a message of its own: a server that logs every statement logs with each call the message that has prepared it.
        [
            format!(
                "PREPARE migrator_fence_{word} ({text}, {text}) AS \
                 SELECT 1 OPERATOR(pg_catalog./) CASE {lost} {event_trigger} {refused} ELSE 1 END"
            ),
            format!(
                "PREPARE migrator_{word} ({text}, {text}, {text}, {text}, {text}) AS \
                 WITH changed AS ({change} RETURNING 1), logged AS ({event} RETURNING 1) \
                 SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*), pg_catalog.set_config('synchronous_commit', $5, true) \
                 FROM logged"
            ),
        ]
    }
}

/// The case in which every definition runs a function as well.
pub(super) fn no_event_trigger() -> &'static str {
    "WHEN EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtenabled OPERATOR(pg_catalog.<>) 'D'::pg_catalog.\"char\") THEN 0"
}

/// One event for each row that the state table has gained or lost.
fn event(tables: &Tables, run: &Run, direction: Direction) -> String {
    event_rows(
        tables,
        run,
        &[
            ("action", &literal(direction.word())),
            ("version", "$1"),
            ("name", "$2"),
            ("checksum", "$3"),
            ("outcome", "'done'"),
            ("duration_ms", ELAPSED),
            ("down_block", "$4"),
        ],
        "FROM changed",
    )
}
