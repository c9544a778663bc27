//! What is known of the session between two steps: whether it is as the reset has left it, and what it has prepared.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::history::Direction;
use crate::sql::SessionSettings;

/// What is known of the session.
#[derive(Default)]
pub(crate) struct Known(Mutex<State>);

#[derive(Default)]
pub(super) struct State {
    /// It is as the reset with these settings has left it.
    pub(super) clean: Option<SessionSettings>,
    /// It has prepared what the short form of a message in this direction calls.
    pub(super) prepared: Option<Direction>,
    /// The short form has failed in this run.
    pub(super) full: bool,
    /// How many names of prepared statements were used for blocks.
    pub(super) names: usize,
    /// The message that creates the history's tables, to be sent ahead of the first step.
    pub(super) creation: Option<String>,
    /// This run creates the history's tables, or has created them.
    pub(super) tables_are_new: bool,
    /// The log's index is to be created once the steps are done.
    pub(super) index_is_due: bool,
    /// That has failed: it takes a transaction of its own, with questions in between.
    creation_failed: bool,
}

impl Known {
    /// What is known.
    pub(super) fn get(&self) -> MutexGuard<'_, State> {
        // A panicking thread leaves the value valid.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is known any more.
    pub(crate) fn forget(&self) {
        let mut state = self.get();
        (state.clean, state.prepared) = (None, None);
    }

    /// A number that no prepared statement of this session has in its name yet.
    pub(super) fn next_name(&self) -> usize {
        let mut state = self.get();
        state.names += 1;
        state.names
    }

    /// Whether the history's tables have to be created now, before a step that cannot take that along, or after it has failed.
    pub(super) fn takes_creation(&self, with_the_step: bool) -> bool {
        let mut state = self.get();
        let is_due = state.creation.is_some() && (state.creation_failed || !with_the_step);
        if is_due {
            // Then it may be done around a table that was there, and it brings the index.
            (state.creation, state.tables_are_new, state.index_is_due) = (None, false, false);
        }
        is_due
    }

    /// From now on every message is sent in full; false: it was so already.
    pub(super) fn be_full(&self) -> bool {
        self.forget();
        !std::mem::replace(&mut self.get().full, true)
    }

    /// Takes note that the tables could not be created ahead of the first step, or that the short form of a step has failed; false:
    /// it was tried in every other way already.
    pub(super) fn try_otherwise(&self) -> bool {
        let mut state = self.get();
        let was_creation = state.creation.is_some() && !std::mem::replace(&mut state.creation_failed, true);
        drop(state);
        was_creation || self.be_full()
    }
}

impl State {
    /// Whether the session has to be reset for a step with these settings; `neutral`: it leaves the session as it is.
    pub(super) fn needs_reset(&mut self, settings: &SessionSettings, neutral: bool) -> bool {
        let is_clean = !self.full && self.clean.as_ref() == Some(settings);
        self.clean = neutral.then(|| settings.clone());
        if !(is_clean && neutral) {
            self.prepared = None;
        }
        !is_clean
    }
}
