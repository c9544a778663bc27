//! What a plan is made of, and why there is none.

use sha2::{Digest as _, Sha256};

use super::basis::Basis;
use super::divergence::Divergence;
use crate::embedded::{Migration, Script, Text};
use crate::history::{Direction, History, Progress};

/// How far `up` or `down` goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Up to the newest migration.
    Newest,
    /// Up to and including this version, or down to it, leaving it in place; 0 rolls back everything.
    Version(i64),
    /// This many migrations back.
    Steps(usize),
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Apply or roll back a migration.
    Migration {
        /// Which one.
        migration: &'static Migration,
        /// Which way.
        direction: Direction,
        /// What has been done of it already, if it runs outside a transaction and was begun.
        resume: Option<Progress>,
        /// The number of this try, for the events of a migration outside a transaction.
        attempt: i32,
    },
    /// Apply a repeatable again.
    Repeatable(&'static Script),
}

impl Step {
    /// A migration upwards, for the first time and from its first statement.
    pub fn first_up(migration: &'static Migration) -> Step {
        Step::Migration { migration, direction: Direction::Up, resume: None, attempt: 1 }
    }

    /// The version, or a repeatable's name.
    pub fn version(&self) -> &'static str {
        match self {
            Step::Migration { migration, .. } => &migration.version,
            Step::Repeatable(script) => &script.name,
        }
    }

    /// Whether it is one transaction.
    pub fn is_transactional(&self) -> bool {
        match self {
            Step::Migration { migration, direction, .. } => {
                migration.block(*direction).is_some_and(|block| block.options.transaction)
            }
            Step::Repeatable(_) => true,
        }
    }

    /// Its statements that destroy data, as they are shown.
    pub fn destroys(&self) -> &'static [Text] {
        match self {
            Step::Migration { migration, direction, .. } => {
                migration.block(*direction).map_or(&[], |block| &*block.destroys)
            }
            Step::Repeatable(script) => &script.destroys,
        }
    }

    /// `003_add_x`, or a repeatable's name.
    pub fn label(&self) -> String {
        match self {
            Step::Migration { migration, .. } => migration.label(),
            Step::Repeatable(script) => script.name.to_string(),
        }
    }
}

/// What a command is going to do, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The steps in the order in which they run.
    pub steps: Vec<Step>,
    /// Versions that a newer release has applied; a warning, not an obstacle.
    pub ahead: Vec<String>,
    /// What it was made for; `None` for a plan that holds for any database.
    pub basis: Option<Basis>,
}

impl Plan {
    /// A plan of these steps.
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Plan {
        Plan { steps: steps.into_iter().collect(), ..Plan::default() }
    }

    /// The same for this history and its database alone.
    #[must_use]
    pub fn on(mut self, history: &History) -> Plan {
        self.basis = Some(Basis::of(history));
        self
    }

    /// SHA-256 in hexadecimal over the steps, and after dots what the plan was made for, if anything: two plans with one digest run
    /// the same SQL in the same order, on the same database with the same history.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for step in &self.steps {
            let line = match step {
                Step::Migration { migration, direction, resume, .. } => {
                    let done = resume.as_ref().map_or(0, |progress| progress.done.len());
                    let block = match direction {
                        Direction::Up => migration.checksum.to_string(),
                        // The checksum covers the up block only; a rollback runs the text of the down block.
                        Direction::Down => {
                            hex::encode(Sha256::digest(migration.down.as_ref().map_or("", |b| b.sql(&migration.text))))
                        }
                    };
                    format!("{} {} {block} {done}\n", direction.word(), migration.version)
                }
                Step::Repeatable(script) => format!("repeatable {} {}\n", script.name, script.checksum),
            };
            hash.update(line);
        }
        let steps = hex::encode(hash.finalize());
        self.basis.as_ref().map_or(steps.clone(), |basis| format!("{steps}.{basis}"))
    }
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// The history and the binary do not fit together: every place where they do not.
    Diverged(Vec<Divergence>),
    /// A statement was started, and its outcome is unknown.
    InDoubt {
        /// The migration.
        migration: &'static Migration,
        /// The statement's number, from 1.
        statement: i32,
    },
    /// The target is not a version of this binary, or not an applied one.
    NoSuchVersion(i64),
    /// The target is a version for which the first migration of this database stands.
    Squashed {
        /// The migration of that version.
        migration: &'static Migration,
        /// What stands for it.
        baseline: &'static Migration,
    },
    /// The file of a squashed migration is gone, and its SQL is needed.
    NoText {
        /// The migration.
        migration: &'static Migration,
        /// What it is needed for.
        direction: Direction,
    },
    /// A migration to roll back has no down block.
    NoDownBlock(&'static Migration),
    /// The planning library disagrees with the classification: a bug of ours, never acted upon.
    Disagreement(String),
}

impl From<Vec<Divergence>> for Obstacle {
    fn from(found: Vec<Divergence>) -> Obstacle {
        Obstacle::Diverged(found)
    }
}
