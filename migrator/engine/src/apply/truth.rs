//! What is true of a step after something went wrong: read from the database, never concluded from where the code was.
//!
//! Every sentence about what is applied, rolled back or half-done after a failure is made of this.

use super::{Executor, store};
use crate::embedded::Script;
use crate::history::{Direction, Event, History, Progress};
use crate::plan::Step;
use crate::units::{UnitKind, units};

/// How a step has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Truth {
    /// What it is there for is so: applied, or rolled back.
    Done {
        /// This run has not recorded it: another migrator has.
        by_another: bool,
    },
    /// Nothing of it is in the database.
    Untouched {
        /// It was applied at some time before.
        was_applied: bool,
    },
    /// A part of it is recorded.
    HalfDone {
        /// Which part.
        progress: Progress,
        /// All of its statements are; only its own row is missing.
        is_finished: bool,
    },
    /// It could not be read, for this reason.
    Unknown(String),
}

/// Asks the database, in the session of the run.
pub(super) async fn read(executor: &Executor, step: &Step) -> Truth {
    match store::look(&executor.connection, &executor.tables, store::LONGEST_WAIT).await {
        Ok((_, history)) => of(step, &history, &executor.run.id),
        Err(error) => Truth::Unknown(error.to_string()),
    }
}

/// What the history says of a step.
pub(super) fn of(step: &Step, history: &History, run_id: &str) -> Truth {
    let (migration, direction) = match step {
        Step::Migration { migration, direction, .. } => (*migration, *direction),
        Step::Repeatable(script) => return of_repeatable(script, history, run_id),
    };
    let by_another = !is_recorded(step, history, run_id);
    let has_row = history.applied.iter().any(|row| row.version == migration.version);
    if let Some(progress) = history.progress().remove(migration.version) {
        let recorded = |block| units(block).iter().filter(|unit| unit.kind != UnitKind::Session).count();
        let is_finished = migration.block(direction).is_some_and(|block| progress.done.len() == recorded(block));
        return Truth::HalfDone { progress, is_finished };
    }
    if has_row == (direction == Direction::Up) {
        return Truth::Done { by_another };
    }
    let was_applied = |event: &Event| {
        matches!(&*event.action, "up" | "stamp" | "adopt") && event.outcome == "done" && event.statement.is_none()
    };
    let of_it = |event: &&Event| event.version.as_deref() == Some(migration.version);
    Truth::Untouched { was_applied: history.events.iter().filter(of_it).any(was_applied) }
}

/// Its newest event tells: a run may apply it again, and every try of it is an event.
fn of_repeatable(script: &Script, history: &History, run_id: &str) -> Truth {
    let untouched = Truth::Untouched { was_applied: false };
    let is_its = |event: &Event| event.action == "repeatable" && event.name.as_deref() == Some(script.name);
    let Some(newest) = history.events.iter().rposition(is_its) else { return untouched };
    let event = &history.events[newest];
    if event.outcome != "done" || event.checksum.as_deref() != Some(script.checksum) {
        return untouched;
    }
    if event.run_id == run_id {
        return Truth::Done { by_another: false };
    }
    // Another one has done it after this run had begun: what was done before is why this run was to do it again.
    let ours = history.events.iter().rposition(|event| event.run_id == run_id);
    if ours.is_some_and(|ours| ours < newest) { Truth::Done { by_another: true } } else { untouched }
}

/// Whether this run's event says that the step is done.
pub(super) fn is_recorded(step: &Step, history: &History, run_id: &str) -> bool {
    let ours = |event: &&Event| event.run_id == run_id && event.outcome == "done" && event.statement.is_none();
    history.events.iter().filter(ours).any(|event| match step {
        Step::Migration { migration, direction, .. } => {
            event.action == direction.word() && event.version.as_deref() == Some(migration.version)
        }
        Step::Repeatable(script) => event.action == "repeatable" && event.name.as_deref() == Some(script.name),
    })
}

impl Truth {
    /// What is so: after the step's label. `applied`, `not applied`, `still applied`, `rolled back`, `half-done`.
    pub(super) fn word(&self, step: &Step) -> &'static str {
        let is_down = matches!(step, Step::Migration { direction: Direction::Down, .. });
        match (self, is_down) {
            (Truth::Done { .. }, false) => "applied",
            (Truth::Done { .. }, true) => "rolled back",
            (Truth::Untouched { .. }, false) => "not applied",
            (Truth::Untouched { .. }, true) => "still applied",
            (Truth::HalfDone { .. }, _) => "half-done",
            (Truth::Unknown(_), _) => "in doubt",
        }
    }
}
