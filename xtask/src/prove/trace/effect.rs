//! What a statement does to relations that were there before it, and the words for it.

use std::time::Duration;

use serde_json::{Value, json};

use migrator_engine::words;
use migrator_sql::LockMode;

/// Whom a lock makes wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Waits {
    /// Only changes of the schema and maintenance.
    Nobody,
    /// `INSERT`, `UPDATE`, `DELETE`.
    Writes,
    /// Everybody.
    ReadsAndWrites,
}

/// The strongest of the modes that are listed with spaces between them, as `pg_locks` has them.
pub(super) fn strongest(modes: &str) -> Option<LockMode> {
    modes.split(' ').filter_map(LockMode::from_pg_locks).max()
}

impl Waits {
    /// Whom of an application a lock makes wait.
    pub(crate) fn of(lock: LockMode) -> Waits {
        match (lock.blocks_reads(), lock.blocks_writes()) {
            (true, _) => Waits::ReadsAndWrites,
            (false, true) => Waits::Writes,
            (false, false) => Waits::Nobody,
        }
    }

    /// For people.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Waits::Nobody => "no one waits",
            Waits::Writes => "writes wait",
            Waits::ReadsAndWrites => "reads and writes wait",
        }
    }
}

/// What one statement does to one relation that was there before its migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effect {
    /// The relation, qualified and quoted.
    pub relation: String,
    /// The strongest lock that is held on it after the statement.
    pub lock: LockMode,
    /// Whether this statement has taken that lock, and not one before it.
    pub taken: bool,
    /// Its file was written anew.
    pub rewritten: bool,
    /// It was read from its first row to its last.
    pub scanned: bool,
    /// What is proved by that reading: the names of constraints, `NOT NULL of email`.
    pub validated: Vec<String>,
    /// It is gone.
    pub dropped: bool,
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
}

impl Effect {
    /// A lock that is taken, and nothing else.
    pub(super) fn lock(relation: String, lock: LockMode) -> Effect {
        Effect { relation, lock, taken: true, rewritten: false, scanned: false, validated: Vec::new(), dropped: false }
    }

    /// Whom it makes wait.
    pub(crate) fn waits(&self) -> Waits {
        Waits::of(self.lock)
    }

    /// Whether it belongs into a list of what is worth knowing: a new lock, or work that is done while others wait.
    fn counts(&self) -> bool {
        let work = self.waits() > Waits::Nobody || self.lock == LockMode::RowExclusive;
        self.taken || self.rewritten || self.dropped || self.scanned && work
    }

    /// What reading and writing take by themselves is not worth a line, unless they go through the whole table.
    pub(crate) fn is_shown(&self) -> bool {
        self.lock >= LockMode::ShareUpdateExclusive || self.lock == LockMode::RowExclusive && self.scanned
    }

    /// `AccessExclusiveLock on core.users, rewritten: reads and writes wait`.
    pub(crate) fn words(&self) -> String {
        let mut words = match self.taken {
            true => format!("{} on {}", self.lock.pg_locks_name(), self.relation),
            // NOT VALID and VALIDATE in one transaction: the lock is the first one's, the time the second one's.
            false => format!("{} still held on {}", self.lock.pg_locks_name(), self.relation),
        };
        for (is, word) in [(self.rewritten, ", rewritten"), (self.scanned, ", scanned"), (self.dropped, ", dropped")] {
            words.push_str(if is { word } else { "" });
        }
        if !self.validated.is_empty() {
            words.push_str(&format!(", validates {}", self.validated.join(" and ")));
        }
        // Which rows that are is data, of which a copy has none.
        let waits =
            if self.lock == LockMode::RowExclusive { "writes to the same rows wait" } else { self.waits().words() };
        format!("{words}: {waits}")
    }

    fn json(&self) -> Value {
        json!({
            "relation": self.relation,
            "lock": self.lock.pg_locks_name(),
            "taken": self.taken,
            "waits": match self.waits() {
                Waits::Nobody => "nobody",
                Waits::Writes => "writes",
                Waits::ReadsAndWrites => "reads and writes",
            },
            "rewritten": self.rewritten,
            "scanned": self.scanned,
            "validated": self.validated,
            "dropped": self.dropped,
        })
    }
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

    /// Whom it makes wait.
    pub(crate) fn waits(&self) -> Waits {
        self.effects.iter().map(Effect::waits).max().unwrap_or(Waits::Nobody)
    }
}

impl Trace {
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
        let relation = "core.users".to_owned();
        Effect { relation, lock, taken, rewritten: false, scanned: false, validated: vec![], dropped: false }
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
    fn an_effect_says_what_happens_and_who_waits() {
        for (effect, words) in [
            (effect(LockMode::AccessExclusive, true), "AccessExclusiveLock on core.users: reads and writes wait"),
            (
                Effect { rewritten: true, scanned: true, ..effect(LockMode::AccessExclusive, true) },
                "AccessExclusiveLock on core.users, rewritten, scanned: reads and writes wait",
            ),
            (
                Effect { scanned: true, validated: vec!["small".to_owned()], ..effect(LockMode::Share, false) },
                "ShareLock still held on core.users, scanned, validates small: writes wait",
            ),
            (
                Effect { dropped: true, ..effect(LockMode::ShareUpdateExclusive, true) },
                "ShareUpdateExclusiveLock on core.users, dropped: no one waits",
            ),
        ] {
            assert_eq!(effect.words(), words);
        }
    }

    #[test]
    fn what_a_statement_finds_locked_is_told_again_only_if_it_works_under_that_lock() {
        let of = |effects: Vec<Effect>| {
            let took = Duration::from_millis(3);
            Statement { number: 2, line: 1, sql: "", took, transaction: 1, polled: false, effects }.lines(Waits::Writes)
        };
        assert_eq!(of(vec![effect(LockMode::AccessExclusive, false)]), [""; 0]);
        assert_eq!(of(vec![Effect { scanned: true, ..effect(LockMode::RowExclusive, true) }]), [""; 0]);
        assert_eq!(of(vec![Effect { dropped: true, ..effect(LockMode::AccessExclusive, false) }]).len(), 1);
        assert_eq!(
            of(vec![Effect { scanned: true, ..effect(LockMode::Share, false) }]),
            ["statement 2: ShareLock still held on core.users, scanned: writes wait (3.0 ms)"]
        );
    }
}
