//! What must be so before anything is changed: the lock is this session's, and the history is what the plan assumed.

use super::quote::literal;
use super::run::Run;
use super::tables::Tables;
use crate::planted::planted;

/// The condition on `pg_locks` that selects our lock in this database.
pub(crate) fn lock_condition(key: i64) -> String {
    // A one-key advisory lock is shown as two halves, with objsubid 1.
    let (high, low) = (((key as u64) >> 32) as u32, key as u32);
    format!(
        "locktype OPERATOR(pg_catalog.=) 'advisory' AND classid OPERATOR(pg_catalog.=) {high}::pg_catalog.oid \
         AND objid OPERATOR(pg_catalog.=) {low}::pg_catalog.oid AND objsubid OPERATOR(pg_catalog.=) 1::pg_catalog.int2 \
         AND database OPERATOR(pg_catalog.=) (SELECT oid FROM pg_catalog.pg_database \
         WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database())"
    )
}

/// An expression that takes the lock and is true where it was free.
///
/// It takes it twice: the fence gives it back once and takes it again, which succeeds only in a session that has never lost it.
pub(crate) fn take_lock(key: i64) -> String {
    let take = format!("pg_catalog.pg_try_advisory_lock({key}::pg_catalog.int8)");
    format!("CASE WHEN {take} THEN {take} ELSE false END")
}

/// The cases in which the lock is not this session's, of a `CASE` whose other value is 1.
///
/// Their cost does not depend on what other sessions hold, as that of a look into `pg_locks` does. To give back what is not held is a
/// warning and false. The last one keeps the lock to the end of the transaction, whatever the text in it gives back.
pub(super) fn lock_is_lost(key: i64, backend: i32) -> String {
    if planted("lock-unseen") {
        return "WHEN false THEN 0".to_owned();
    }
    let key = format!("{key}::pg_catalog.int8");
    format!(
        "WHEN pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.<>) {backend} THEN 0 \
         WHEN NOT pg_catalog.pg_advisory_unlock({key}) THEN 0 \
         WHEN NOT pg_catalog.pg_try_advisory_lock({key}) THEN 0 \
         WHEN NOT pg_catalog.pg_try_advisory_xact_lock({key}) THEN 0"
    )
}

/// The statements that must hold before anything is changed in a transaction: each divides by zero if it does not.
///
/// Division instead of `RAISE`: it needs no procedural language.
pub(crate) fn fence<'c>(tables: &Tables, run: &Run, conditions: impl Iterator<Item = &'c Condition>) -> Vec<String> {
    let lost = lock_is_lost(tables.lock_key, run.backend);
    let mut statements = vec![format!("SELECT 1 OPERATOR(pg_catalog./) CASE {lost} ELSE 1 END")];
    statements.extend(conditions.map(|condition| condition.statement(tables, run)));
    statements
}

/// What the fence demands of the history, besides the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// This version has a row.
    Applied(String),
    /// This version has none.
    NotApplied(String),
    /// The newest event is this run's, and says that this statement of this version is done.
    StatementDone(String, usize),
    /// This run has applied this repeatable.
    RepeatableDone(String),
}

impl Condition {
    fn statement(&self, tables: &Tables, run: &Run) -> String {
        match self {
            Condition::Applied(version) => format!(
                "SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM {} WHERE {}",
                tables.state,
                is_text("version", version)
            ),
            Condition::NotApplied(version) => format!(
                "SELECT 1 OPERATOR(pg_catalog./) (1 OPERATOR(pg_catalog.-) pg_catalog.count(*)) FROM {} WHERE {}",
                tables.state,
                is_text("version", version)
            ),
            // The lock is ours alone, and so is the newest event.
            Condition::StatementDone(version, number) => format!(
                "SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM {}",
                newest_event(tables, run, version, &number.to_string())
            ),
            // Once is enough: a repeatable runs at most once in a run, but its failed tries are events too.
            Condition::RepeatableDone(name) => format!(
                "SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM {} WHERE {} AND {} AND {} AND {}",
                tables.events,
                is_text("run_id", &run.id),
                is_text("action", "repeatable"),
                is_text("outcome", "done"),
                is_text("name", name)
            ),
        }
    }
}

/// The newest event, if it is this run's and says that this statement of this version is done; `number` is an expression.
pub(super) fn newest_event(tables: &Tables, run: &Run, version: &str, number: &str) -> String {
    format!(
        "(SELECT run_id, version, statement, outcome FROM {} ORDER BY id DESC LIMIT 1) AS newest \
         WHERE {} AND {} AND statement OPERATOR(pg_catalog.=) {number} AND {}",
        tables.events,
        is_text("run_id", &run.id),
        is_text("version", version),
        is_text("outcome", "done")
    )
}

/// A condition on a column of text, whatever operators others have made for its type.
pub(crate) fn is_text(column: &str, value: &str) -> String {
    is_same_text(column, &literal(value))
}

/// The same for an expression.
pub(super) fn is_same_text(column: &str, expression: &str) -> String {
    format!("{column}::pg_catalog.text OPERATOR(pg_catalog.=) {expression}::pg_catalog.text")
}
