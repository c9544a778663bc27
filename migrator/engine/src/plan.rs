//! From the embedded set and the history rows to what has to be done. Pure; the one planner of every command.
//!
//! [`survey`] classifies every version, so that all divergences are named at once; refinery (see `runner`) then
//! orders and targets what is pending, and verifies it against the newest that is applied. The cost grows with the number of versions.

mod basis;
mod divergence;
pub(crate) mod road;
mod runner;
mod shown;
mod step;
mod survey;

use std::collections::BTreeMap;

pub use basis::Basis;
pub(crate) use basis::differences;
pub use divergence::Divergence;
pub use road::{begun, through};
pub use step::{Obstacle, Plan, Step, Target};
pub use survey::{Entry, State, Survey, survey};

use crate::embedded::{Embedded, Migration};
use crate::history::{Direction, History, Progress};
use crate::units::{UnitKind, units};

/// Plans `up`.
///
/// # Errors
/// [`Obstacle`], if the history does not fit the binary.
pub fn up(set: &'static Embedded, history: &History, target: Target, out_of_order: bool) -> Result<Plan, Obstacle> {
    let survey = survey(set, history);
    if let Target::Version(version) = target
        && !set.migrations.iter().any(|migration| migration.number == version)
    {
        return Err(no_such_version(set, version));
    }
    divergence::refuse(set, &survey, Some(Direction::Up), out_of_order)?;
    let mut plan = Plan { ahead: survey.ahead(), ..Plan::default() };
    let attempts = history.attempts();
    for entry in runner::pending(&survey, target, out_of_order)? {
        let Some(migration) = entry.migration else { continue };
        if !migration.has_text() {
            return Err(Obstacle::NoText { migration, direction: Direction::Up });
        }
        plan.steps.push(step(migration, Direction::Up, &attempts, entry.progress.clone())?);
    }
    let newest = set.migrations.last().map_or(0, |migration| migration.number);
    let reaches_newest = !matches!(target, Target::Version(version) if version < newest);
    // The repeatables of an older release would undo what the newer one has set up.
    if reaches_newest && plan.ahead.is_empty() {
        // A migration may drop or replace what a repeatable has created: then no repeatable counts as up to date.
        match plan.steps.is_empty() {
            true => plan.steps.extend(survey.repeatables.iter().copied().map(Step::Repeatable)),
            false => plan.steps.extend(set.repeatables.iter().map(Step::Repeatable)),
        }
    }
    Ok(plan)
}

/// Plans `down`: descending over the applied versions.
///
/// # Errors
/// [`Obstacle`], if the history does not fit the binary or a migration has no down block.
pub fn down(set: &'static Embedded, history: &History, target: Target) -> Result<Plan, Obstacle> {
    let mut survey = survey(set, history);
    let is_refused = |entry: &Entry| entry.state == State::Ahead && set.settings.refuse_ahead;
    for entry in survey.entries.iter_mut().filter(|entry| entry.needs_recorded() && !is_refused(entry)) {
        // A migration is rolled back by the down block that was recorded with it.
        if let Some(recorded) = history.recorded.get(&*entry.version) {
            entry.migration = Some(recorded.migration);
            entry.state = if entry.progress.is_some() { State::HalfDone } else { State::Applied };
        }
    }
    divergence::refuse(set, &survey, Some(Direction::Down), true)?;
    let is_applied = |entry: &&Entry| matches!(entry.state, State::Applied | State::HalfDone | State::Ahead);
    let applied: Vec<&Entry> = survey.entries.iter().rev().filter(is_applied).collect();
    let count = match target {
        Target::Newest => 1,
        Target::Steps(count) => count,
        Target::Version(0) => applied.len(),
        Target::Version(version) => {
            let position = applied.iter().position(|entry| entry.number == Some(version));
            position.ok_or_else(|| no_such_version(set, version))?
        }
    };
    let chosen: Vec<&Entry> = applied.into_iter().take(count).collect();
    divergence::refuse_unrecorded(&chosen, history)?;
    let mut plan = Plan::default();
    let attempts = history.attempts();
    for entry in chosen {
        let Some(migration) = entry.migration else { continue };
        if migration.down.is_none() {
            return Err(match migration.has_text() {
                true => Obstacle::NoDownBlock(migration),
                false => Obstacle::NoText { migration, direction: Direction::Down },
            });
        }
        plan.steps.push(step(migration, Direction::Down, &attempts, entry.progress.clone())?);
    }
    Ok(plan)
}

/// Why a version is no target: nothing has it, or only a road that this database is not on.
fn no_such_version(set: &'static Embedded, version: i64) -> Obstacle {
    let squashed = set.squashed.iter().map(|squashed| &squashed.migration);
    match (squashed.into_iter().find(|migration| migration.number == version), set.migrations.first()) {
        (Some(migration), Some(baseline)) if baseline.number > version => Obstacle::Squashed { migration, baseline },
        _ => Obstacle::NoSuchVersion(version),
    }
}

/// A migration's step; what was done of a begun one must be an exact prefix of the file as it is now.
fn step(
    migration: &'static Migration,
    direction: Direction,
    attempts: &BTreeMap<&str, i32>,
    resume: Option<Progress>,
) -> Result<Step, Obstacle> {
    let attempt = match &resume {
        Some(progress) => progress.attempt,
        None => attempts.get(&*migration.version).map_or(1, |newest| newest + 1),
    };
    // None of it was done: it may be rewritten, also as one transaction.
    let untouched =
        |progress: &Progress| progress.done.is_empty() && progress.open.as_ref().is_none_or(|open| open.failed);
    let is_transaction = migration.block(direction).is_some_and(|block| block.options.transaction);
    if is_transaction && resume.as_ref().is_some_and(untouched) {
        return Ok(Step::Migration { migration, direction, resume: None, attempt: attempt + 1 });
    }
    if let (Some(progress), Some(block)) = (&resume, migration.block(direction)) {
        let recorded: Vec<_> = units(block).into_iter().filter(|unit| unit.kind != UnitKind::Session).collect();
        let prefix = recorded.len() >= progress.done.len()
            && recorded.iter().zip(&progress.done).all(|(unit, done)| unit.checksum == *done);
        if block.options.transaction || !prefix {
            let done = progress.done.len();
            return Err(Obstacle::Diverged(vec![Divergence::ResumedElsewhere { migration, done }]));
        }
        let next = recorded.get(progress.done.len());
        if let Some(open) = &progress.open {
            let same = next.is_some_and(|unit| unit.checksum == open.checksum);
            let kind = next.map(|unit| &unit.kind);
            let goes_on = same && matches!(kind, Some(UnitKind::Statement(s)) if s.kind.can_resume());
            if !open.failed && !goes_on {
                return Err(Obstacle::InDoubt { migration, statement: open.number });
            }
        }
    }
    Ok(Step::Migration { migration, direction, resume, attempt })
}

#[cfg(test)]
mod tests;
