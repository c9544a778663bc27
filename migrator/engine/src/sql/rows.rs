//! The rows of the history: what is written, each by a statement that fails unless it writes exactly one.

use super::fence::is_text;
use super::quote::{literal, nullable};
use super::run::Run;
use super::session::CAPTURED_SESSION;
use super::tables::Tables;

/// A new row of the event log.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NewEvent<'a> {
    /// See [`crate::history::Event`].
    pub action: &'a str,
    /// The migration, where the action concerns one.
    pub version: Option<&'a str>,
    /// The name of the migration, repeatable, seed or environment.
    pub name: Option<&'a str>,
    /// The checksum of the migration, repeatable or seed.
    pub checksum: Option<&'a str>,
    /// Which try of a non-transactional migration.
    pub attempt: Option<i32>,
    /// The number and the checksum of a non-transactional statement.
    pub statement: Option<(usize, &'a str)>,
    /// `started`, `done` or `failed`.
    pub outcome: &'a str,
    /// Milliseconds; `None`: since the transaction began.
    pub duration_ms: Option<u128>,
    /// The failure, or the decision.
    pub detail: Option<&'a str>,
    /// Whether [`SESSION_STATE`] was captured in this transaction, to be recorded.
    pub with_session: bool,
    /// What [`crate::recorded`] makes of an applied migration.
    pub down_block: Option<&'a str>,
}

/// The statement that writes an event.
pub(crate) fn insert_event(tables: &Tables, run: &Run, event: &NewEvent<'_>) -> String {
    let number = |number: Option<i64>| number.map_or_else(|| "NULL".to_owned(), |number| number.to_string());
    let duration = event.duration_ms.map_or_else(|| ELAPSED.to_owned(), |ms| ms.to_string());
    let session = if event.with_session { CAPTURED_SESSION } else { "NULL" };
    one_row(&event_row(
        tables,
        run,
        &[
            ("action", &literal(event.action)),
            ("version", &nullable(event.version)),
            ("name", &nullable(event.name)),
            ("checksum", &nullable(event.checksum)),
            ("attempt", &number(event.attempt.map(i64::from))),
            ("statement", &number(event.statement.map(|(number, _)| number as i64))),
            ("statement_checksum", &nullable(event.statement.map(|(_, checksum)| checksum))),
            ("outcome", &literal(event.outcome)),
            ("duration_ms", &duration),
            ("detail", &nullable(event.detail)),
            ("session", session),
            ("down_block", &nullable(event.down_block)),
        ],
    ))
}

/// The `INSERT` of an event: these columns, by name and expression, and those that all events of a run share.
pub(super) fn event_row(tables: &Tables, run: &Run, columns: &[(&str, &str)]) -> String {
    event_rows(tables, run, columns, "")
}

/// The same for each row of `from`, a `FROM` with its list.
pub(super) fn event_rows(tables: &Tables, run: &Run, columns: &[(&str, &str)], from: &str) -> String {
    let (names, values): (Vec<&str>, Vec<&str>) = columns.iter().copied().unzip();
    format!(
        "INSERT INTO {} (run_id, actor, approved_by, backup_reference, plan_digest, release, {}) SELECT {}, {}, {}, {}, {}, {}, {} {from}",
        tables.events,
        names.join(", "),
        literal(&run.id),
        literal(&run.actor),
        nullable(run.approved_by.as_deref()),
        nullable(run.backup_reference.as_deref()),
        nullable(run.plan_digest.as_deref()),
        literal(&run.release),
        values.join(", ")
    )
}

/// A statement that writes one row of the history, or fails: a trigger or a rule that discarded it would leave a false history.
pub(crate) fn one_row(statement: &str) -> String {
    format!(
        "WITH written AS ({statement} RETURNING 1) SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM written"
    )
}

/// The statement that takes a migration out of the state table.
pub(crate) fn delete_state(tables: &Tables, version: &str) -> String {
    one_row(&format!("DELETE FROM {} WHERE {}", tables.state, is_text("version", version)))
}

/// The statement that records a migration as applied; `execution_ms`: `None` for the time since the transaction began.
pub(crate) fn insert_state(
    tables: &Tables,
    run: &Run,
    label: (&str, &str, &str),
    execution_ms: Option<u128>,
) -> String {
    let (version, name, checksum) = label;
    let ms = execution_ms.map_or_else(|| ELAPSED.to_owned(), |ms| ms.to_string());
    one_row(&state_row(tables, run, [&literal(version), &literal(name), &literal(checksum)], &ms))
}

/// The `INSERT` of a migration into the state table; version, name, checksum and milliseconds are expressions.
pub(super) fn state_row(tables: &Tables, run: &Run, label: [&str; 3], ms: &str) -> String {
    format!(
        "INSERT INTO {} (version, name, checksum, execution_ms, release) VALUES ({}, {ms}, {})",
        tables.state,
        label.join(", "),
        literal(&run.release)
    )
}

/// The statement that completes the row of a migration that another tool has recorded in our table.
pub(crate) fn mark_state(tables: &Tables, run: &Run, (version, name, checksum): (&str, &str, &str)) -> String {
    one_row(&format!(
        "UPDATE {} SET name = {}, checksum = {}, release = {} WHERE {}",
        tables.state,
        literal(name),
        literal(checksum),
        literal(&run.release),
        is_text("version", version)
    ))
}

/// Milliseconds since the transaction began.
pub(super) const ELAPSED: &str = "(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) pg_catalog.now()) \
     OPERATOR(pg_catalog.*) 1000::pg_catalog.float8)::pg_catalog.int8";
