//! The classification of every version: the one place that decides what a version's state is.

use std::collections::BTreeMap;

use crate::embedded::{Embedded, Migration, Script, Text};
use crate::history::{AppliedMigration, Direction, History, Progress};

/// What a version is, seen from this binary and this database together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// In the history, and the same as in the binary (or recorded by another tool, without a checksum).
    Applied,
    /// In the binary only, above everything that is applied.
    Pending,
    /// In the binary only, below something that is applied.
    OutOfOrder,
    /// Applied, but with other SQL than the binary has.
    Changed,
    /// A non-transactional migration that was begun and not finished.
    HalfDone,
    /// In the history only, at or below the binary's newest version.
    Unknown,
    /// In the history only, above the binary's newest version: a newer release has migrated this database.
    Ahead,
}

impl State {
    /// The word in JSON, which never changes.
    pub fn word(self) -> &'static str {
        match self {
            State::Applied => "applied",
            State::Pending => "pending",
            State::OutOfOrder => "late",
            State::Changed => "changed",
            State::HalfDone => "half-done",
            State::Unknown => "unknown",
            State::Ahead => "ahead",
        }
    }

    /// The word in texts.
    pub fn label(self) -> &'static str {
        if self == State::OutOfOrder { "out of order" } else { self.word() }
    }
}

/// One version.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The version as the file has it, or as the history has it where no file exists.
    pub version: Text,
    /// The version as a number; `None` for a recorded text that is not a number.
    pub number: Option<i64>,
    /// What it is.
    pub state: State,
    /// The migration in the binary.
    pub migration: Option<&'static Migration>,
    /// The row in the history.
    pub applied: Option<AppliedMigration>,
    /// How far a half-done one got.
    pub progress: Option<Progress>,
}

/// Every version, ascending, and the repeatables to apply again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Survey {
    /// Ascending by number; versions that are not numbers last.
    pub entries: Vec<Entry>,
    /// Repeatables whose content differs from the one applied last, by file name.
    pub repeatables: Vec<&'static Script>,
}

impl Entry {
    /// Whether only the down block that was recorded with it can roll it back: the binary does not have it, or not as it was applied.
    pub fn needs_recorded(&self) -> bool {
        let row_is_other = |migration: &Migration| {
            let recorded = self.applied.as_ref().and_then(|row| row.checksum.as_deref());
            recorded.is_some_and(|recorded| recorded != migration.checksum)
        };
        match (self.state, self.migration) {
            (State::Changed | State::Ahead, _) => true,
            (State::HalfDone, Some(migration)) => {
                self.progress.as_ref().is_some_and(|progress| progress.direction == Direction::Down)
                    && (row_is_other(migration) || !migration.has_text())
            }
            (_, Some(migration)) => self.applied.is_some() && !migration.has_text(),
            _ => false,
        }
    }
}

impl Survey {
    /// The versions that a newer release has applied.
    pub fn ahead(&self) -> Vec<String> {
        self.of(State::Ahead).map(|entry| entry.version.to_string()).collect()
    }

    /// The entries of one state.
    pub fn of(&self, state: State) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.state == state)
    }
}

/// Classifies every version of the binary and of the history.
pub fn survey(set: &'static Embedded, history: &History) -> Survey {
    let mut progress = history.progress();
    let newest_applied = history.applied.iter().filter_map(AppliedMigration::number).max();
    let newest_known = set.migrations.last().map_or(-1, |migration| migration.number);
    let (rows, strangers) = rows_of(set, history);
    let mut entries = Vec::with_capacity(set.migrations.len());
    entries.extend(strangers.into_iter().map(|row| unknown(row, row.number(), newest_known, &mut progress)));
    for (migration, row) in set.migrations.iter().zip(rows) {
        let progress = progress.remove(&*migration.version);
        let state = match row {
            _ if progress.is_some() => State::HalfDone,
            Some(row) if row.version != migration.version => State::Changed,
            Some(row) if row.checksum.as_deref().is_some_and(|sum| sum != migration.checksum) => State::Changed,
            Some(_) => State::Applied,
            None if newest_applied.is_some_and(|newest| migration.number < newest) => State::OutOfOrder,
            None => State::Pending,
        };
        entries.push(Entry {
            version: migration.version.clone(),
            number: Some(migration.number),
            state,
            migration: Some(migration),
            applied: row.cloned(),
            progress,
        });
    }
    entries.extend(progress.into_iter().filter(|(_, p)| p.direction == Direction::Up).map(|(version, progress)| {
        Entry {
            number: version.parse().ok(),
            version: version.into(),
            state: State::Unknown,
            migration: None,
            applied: None,
            progress: Some(progress),
        }
    }));
    entries.sort_by(|a, b| (a.number.unwrap_or(i64::MAX), &a.version).cmp(&(b.number.unwrap_or(i64::MAX), &b.version)));
    let done = if set.repeatables.is_empty() { BTreeMap::new() } else { history.repeatable_checksums() };
    let is_due = |script: &&Script| done.get(&*script.name) != Some(&&*script.checksum);
    Survey { entries, repeatables: set.repeatables.iter().filter(is_due).collect() }
}

/// The row of each migration, in their order, and the rows that belong to none.
fn rows_of<'h>(set: &Embedded, history: &'h History) -> (Vec<Option<&'h AppliedMigration>>, Vec<&'h AppliedMigration>) {
    let place = |row: &AppliedMigration| {
        let number = row.number()?;
        set.migrations.binary_search_by_key(&number, |migration| migration.number).ok()
    };
    let mut rows = vec![None; set.migrations.len()];
    let mut others = Vec::new();
    // `1` and `001` may both be recorded: the one that is written as the file is the version's row, the other belongs to no file.
    for row in &history.applied {
        match place(row) {
            Some(place) if set.migrations[place].version == row.version => rows[place] = Some(row),
            place => others.push((place, row)),
        }
    }
    let mut strangers = Vec::new();
    for (place, row) in others {
        match place {
            Some(place) if rows[place].is_none() => rows[place] = Some(row),
            _ => strangers.push(row),
        }
    }
    (rows, strangers)
}

fn unknown(
    row: &AppliedMigration,
    number: Option<i64>,
    newest_known: i64,
    progress: &mut BTreeMap<String, Progress>,
) -> Entry {
    // It has a row: only a rollback can be half-done.
    let progress = progress.remove(&*row.version);
    let state = if number.is_some_and(|number| number > newest_known) { State::Ahead } else { State::Unknown };
    Entry { version: row.version.clone(), number, state, migration: None, applied: Some(row.clone()), progress }
}
