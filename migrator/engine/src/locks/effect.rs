//! What a statement does to a relation that was there before it, and the words for it.

use migrator_model::LockMode;
use serde_json::{Value, json};

/// Whom a lock makes wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waits {
    /// Only changes of the schema and maintenance.
    Nobody,
    /// `INSERT`, `UPDATE`, `DELETE`.
    Writes,
    /// Everybody.
    ReadsAndWrites,
}

impl Waits {
    /// Whom of an application a lock makes wait.
    pub fn of(lock: LockMode) -> Waits {
        match (lock.blocks_reads(), lock.blocks_writes()) {
            (true, _) => Waits::ReadsAndWrites,
            (false, true) => Waits::Writes,
            (false, false) => Waits::Nobody,
        }
    }

    /// As JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            Waits::Nobody => "none",
            Waits::Writes => "writes",
            Waits::ReadsAndWrites => "reads and writes",
        }
    }

    /// In a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Waits::Nobody => "no one waits",
            Waits::Writes => "writes wait",
            Waits::ReadsAndWrites => "reads and writes wait",
        }
    }
}

/// What one statement does to one relation that was there before its migration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Effect {
    /// The relation, qualified and quoted.
    pub relation: String,
    /// Whether it is an index.
    pub index: bool,
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

impl Effect {
    /// A lock on a table that is taken, and nothing else.
    pub fn lock(relation: String, lock: LockMode) -> Effect {
        Effect {
            relation,
            index: false,
            lock,
            taken: true,
            rewritten: false,
            scanned: false,
            validated: Vec::new(),
            dropped: false,
        }
    }

    /// Whom it makes wait.
    pub fn waits(&self) -> Waits {
        Waits::of(self.lock)
    }

    /// Whether it belongs into a list of what is worth knowing: a new lock, or work that is done while others wait.
    pub fn counts(&self) -> bool {
        let work = self.waits() > Waits::Nobody || self.lock == LockMode::RowExclusive;
        self.taken || self.rewritten || self.dropped || self.scanned && work
    }

    /// What reading and writing take by themselves is not worth a line, unless they go through the whole table.
    pub fn is_shown(&self) -> bool {
        self.lock >= LockMode::ShareUpdateExclusive || self.lock == LockMode::RowExclusive && self.scanned
    }

    /// `AccessExclusiveLock on core.users, rewritten: reads and writes wait`.
    pub fn words(&self) -> String {
        self.words_with("")
    }

    /// [`Effect::words`], with what is added to the name of the relation: ` (1.2 GB)`.
    pub fn words_with(&self, about: &str) -> String {
        let mut words = match self.taken {
            true => format!("{} on {}{about}", self.lock.pg_locks_name(), self.relation),
            // NOT VALID and VALIDATE in one transaction: the lock is the first one's, the time the second one's.
            false => format!("{} still held on {}{about}", self.lock.pg_locks_name(), self.relation),
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

    /// As JSON.
    pub fn json(&self) -> Value {
        json!({
            "relation": self.relation,
            "lock": self.lock.pg_locks_name(),
            "taken": self.taken,
            "waits": self.waits().name(),
            "rewritten": self.rewritten,
            "scanned": self.scanned,
            "validated": self.validated,
            "dropped": self.dropped,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(lock: LockMode, taken: bool) -> Effect {
        Effect { taken, ..Effect::lock("core.users".to_owned(), lock) }
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
}
