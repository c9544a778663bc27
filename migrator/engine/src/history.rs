//! The history that the database records: the rows of the state table and of the event log, and what follows from them.
//!
//! Pure: `store` reads the rows. Rows may come from elsewhere (dbmate, a newer release, a person), so nothing
//! here trusts more than a version being text.

use std::collections::{BTreeMap, BTreeSet};

pub use crate::embedded::Direction;
use crate::embedded::{Migration, Script, Text};

/// One row of the state table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppliedMigration {
    /// The version as it was recorded.
    pub version: Text,
    /// The migration's name; absent in rows that another tool wrote.
    pub name: Option<String>,
    /// The checksum of what was applied; absent in rows that another tool wrote.
    pub checksum: Option<Text>,
    /// When, in UTC, to the second: `2026-11-20 14:02:31`.
    pub applied_at: Option<String>,
    /// The database user who applied it.
    pub applied_by: Option<String>,
    /// How long it took, in milliseconds.
    pub execution_ms: Option<i64>,
    /// The release of the binary that applied it.
    pub release: Option<String>,
}

impl AppliedMigration {
    /// The version as a number; `None` for a text that is not a number.
    pub fn number(&self) -> Option<i64> {
        self.version.parse().ok()
    }
}

/// One row of the event log, as far as planning needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// The run that wrote it.
    pub run_id: String,
    /// `up`, `down`, `seed`, `repeatable`, `stamp`, `adopt`, `resolve`, `environment`.
    pub action: String,
    /// The migration, where the action concerns one.
    pub version: Option<String>,
    /// The name of the migration, repeatable, seed or environment.
    pub name: Option<String>,
    /// The checksum of the migration or repeatable.
    pub checksum: Option<String>,
    /// Which try of a non-transactional migration, from 1.
    pub attempt: Option<i32>,
    /// The number of a non-transactional statement, from 1.
    pub statement: Option<i32>,
    /// The checksum of that statement.
    pub statement_checksum: Option<String>,
    /// `started`, `done` or `failed`.
    pub outcome: String,
    /// The failure, or `applied`/`retry` of a `resolve`.
    pub detail: Option<String>,
}

/// How far a non-transactional migration got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Applying or rolling back.
    pub direction: Direction,
    /// Which try, from 1.
    pub attempt: i32,
    /// The checksums of the statements that are done, in order.
    pub done: Vec<String>,
    /// The statement after them, if it was started.
    pub open: Option<OpenStatement>,
}

/// A statement that was started and is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenStatement {
    /// Its number, from 1, in the file as it was then.
    pub number: i32,
    /// Its checksum then.
    pub checksum: String,
    /// True: the server refused it, and none of it remains. False: its outcome was not recorded.
    pub failed: bool,
    /// What the server said, where it failed.
    pub detail: Option<String>,
}

/// The down block that was recorded when a migration was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedDown {
    /// A migration that can go down only.
    pub migration: &'static Migration,
    /// When it was recorded, in UTC, to the second: `2026-11-20 14:02:31`.
    pub at: String,
    /// The release that recorded it.
    pub release: Option<String>,
}

/// Why a migration cannot be rolled back by what is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrecorded {
    /// The log has no text for it: another tool or an early release has applied it.
    Nothing,
    /// It has no down block.
    NoDown,
    /// The text has a form that this release does not read.
    OtherForm,
    /// The text belongs to another content than the one that is applied.
    OtherContent,
}

/// Which database a history was read from, as far as any role can tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The database's name.
    pub name: String,
    /// Its OID, which no other database of the server has.
    pub oid: String,
    /// The system identifier of the server, unless this role may not read it.
    pub system: Option<String>,
}

/// What the event log says of the rows that `status` shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provenance {
    /// `stamp` or `adopt`, by the version of a migration that was recorded without running it here.
    pub unrun: BTreeMap<String, String>,
    /// The last time that each repeatable of this binary was applied, by name.
    pub repeatables: BTreeMap<String, LastApplied>,
}

/// When a repeatable was last applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastApplied {
    /// When, in UTC, to the second: `2026-11-20 14:02:31`.
    pub at: Option<String>,
    /// Who ran the migrator: `user@host`.
    pub by: Option<String>,
    /// How long it took, in milliseconds.
    pub execution_ms: Option<i64>,
    /// The release of the binary.
    pub release: Option<String>,
}

/// Everything that was read from the database's history tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// False: the state table does not exist, nothing has ever been applied.
    pub exists: bool,
    /// False: a table or a column of ours is missing, which the next writing command adds.
    pub complete: bool,
    /// The event log's sequence and the newest number in the log, where the sequence lags it: on a copy that logical
    /// replication has made.
    pub sequence_behind: Option<(String, i64)>,
    /// Whether the event log can hold down blocks as they were applied.
    pub has_recorded_downs: bool,
    /// The roles beside the owner that can write to a table of the history, by table.
    pub writers: Vec<(String, Vec<String>)>,
    /// Where there is no history: the tables of others, one a line, each with a tab and the names of its columns after it.
    pub elsewhere: Option<String>,
    /// Whether another tool has applied a migration since the repeatables ran.
    pub changed_elsewhere: bool,
    /// The down blocks that were recorded when a migration was applied, by version; read only where a command asks.
    pub recorded: BTreeMap<String, RecordedDown>,
    /// Why there is none, of those that a command asked for.
    pub unrecorded: BTreeMap<String, Unrecorded>,
    /// The rows of the state table. Where only a plan was to be made, and they are those of the binary up to some version, just with
    /// version and checksum.
    pub applied: Vec<AppliedMigration>,
    /// The rows of the event log that `log` says, oldest first.
    pub events: Vec<Event>,
    /// Which rows of the event log were read.
    pub log: Log,
    /// The number of the newest row of the event log; 0 without any.
    pub newest_event: i64,
    /// The number of the newest row that is more than a failed try, and the run that wrote it; 0 without any.
    pub head: (i64, Option<String>),
    /// The database that it was read from.
    pub identity: Option<Identity>,
}

/// Which rows of the event log were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Log {
    /// All of them but those of seeds.
    #[default]
    Whole,
    /// Those that still decide something: the newest that may have changed the schema, the newest of each repeatable, environment and
    /// adopted table, and of migrations outside a transaction the newest, or all where it is not finished.
    Deciding {
        /// Whether a migration that the whole log calls applied has no row any more. False also where no repeatable counts as applied
        /// anyway, or the binary has none.
        removed_elsewhere: bool,
    },
}

impl History {
    /// The non-transactional migrations that were begun and not finished, by version.
    pub fn progress(&self) -> BTreeMap<String, Progress> {
        let mut open: BTreeMap<String, Progress> = BTreeMap::new();
        for event in &self.events {
            let Some(version) = &event.version else { continue };
            match event.statement {
                Some(number) => advance(&mut open, version, number, event),
                // The end of an attempt, however it came about.
                None if event.outcome == "done" && matches!(&*event.action, "up" | "down" | "stamp" | "adopt") => {
                    open.remove(version);
                }
                None => {}
            }
        }
        // A row that another tool wrote meanwhile says that the migration is applied (or no longer is), and that is the state.
        open.retain(|version, progress| {
            let applied = self.applied.iter().any(|row| row.version == *version);
            applied == (progress.direction == Direction::Down)
        });
        open
    }

    /// The number of the newest try of each version that has events with one, from 1.
    pub fn attempts(&self) -> BTreeMap<&str, i32> {
        let mut newest = BTreeMap::new();
        for event in &self.events {
            if let (Some(version), Some(attempt)) = (event.version.as_deref(), event.attempt) {
                let known = newest.entry(version).or_insert(attempt);
                *known = attempt.max(*known);
            }
        }
        newest
    }

    /// Whether this repeatable was ever applied, with any content.
    pub fn has_run_repeatable(&self, name: &str) -> bool {
        let ran = |event: &&Event| event.action == "repeatable" && event.outcome == "done";
        self.events.iter().filter(ran).any(|event| event.name.as_deref() == Some(name))
    }

    /// Whether a repeatable is to be applied.
    pub fn is_due(&self, script: &Script) -> bool {
        self.repeatable_checksum(&script.name) != Some(&*script.checksum)
    }

    /// The checksum of a repeatable's content that was applied last; `None` also where [`History::repeatable_checksums`] has none.
    pub fn repeatable_checksum(&self, name: &str) -> Option<&str> {
        self.repeatable_checksums().remove(name)
    }

    /// The checksums of the repeatables' contents that were applied last, by name.
    ///
    /// Without those after which a migration has been applied or rolled back, by whatever tool: it may have dropped or replaced what
    /// the repeatable had made.
    pub fn repeatable_checksums(&self) -> BTreeMap<&str, &str> {
        if self.changed_elsewhere || self.removed_elsewhere() {
            return BTreeMap::new();
        }
        let changes = |event: &Event| matches!(&*event.action, "up" | "down") && event.outcome != "started";
        let since = self.events.iter().rposition(changes).map_or(0, |at| at + 1);
        let applied = |event: &&Event| event.action == "repeatable" && event.outcome == "done";
        let mut last = BTreeMap::new();
        for event in self.events[since..].iter().filter(applied) {
            last.extend(event.name.as_deref().map(|name| (name, event.checksum.as_deref())));
        }
        last.into_iter().filter_map(|(name, checksum)| Some((name, checksum?))).collect()
    }

    /// Whether a migration that the log calls applied has no row any more: another tool has rolled it back.
    fn removed_elsewhere(&self) -> bool {
        if let Log::Deciding { removed_elsewhere } = self.log {
            return removed_elsewhere;
        }
        let applied: BTreeSet<&str> = self.applied.iter().map(|row| &*row.version).collect();
        let mut is_up: BTreeMap<&str, bool> = BTreeMap::new();
        for event in self.events.iter().filter(|event| event.outcome == "done" && event.statement.is_none()) {
            let Some(version) = &event.version else { continue };
            match &*event.action {
                "up" | "stamp" | "adopt" => is_up.insert(version, true),
                "down" => is_up.insert(version, false),
                _ => None,
            };
        }
        is_up.into_iter().any(|(version, is_up)| is_up && !applied.contains(version))
    }

    /// Takes into account a transactional migration that has just gone that way, as reading the tables again would.
    pub fn record(&mut self, direction: Direction, label: (&str, &str, &str)) {
        self.record_all([(direction, label)]);
    }

    /// The same for many, in their order: version, name and checksum. It costs hardly more than one.
    pub fn record_all<'a>(&mut self, steps: impl IntoIterator<Item = (Direction, (&'a str, &'a str, &'a str))>) {
        let mut now = BTreeMap::new();
        for (at, (direction, (version, name, checksum))) in steps.into_iter().enumerate() {
            let [version, name, checksum] = [version, name, checksum].map(str::to_owned);
            self.events.push(Event {
                action: direction.word().to_owned(),
                version: Some(version.clone()),
                name: Some(name.clone()),
                checksum: Some(checksum.clone()),
                outcome: "done".to_owned(),
                ..Event::default()
            });
            let row = AppliedMigration {
                version: version.clone().into(),
                name: Some(name),
                checksum: Some(checksum.into()),
                ..Default::default()
            };
            now.insert(version, (direction == Direction::Up).then_some((at, row)));
        }
        if now.is_empty() {
            return;
        }
        self.applied.retain(|row| !now.contains_key(&*row.version));
        let mut up: Vec<(usize, AppliedMigration)> = now.into_values().flatten().collect();
        up.sort_unstable_by_key(|(at, _)| *at);
        self.applied.extend(up.into_iter().map(|(_, row)| row));
    }

    /// Whether both agree on what has been applied; times and runs may differ.
    pub fn agrees_with(&self, other: &History) -> bool {
        let events = |history: &History| {
            let event = |event: &Event| Event { run_id: String::new(), ..event.clone() };
            history.events.iter().map(event).collect::<Vec<_>>()
        };
        self.rows() == other.rows() && events(self) == events(other)
    }

    /// What is applied, without when and by whom.
    fn rows(&self) -> BTreeSet<(&str, Option<&str>, Option<&str>)> {
        self.applied.iter().map(|row| (&*row.version, row.name.as_deref(), row.checksum.as_deref())).collect()
    }

    /// The environment that was recorded last.
    pub fn environment(&self) -> Option<&str> {
        let recorded = |event: &&Event| event.action == "environment" && event.outcome == "done";
        self.events.iter().rev().find(recorded)?.name.as_deref()
    }
}

/// Takes one statement's event into account.
fn advance(open: &mut BTreeMap<String, Progress>, version: &str, number: i32, event: &Event) {
    let attempt = event.attempt.unwrap_or(1);
    let direction = match &*event.action {
        "up" => Some(Direction::Up),
        "down" => Some(Direction::Down),
        // A decision continues the attempt that it is about.
        _ => open.get(version).map(|progress| progress.direction),
    };
    let Some(direction) = direction else { return };
    let fresh = || Progress { direction, attempt, done: Vec::new(), open: None };
    let progress = open.entry(version.to_owned()).or_insert_with(fresh);
    if progress.attempt != attempt || progress.direction != direction {
        *progress = fresh();
    }
    let checksum = event.statement_checksum.clone().unwrap_or_default();
    let applied = event.action == "resolve" && event.detail.as_deref() == Some("applied");
    let retry = event.action == "resolve" && !applied;
    if applied || (event.outcome == "done" && !retry) {
        progress.done.push(checksum);
        progress.open = None;
        return;
    }
    let failed = retry || event.outcome == "failed";
    progress.open = Some(OpenStatement { number, checksum, failed, detail: event.detail.clone() });
}

#[cfg(test)]
mod tests;
