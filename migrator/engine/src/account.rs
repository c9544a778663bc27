//! What is true after something went wrong, as data: the same that the sentences of an error say. Pure.

use serde_json::{Value, json};

use crate::embedded::Direction;

/// What is true of a run that has failed. Steps are named as everywhere: `003_add_x`, or a repeatable's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The step that failed.
    pub step: Option<Failed>,
    /// What this run has done before it, in order; all of it is durable.
    pub done: Vec<String>,
    /// What another migrator has done meanwhile.
    pub done_by_others: Vec<String>,
    /// What was to follow and has not been run.
    pub not_run: Vec<String>,
    /// What may be done or not.
    pub in_doubt: Vec<String>,
}

/// A step that failed, or was interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failed {
    /// `003_add_x`, or the name of a repeatable or a seed.
    pub name: String,
    /// The version, if it is a migration.
    pub version: Option<String>,
    /// Which way it was going.
    pub direction: Direction,
    /// The statement at which it failed, from 1, in a block that runs outside a transaction.
    pub statement: Option<usize>,
    /// What became of it.
    pub state: State,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It is applied: by this run, or by another one.
    Applied,
    /// It was to be applied, and nothing of it is.
    NotApplied,
    /// It is rolled back: by this run, or by another one.
    RolledBack,
    /// It was to be rolled back, and is applied as before.
    StillApplied,
    /// A part of its statements is recorded.
    HalfDone,
    /// No one knows: the server could not be asked.
    InDoubt,
}

impl State {
    /// As JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            State::Applied => "applied",
            State::NotApplied => "not_applied",
            State::RolledBack => "rolled_back",
            State::StillApplied => "still_applied",
            State::HalfDone => "half_done",
            State::InDoubt => "in_doubt",
        }
    }
}

impl Failed {
    /// A migration's step that has ended so.
    pub(crate) fn migration(version: &str, label: String, direction: Direction, state: State) -> Failed {
        Failed { version: Some(version.to_owned()), ..Failed::script(label, direction, state) }
    }

    /// A repeatable or a seed that has ended so.
    pub(crate) fn script(name: String, direction: Direction, state: State) -> Failed {
        Failed { name, version: None, direction, statement: None, state }
    }

    /// The same at a statement.
    #[must_use]
    pub(crate) fn at(self, statement: Option<usize>) -> Failed {
        Failed { statement, ..self }
    }
}

impl Account {
    /// As JSON has it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "state": self.step.as_ref().map(|step| step.state.name()),
            "done": self.done,
            "done_by_others": self.done_by_others,
            "not_run": self.not_run,
            "in_doubt": self.in_doubt,
        })
    }
}
