//! What kind of work a statement does, from what it was seen to do. Pure.

use std::collections::BTreeSet;

use super::fit::Growth;
use super::outcome::Work;
use crate::prove::trace::{Effect, Statement};
use migrator_sql::{LockMode, Words, lex};

/// The first words of statements that change or read rows wherever they find them, also where a copy has none.
const OF_ROWS: [&str; 11] =
    ["insert", "update", "delete", "merge", "with", "select", "do", "call", "copy", "refresh", "execute"];

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) work: Work,
    pub(super) growth: Growth,
    /// Whether it inserts, updates or deletes.
    pub(super) changes: bool,
}

/// Whether the rows of that relation count for the statement's time.
pub(super) fn is_worked_on(effect: &Effect) -> bool {
    effect.rewritten || effect.scanned || effect.lock == LockMode::RowExclusive || !effect.validated.is_empty()
}

/// Whether a table that has this effect on an empty copy has to be filled, so that what happens to its rows is seen: a change of a
/// definition reads or writes it as a whole there too, or never.
pub(super) fn needs_rows(statement: &Statement, effect: &Effect) -> bool {
    let lexed = lex(statement.sql).tokens;
    let is_of_rows = Words::new(statement.sql, &lexed).is_any(0, &OF_ROWS);
    is_of_rows || is_worked_on(effect) || statement.polled
}

/// What a statement did; `tables` are the relations that have rows, as opposed to indexes.
pub(super) fn kind(statement: &Statement, tables: &BTreeSet<String>) -> Kind {
    let lexed = lex(statement.sql).tokens;
    let words = Words::new(statement.sql, &lexed);
    let of_tables = || statement.effects.iter().filter(|effect| tables.contains(&effect.relation));
    let indexes_rewritten =
        statement.effects.iter().any(|effect| effect.rewritten && !tables.contains(&effect.relation));
    // It begins a new file, and writes nothing into it.
    let truncates = words.is(0, "truncate");
    let changes = of_tables().any(|effect| effect.lock == LockMode::RowExclusive);
    let kind = |work, growth| Kind { work, growth, changes };
    if !truncates && of_tables().any(|effect| effect.rewritten) {
        let sorts = indexes_rewritten || words.is(0, "cluster");
        return kind(Work::Rewrite, if sorts { Growth::Sorting } else { Growth::Linear });
    }
    if builds(&words) || indexes_rewritten && !truncates {
        return kind(Work::Build, Growth::Sorting);
    }
    if of_tables().any(|effect| !effect.validated.is_empty()) {
        return kind(Work::Validate, Growth::Linear);
    }
    if of_tables().any(|effect| effect.scanned) || changes && words.is_any(0, &OF_ROWS) {
        return kind(Work::Scan, Growth::Linear);
    }
    kind(Work::Nothing, Growth::Constant)
}

/// Whether it says that it builds an index.
fn builds(words: &Words<'_>) -> bool {
    let creates = words.is(0, "create") && words.skip(1, &["unique"]) < words.tokens.len() && {
        words.is(words.skip(1, &["unique"]), "index")
    };
    let alters = words.start_with(&["alter", "table"]) && words.has("add") && !words.has("using") && {
        words.has("primary") || words.has("unique")
    };
    let excludes = words.start_with(&["alter", "table"]) && words.has("exclude");
    creates || alters || excludes || words.is(0, "reindex")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn of(sql: &'static str, effects: Vec<Effect>) -> Work {
        let (took, certain) = (Duration::ZERO, Vec::new());
        let statement = Statement { number: 1, line: 1, sql, took, transaction: 1, polled: false, effects, certain };
        kind(&statement, &BTreeSet::from(["t".to_owned()])).work
    }

    fn effect(relation: &str, lock: LockMode, [rewritten, scanned]: [bool; 2]) -> Effect {
        let mut effect = Effect::lock(relation.to_owned(), lock);
        (effect.taken, effect.rewritten, effect.scanned) = (true, rewritten, scanned);
        effect
    }

    #[test]
    fn the_kind_of_work_follows_from_what_was_seen() {
        let exclusive = LockMode::AccessExclusive;
        for (sql, effects, expected) in [
            ("ALTER TABLE t DROP COLUMN c", vec![effect("t", exclusive, [false; 2])], Work::Nothing),
            ("TRUNCATE t", vec![effect("t", exclusive, [true, false])], Work::Nothing),
            ("ALTER TABLE t ALTER c TYPE bigint", vec![effect("t", exclusive, [true, true])], Work::Rewrite),
            ("CREATE INDEX ON t (c)", vec![effect("t", LockMode::Share, [false, true])], Work::Build),
            ("CREATE UNIQUE INDEX ON t (c)", vec![effect("t", LockMode::Share, [false, true])], Work::Build),
            ("ALTER TABLE t ADD PRIMARY KEY (c)", vec![effect("t", exclusive, [false, true])], Work::Build),
            ("ALTER TABLE t ADD UNIQUE USING INDEX i", vec![effect("t", exclusive, [false; 2])], Work::Nothing),
            ("REINDEX INDEX i", vec![effect("i", exclusive, [true, false])], Work::Build),
            ("UPDATE t SET c = 1", vec![effect("t", LockMode::RowExclusive, [false; 2])], Work::Scan),
            ("CREATE TABLE n AS TABLE t", vec![effect("t", LockMode::AccessShare, [false, true])], Work::Scan),
        ] {
            assert_eq!(of(sql, effects), expected, "{sql}");
        }
    }

    #[test]
    fn a_proof_is_a_validation_and_not_only_a_scan() {
        let mut proof = effect("t", LockMode::ShareUpdateExclusive, [false, true]);
        proof.validated.push("c".to_owned());
        assert_eq!(of("ALTER TABLE t VALIDATE CONSTRAINT c", vec![proof]), Work::Validate);
    }
}
