//! Where history and binary diverge, and the messages about it.

use std::borrow::Cow;

use super::survey::{Entry, State, Survey};
use crate::embedded::{Embedded, Migration};
use crate::history::{Direction, History, Unrecorded};

/// One place where they diverge.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Divergence {
    /// An applied migration that has other SQL in this binary.
    Changed {
        /// The migration in this binary.
        migration: &'static Migration,
        /// The version as it was recorded.
        recorded_version: String,
        /// The name as it was recorded.
        recorded_name: Option<String>,
        /// The newest version of this binary.
        newest: &'static str,
        /// The checksum as it was recorded.
        recorded_checksum: Option<String>,
        /// The release that applied it.
        release: Option<String>,
    },
    /// An applied version that this binary should have and lacks.
    Unknown {
        /// The version as it was recorded.
        version: String,
        /// Its name, where it was recorded.
        name: Option<String>,
    },
    /// A version that only a newer release knows, which the settings refuse.
    Ahead {
        /// The version as it was recorded.
        version: String,
    },
    /// A version that only a newer release knows, and that cannot be rolled back by what is recorded.
    NotRecorded {
        /// The version as it was recorded.
        version: String,
        /// The release that applied it.
        release: Option<String>,
        /// Why not.
        why: Unrecorded,
    },
    /// A version that this binary does not have, and that is half-done.
    HalfDoneElsewhere {
        /// The version as it was recorded.
        version: String,
        /// What was begun.
        direction: Direction,
    },
    /// A pending migration below one that is applied.
    OutOfOrder {
        /// The migration.
        migration: &'static Migration,
        /// The newest applied version.
        newest: String,
    },
    /// `up` while a `down` is half-done, or the other way round.
    HalfDone {
        /// The migration.
        migration: &'static Migration,
        /// What was begun.
        direction: Direction,
    },
    /// The statements that were done are no longer the first ones of the file.
    ResumedElsewhere {
        /// The migration.
        migration: &'static Migration,
        /// How many statements were done.
        done: usize,
    },
}

impl Divergence {
    /// The kind, for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Divergence::Changed { .. } => "changed",
            Divergence::Unknown { .. } => "unknown",
            Divergence::Ahead { .. } => "ahead",
            Divergence::NotRecorded { .. } => "not_recorded",
            Divergence::HalfDoneElsewhere { .. } => "half_done_elsewhere",
            Divergence::OutOfOrder { .. } => "out_of_order",
            Divergence::HalfDone { .. } => "half_done",
            Divergence::ResumedElsewhere { .. } => "resumed_elsewhere",
        }
    }

    /// The version, as it was recorded where it is in the history.
    pub fn version(&self) -> &str {
        match self {
            Divergence::Changed { recorded_version: version, .. }
            | Divergence::Unknown { version, .. }
            | Divergence::NotRecorded { version, .. }
            | Divergence::HalfDoneElsewhere { version, .. }
            | Divergence::Ahead { version, .. } => version,
            Divergence::OutOfOrder { migration, .. }
            | Divergence::HalfDone { migration, .. }
            | Divergence::ResumedElsewhere { migration, .. } => &migration.version,
        }
    }

    /// The divergence as a sentence, and the way out.
    pub fn describe(&self) -> (String, String) {
        match self {
            Divergence::Changed { migration, recorded_version, .. } if *recorded_version != migration.version => (
                format!(
                    "`{}`: the history has version `{recorded_version}`, the file has `{}`",
                    migration.file, migration.version
                ),
                format!("rename the file so that its version is `{recorded_version}` again"),
            ),
            Divergence::Changed { migration, recorded_name: Some(name), newest, .. } if *name != migration.name => (
                format!("version {} is applied as `{name}`, but `{}` has the same number", migration.version, migration.file),
                format!("give `{}` the next number, above {newest}", migration.name),
            ),
            Divergence::Changed { migration, recorded_checksum, release, .. } => (
                format!(
                    "`{}`: version {} was applied{} with checksum {}, but this binary has {}",
                    migration.file,
                    migration.version,
                    release.as_deref().map(|release| format!(" by release {release}")).unwrap_or_default(),
                    recorded_checksum.as_deref().unwrap_or("none"),
                    migration.checksum,
                ),
                "applied migrations are immutable: restore the file (`git log -p` shows the change) and put the change into a new migration".to_owned(),
            ),
            Divergence::Unknown { version, name } => (
                format!(
                    "version {version}{} is applied, but missing from this binary, which has newer ones",
                    name.as_deref().map(|name| format!(" ({name})")).unwrap_or_default()
                ),
                "the file was deleted, or applied from another branch: restore it, or roll it back with a binary that has it".to_owned(),
            ),
            Divergence::Ahead { version } => (
                format!("version {version} is applied, but newer than every version in this binary"),
                "run the newer release's migrator, or set `ahead = \"warn\"` under [check] in db/migrator.toml".to_owned(),
            ),
            Divergence::NotRecorded { version, release, why } => (
                format!("version {version} is newer than every version in this binary, and {}", unrecorded(*why)),
                match (why, release) {
                    (Unrecorded::NoDown, _) => "write a new migration that undoes it, and ship that with the newer release".to_owned(),
                    (_, Some(release)) => format!("roll it back with the migrator of release {release}"),
                    (_, None) => "roll it back with the migrator of the newer release".to_owned(),
                },
            ),
            Divergence::HalfDoneElsewhere { version, direction: Direction::Down } => (
                format!("version {version}: its `down` is half-done, and this binary does not have it"),
                "run `down` to finish it first".to_owned(),
            ),
            Divergence::HalfDoneElsewhere { version, direction: Direction::Up } => (
                format!("version {version}: its `up` is half-done, and this binary does not have it"),
                "finish it with the migrator of the release that has it: `up` goes on where it stopped".to_owned(),
            ),
            Divergence::OutOfOrder { migration, newest } => (
                format!("`{}`: version {} is pending, but the newer {newest} is applied", migration.file, migration.version),
                format!("give it a version above {newest}, or, if its order does not matter, run `up --allow-out-of-order`"),
            ),
            Divergence::HalfDone { migration, direction } => (
                format!("`{}`: its `{}` is half-done", migration.file, direction.word()),
                format!("run `{}` to finish it first", direction.word()),
            ),
            Divergence::ResumedElsewhere { migration, done } => (
                format!(
                    "`{}`: {done} done, but this half-done block begins differently in this binary",
                    migration.file,
                    done = statements(*done),
                ),
                "restore what has run; you may edit only the statements that have not".to_owned(),
            ),
        }
    }
}

fn unrecorded(why: Unrecorded) -> &'static str {
    match why {
        Unrecorded::Nothing => "the history holds no down block of it",
        Unrecorded::NoDown => "it has no down block",
        Unrecorded::OtherForm => "its recorded down block has a form that this release does not read",
        Unrecorded::OtherContent => "the recorded down block belongs to another content than the one that is applied",
    }
}

/// `1 statement is`, `2 statements are`.
fn statements(count: usize) -> String {
    if count == 1 { "1 statement is".to_owned() } else { format!("{count} statements are") }
}

/// Everything in the survey that forbids going in `direction`; `None`: in either.
pub(super) fn find(
    set: &'static Embedded,
    survey: &Survey,
    direction: Option<Direction>,
    out_of_order: bool,
) -> Vec<Divergence> {
    let newest = survey.entries.iter().rfind(|entry| entry.applied.is_some() && entry.number.is_some());
    let newest = newest.map(|entry| entry.version.to_string()).unwrap_or_default();
    let mut found = Vec::new();
    for entry in &survey.entries {
        match (entry.state, entry.migration) {
            (State::Changed, Some(migration)) => {
                let row = entry.applied.clone().unwrap_or_default();
                found.push(Divergence::Changed {
                    migration,
                    recorded_version: row.version.into_owned(),
                    recorded_name: row.name,
                    newest: set.migrations.last().map_or("", |migration| &migration.version),
                    recorded_checksum: row.checksum.map(Cow::into_owned),
                    release: row.release,
                });
            }
            (State::Unknown, _) if entry.progress.is_some() => {
                let direction = entry.progress.as_ref().map_or(Direction::Up, |progress| progress.direction);
                found.push(Divergence::HalfDoneElsewhere { version: entry.version.to_string(), direction });
            }
            (State::Unknown, _) => found.push(Divergence::Unknown {
                version: entry.version.to_string(),
                name: entry.applied.as_ref().and_then(|row| row.name.clone()),
            }),
            (State::Ahead, _) if set.settings.refuse_ahead => {
                found.push(Divergence::Ahead { version: entry.version.to_string() });
            }
            (State::Ahead, _) if entry.progress.is_some() && direction == Some(Direction::Up) => {
                found.push(Divergence::HalfDoneElsewhere {
                    version: entry.version.to_string(),
                    direction: Direction::Down,
                });
            }
            (State::OutOfOrder, Some(migration)) if !out_of_order => {
                found.push(Divergence::OutOfOrder { migration, newest: newest.clone() });
            }
            (State::HalfDone, Some(migration)) => {
                let begun = entry.progress.as_ref().map(|progress| progress.direction);
                if let (Some(begun), Some(direction)) = (begun, direction)
                    && begun != direction
                {
                    found.push(Divergence::HalfDone { migration, direction: begun });
                }
            }
            _ => {}
        }
    }
    found
}

/// The same as an error, if there is anything.
pub(super) fn refuse(
    set: &'static Embedded,
    survey: &Survey,
    direction: Option<Direction>,
    out_of_order: bool,
) -> Result<(), Vec<Divergence>> {
    let found = find(set, survey, direction, out_of_order);
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Refuses what a newer release has applied and no recorded down block can roll back.
pub(super) fn refuse_unrecorded(chosen: &[&Entry], history: &History) -> Result<(), Vec<Divergence>> {
    let found: Vec<Divergence> = chosen
        .iter()
        .filter(|entry| entry.state == State::Ahead)
        .map(|entry| Divergence::NotRecorded {
            version: entry.version.to_string(),
            release: entry.applied.as_ref().and_then(|row| row.release.clone()),
            why: history.unrecorded.get(&*entry.version).copied().unwrap_or(Unrecorded::Nothing),
        })
        .collect();
    if found.is_empty() { Ok(()) } else { Err(found) }
}
