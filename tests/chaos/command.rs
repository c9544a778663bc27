//! What is asked of the migrator, in which database, and when it is done.

use crate::facts::Facts;
use crate::scenario::{MIGRATIONS, OF_OLDER, SEED, Way};

/// The statement about which a person has to decide where a run was lost.
pub(crate) const IN_DOUBT: (&str, &str) = ("006", "10");

/// A command that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Up,
    /// Back to nothing.
    Down,
    /// Of what only a newer release has, with the binary of the older one.
    DownOfNewer,
    Seed,
    /// Of everything.
    Stamp,
    /// Of everything, from another tool.
    Adopt,
    /// Of the statement that is in doubt, with this decision.
    Resolve(&'static str),
}

impl Command {
    pub(crate) fn arguments(self) -> Vec<&'static str> {
        match self {
            Command::Up => vec!["up"],
            Command::Down => vec!["down", "--to", "0", "--yes"],
            Command::DownOfNewer => vec!["down", "--to", MIGRATIONS[OF_OLDER - 1].version, "--yes"],
            Command::Seed => vec!["seed", SEED],
            Command::Stamp => vec!["stamp", "--all"],
            Command::Adopt => vec!["adopt", "goose"],
            Command::Resolve(decision) => vec!["resolve", IN_DOUBT.0, "--statement", IN_DOUBT.1, decision],
        }
    }

    /// Which way it takes migrations.
    pub(crate) fn way(self) -> Way {
        if matches!(self, Command::Down | Command::DownOfNewer) { Way::Down } else { Way::Up }
    }

    /// How many of the migrations its binary has.
    pub(crate) fn known(self) -> usize {
        if self == Command::DownOfNewer { OF_OLDER } else { MIGRATIONS.len() }
    }

    /// The one that undoes it.
    pub(crate) fn opposite(self) -> Command {
        match self.way() {
            Way::Up => Command::Down,
            Way::Down => Command::Up,
        }
    }

    /// Whether it has been done in the database that was so `before`.
    pub(crate) fn is_done(self, before: &Facts, facts: &Facts) -> bool {
        match self {
            Command::Up => facts.is_complete(),
            Command::Down => facts.has_rows(0),
            Command::DownOfNewer => facts.has_rows(OF_OLDER),
            Command::Seed => facts.seed_events().len() > before.seed_events().len(),
            Command::Stamp | Command::Adopt => facts.has_rows(MIGRATIONS.len()),
            Command::Resolve(_) => facts.decisions().len() > before.decisions().len(),
        }
    }
}

/// A command in a database: what the points of the sweep are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// In an empty database.
    Up,
    /// An earlier run was lost when it had built its last index: its end is not recorded.
    UpAtBuiltIndex,
    /// The same, and the index is invalid.
    UpAtInvalidIndex,
    /// Of everything.
    Down,
    /// An earlier run was lost when it had built the index again that the migration had dropped.
    DownAtBuiltIndex,
    /// Of what only a newer release has, where that has applied everything.
    DownOfNewer,
    /// Where everything is applied.
    Seed,
    /// In an empty database.
    Stamp,
    /// Where another tool has recorded everything.
    Adopt,
    /// An earlier run was lost when it had done a statement that only a person can look up.
    ResolveApplied,
    /// The same before it was done.
    ResolveRetry,
}

impl Task {
    pub(crate) const ALL: [Task; 11] = [
        Task::Up,
        Task::UpAtBuiltIndex,
        Task::UpAtInvalidIndex,
        Task::Down,
        Task::DownAtBuiltIndex,
        Task::DownOfNewer,
        Task::Seed,
        Task::Stamp,
        Task::Adopt,
        Task::ResolveApplied,
        Task::ResolveRetry,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Task::Up => "up",
            Task::UpAtBuiltIndex => "up at a built index",
            Task::UpAtInvalidIndex => "up at an invalid index",
            Task::Down => "down",
            Task::DownAtBuiltIndex => "down at a built index",
            Task::DownOfNewer => "down of a newer release",
            Task::Seed => "seed",
            Task::Stamp => "stamp",
            Task::Adopt => "adopt",
            Task::ResolveApplied => "resolve --applied",
            Task::ResolveRetry => "resolve --retry",
        }
    }

    pub(crate) fn command(self) -> Command {
        match self {
            Task::Up | Task::UpAtBuiltIndex | Task::UpAtInvalidIndex => Command::Up,
            Task::Down | Task::DownAtBuiltIndex => Command::Down,
            Task::DownOfNewer => Command::DownOfNewer,
            Task::Seed => Command::Seed,
            Task::Stamp => Command::Stamp,
            Task::Adopt => Command::Adopt,
            Task::ResolveApplied => Command::Resolve("--applied"),
            Task::ResolveRetry => Command::Resolve("--retry"),
        }
    }
}

/// The version of a migration's label, as `003_rows`.
pub(crate) fn version_of(label: &str) -> Option<&'static str> {
    MIGRATIONS.iter().find(|migration| migration.label() == label).map(|migration| migration.version)
}
