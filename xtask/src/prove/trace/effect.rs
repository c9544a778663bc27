//! What a migration does, statement by statement.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use migrator_engine::embedded::Migration;
use migrator_engine::locks::{Effect, TracedMigration, TracedStatement, Waits};
use migrator_engine::words;
use migrator_sql::LockMode;

/// Whether the first word of a statement is this one, in any case.
pub(super) fn begins_with(sql: &str, word: &str) -> bool {
    sql.get(..word.len()).is_some_and(|first| first.eq_ignore_ascii_case(word))
        && sql[word.len()..].starts_with(|after: char| after.is_whitespace() || matches!(after, '/' | '-' | '"'))
}

/// The line in which a byte of a text is, from 1.
pub(crate) fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The strongest of the modes that are listed with spaces between them, as `pg_locks` has them.
pub(super) fn strongest(modes: &str) -> Option<LockMode> {
    modes.split(' ').filter_map(LockMode::from_pg_locks).max()
}

/// One statement.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    /// From 1.
    pub number: usize,
    /// The line of the file on which it begins, from 1.
    pub line: usize,
    /// As it is written.
    pub sql: &'static str,
    /// How long it ran.
    pub took: Duration,
    /// Which of the block's transactions it belongs to: locks are held until its end.
    pub transaction: usize,
    /// It cannot run in a transaction: its locks were looked at from outside every few milliseconds, and what is known
    /// about it was added.
    pub polled: bool,
    /// What it did to whom, a table before its indexes.
    pub effects: Vec<Effect>,
    /// The same, if it was `polled`, without what depends on the moments at which it was looked at.
    pub certain: Vec<Effect>,
}

/// One migration or repeatable.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    /// `003_add_x`, or a repeatable's name.
    pub label: String,
    /// The path shown in messages.
    pub file: &'static str,
    /// Its statements in order; `SET`, `BEGIN` and `COMMIT` are not among them.
    pub statements: Vec<Statement>,
    /// Relations that were there before it, and that production does not have: migrations of the same release have made them.
    pub new_relations: BTreeSet<String>,
    /// The tables of the indexes that it has touched, by the names of the indexes.
    pub tables: BTreeMap<String, String>,
}

impl Statement {
    /// What makes at least `least` wait, as lines: `statement 1: ShareLock on a, scanned: writes wait (3.0 ms)`.
    pub(crate) fn lines(&self, least: Waits) -> Vec<String> {
        let counted = self.effects.iter().filter(|effect| effect.counts() && effect.waits() >= least);
        let counted = counted.filter(|effect| effect.is_shown());
        let line =
            |effect: &Effect| format!("statement {}: {} ({})", self.number, effect.words(), words::precise(self.took));
        counted.map(line).collect()
    }

    /// Whether it empties tables, whose files are then written anew without anything in them.
    pub(crate) fn truncates(&self) -> bool {
        begins_with(self.sql, "truncate")
    }

    /// What it does every time.
    pub(crate) fn certain(&self) -> &[Effect] {
        if self.polled { &self.certain } else { &self.effects }
    }

    /// Whom it makes wait.
    pub(crate) fn waits(&self) -> Waits {
        self.effects.iter().map(Effect::waits).max().unwrap_or(Waits::Nobody)
    }
}

impl Trace {
    /// What is kept of it for the binary that will run the migration: no one is interested in what reading locks. `checksum` is that of the
    /// migrations up to this one.
    pub(crate) fn kept(&self, migration: &Migration, checksum: String) -> TracedMigration {
        let kept = |statement: &Statement| {
            let effects = statement.certain().iter().filter(|effect| effect.lock >= LockMode::RowExclusive);
            TracedStatement { number: statement.number, line: statement.line, effects: effects.cloned().collect() }
        };
        TracedMigration {
            version: migration.version.to_string(),
            checksum,
            statements: self.statements.iter().map(kept).filter(|statement| !statement.effects.is_empty()).collect(),
        }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        let statement = |statement: &Statement| {
            json!({
                "statement": statement.number,
                "line": statement.line,
                "sql": statement.sql,
                "ms": (statement.took.as_secs_f64() * 1e6).round() / 1e3,
                "polled": statement.polled,
                "effects": statement.effects.iter().map(Effect::json).collect::<Vec<_>>(),
            })
        };
        Value::from_iter(self.statements.iter().map(statement))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(lock: LockMode, taken: bool) -> Effect {
        let mut effect = Effect::lock("core.users".to_owned(), lock);
        effect.taken = taken;
        effect
    }

    fn scanned(mut effect: Effect) -> Effect {
        effect.scanned = true;
        effect
    }

    fn dropped(mut effect: Effect) -> Effect {
        effect.dropped = true;
        effect
    }

    #[test]
    fn the_strongest_of_several_modes_counts() {
        for (words, expected) in [
            ("", None),
            ("SIReadLock", None),
            ("AccessShareLock", Some(LockMode::AccessShare)),
            ("AccessShareLock ShareLock RowExclusiveLock", Some(LockMode::Share)),
            ("ShareUpdateExclusiveLock AccessExclusiveLock ExclusiveLock", Some(LockMode::AccessExclusive)),
        ] {
            assert_eq!(strongest(words), expected, "{words}");
        }
    }

    #[test]
    fn what_a_statement_finds_locked_is_told_again_only_if_it_works_under_that_lock() {
        let of = |effects: Vec<Effect>| {
            let took = Duration::from_millis(3);
            Statement { number: 2, line: 1, sql: "", took, transaction: 1, polled: false, effects, certain: vec![] }
                .lines(Waits::Writes)
        };
        assert_eq!(of(vec![effect(LockMode::AccessExclusive, false)]), [""; 0]);
        assert_eq!(of(vec![scanned(effect(LockMode::RowExclusive, true))]), [""; 0]);
        assert_eq!(of(vec![dropped(effect(LockMode::AccessExclusive, false))]).len(), 1);
        assert_eq!(
            of(vec![scanned(effect(LockMode::Share, false))]),
            ["statement 2: ShareLock still held on core.users, scanned: writes wait (3.0 ms)"]
        );
    }
}
