//! What is true of a step after something went wrong: read from the database, never concluded from where the code was.
//!
//! Every sentence about what is applied, rolled back or half-done after a failure is made of this.

use super::executor::Executor;
use crate::account::{Failed, State};
use crate::embedded::Script;
use crate::history::{Direction, Event, History, Progress};
use crate::plan::Step;
use crate::store::{self, Extent};
use crate::units::{UnitKind, units};

/// How a step has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Truth {
    /// It has reached its goal: applied, or rolled back.
    Done {
        /// This run has not recorded it: another migrator has.
        by_another: bool,
    },
    /// None of it is in the database.
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

/// Reads the truth from the database, in the session of the run.
pub(super) async fn read(executor: &Executor, step: &Step) -> Truth {
    match store::look(&executor.connection, &executor.tables, Extent::Whole, store::LONGEST_WAIT).await {
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
    if let Some(progress) = history.progress().remove(&*migration.version) {
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
    let of_it = |event: &&Event| event.version.as_deref() == Some(&*migration.version);
    Truth::Untouched { was_applied: history.events.iter().filter(of_it).any(was_applied) }
}

/// By the rule that plans it: what is due no more has been done. A try that failed is newer than what was done before.
fn of_repeatable(script: &Script, history: &History, run_id: &str) -> Truth {
    let is_its = |event: &&Event| event.action == "repeatable" && event.name.as_deref() == Some(&*script.name);
    match history.events.iter().rev().find(is_its) {
        Some(newest) if newest.outcome == "done" && !history.is_due(script) => {
            Truth::Done { by_another: newest.run_id != run_id }
        }
        _ => Truth::Untouched { was_applied: false },
    }
}

/// What the history says of steps that follow one another: before the migrations ahead of it are done, a repeatable may be due no
/// more than it was, and has yet to be applied again.
pub(super) fn of_all<'s>(steps: &'s [Step], history: &History, run_id: &str) -> Vec<(&'s Step, Truth)> {
    let mut all_done = true;
    let truth = |step: &'s Step| {
        let truth = match step {
            Step::Repeatable(_) if !all_done => Truth::Untouched { was_applied: false },
            step => of(step, history, run_id),
        };
        all_done &= matches!((step, &truth), (Step::Repeatable(_), _) | (_, Truth::Done { .. }));
        (step, truth)
    };
    steps.iter().map(truth).collect()
}

/// Whether this run's event says that the step is done.
pub(super) fn is_recorded(step: &Step, history: &History, run_id: &str) -> bool {
    let ours = |event: &&Event| event.run_id == run_id && event.outcome == "done" && event.statement.is_none();
    history.events.iter().filter(ours).any(|event| match step {
        Step::Migration { migration, direction, .. } => {
            event.action == direction.word() && event.version.as_deref() == Some(&*migration.version)
        }
        Step::Repeatable(script) => event.action == "repeatable" && event.name.as_deref() == Some(&*script.name),
    })
}

impl Truth {
    /// The state as a phrase after the step's label: `applied`, `not applied`, `still applied`, `rolled back`, `half-done`.
    pub(super) fn word(&self, step: &Step) -> &'static str {
        match self.state(step) {
            State::Applied => "applied",
            State::RolledBack => "rolled back",
            State::NotApplied => "not applied",
            State::StillApplied => "still applied",
            State::HalfDone => "half-done",
            State::InDoubt => "in doubt",
        }
    }

    /// The state of the step.
    pub(super) fn state(&self, step: &Step) -> State {
        let is_down = matches!(step, Step::Migration { direction: Direction::Down, .. });
        match (self, is_down) {
            (Truth::Done { .. }, false) => State::Applied,
            (Truth::Done { .. }, true) => State::RolledBack,
            (Truth::Untouched { .. }, false) => State::NotApplied,
            (Truth::Untouched { .. }, true) => State::StillApplied,
            (Truth::HalfDone { .. }, _) => State::HalfDone,
            (Truth::Unknown(_), _) => State::InDoubt,
        }
    }

    /// The step as an account has it.
    pub(super) fn failed(&self, step: &Step) -> Failed {
        let (label, state) = (step.label(), self.state(step));
        match step {
            Step::Migration { migration, direction, .. } => {
                Failed::migration(&migration.version, label, *direction, state)
            }
            Step::Repeatable(_) => Failed::script(label, Direction::Up, state),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use migrator_model::{Block, Migration, Options};

    use super::*;

    static VIEWS: Script = Script::new(
        Cow::Borrowed("views"),
        Cow::Borrowed("views.sql"),
        Cow::Borrowed(""),
        Cow::Borrowed("v2"),
        Cow::Borrowed(&[]),
    );

    fn event(run_id: &str, action: &str, name: &str, outcome: &str) -> Event {
        let [run_id, action, name, outcome] = [run_id, action, name, outcome].map(str::to_owned);
        Event { run_id, action, name: Some(name), outcome, checksum: Some("v2".to_owned()), ..Event::default() }
    }

    fn repeatable(events: Vec<Event>) -> &'static str {
        let history = History { events, ..History::default() };
        match of(&Step::Repeatable(&VIEWS), &history, "ours") {
            Truth::Done { by_another: true } => "another",
            Truth::Done { by_another: false } => "done",
            _ => "untouched",
        }
    }

    #[test]
    fn a_repeatable_is_done_where_no_plan_would_apply_it() {
        let up = |run: &str| event(run, "up", "011_x", "done");
        let views = |run: &str, outcome: &str| event(run, "repeatable", "views", outcome);
        assert_eq!(repeatable(vec![]), "untouched");
        assert_eq!(repeatable(vec![up("ours"), views("ours", "done")]), "done");
        // Also where this run has left no event of its own, as it was suspended from its first message on.
        assert_eq!(repeatable(vec![up("other"), views("other", "done")]), "another");
        // A repeatable that was applied before a migration has to be applied again.
        assert_eq!(repeatable(vec![views("other", "done"), up("ours")]), "untouched");
        assert_eq!(repeatable(vec![up("other"), views("other", "done"), views("ours", "failed")]), "untouched");
    }

    #[test]
    fn a_repeatable_behind_a_migration_that_is_not_applied_is_not_applied_again() {
        let up = Block::new(0..0, Options::new(), Cow::Borrowed(&[]));
        let [version, name, file, text, checksum] = ["011", "x", "011_x.sql", "", "x"].map(Cow::Borrowed);
        let migration = Box::leak(Box::new(Migration::new(version, 11, name, file, text, checksum, up)));
        let steps = [
            Step::Migration { migration, direction: Direction::Up, resume: None, attempt: 1 },
            Step::Repeatable(&VIEWS),
        ];
        let events = vec![event("other", "repeatable", "views", "done")];
        let history = History { events, ..History::default() };
        let truths = of_all(&steps, &history, "ours");
        assert!(truths.iter().all(|(_, truth)| matches!(truth, Truth::Untouched { .. })), "{truths:?}");
    }
}
