//! refinery as the planner: its `Runner` works on a driver that holds our history in memory and executes nothing.
//!
//! What it gives: order, target, and the refusal of changed, missing and out-of-order migrations come from a planner that many
//! projects use. What it costs: this adapter, and 43 of the engine's 162 crates (`url` with its tables of Unicode, `regex`, `time`,
//! `walkdir`), which read files and serve drivers that the engine does not have.
//!
//! The driver's futures are always ready, so planning stays a plain function call.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use refinery::{Migration, Runner};
use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};

use super::step::{Obstacle, Target};
use super::survey::{Entry, State, Survey};

/// The history, behind the traits of a database.
struct Memory(Vec<Migration>);

impl AsyncTransaction for Memory {
    type Error = Infallible;

    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, Infallible> {
        Ok(queries.count())
    }
}

impl AsyncQuery<Vec<Migration>> for Memory {
    async fn query<'a>(&'a mut self, _query: &'a str) -> Result<Vec<Migration>, Infallible> {
        Ok(self.0.clone())
    }
}

impl AsyncMigrate for Memory {}

/// How many versions are handed over at once: refinery compares each of them with all others.
const PORTION: usize = 256;

/// The versions to apply, ascending.
pub(super) fn pending(survey: &Survey, target: Target, out_of_order: bool) -> Result<Vec<&Entry>, Obstacle> {
    pending_in(PORTION, survey, target, out_of_order)
}

/// The same with portions of that size.
///
/// Of what is applied only the newest decides: that the rest is in this binary and unchanged, [`super::survey`] has found out. What one
/// portion lets pass counts as applied for the next one.
fn pending_in(portion: usize, survey: &Survey, target: Target, out_of_order: bool) -> Result<Vec<&Entry>, Obstacle> {
    // What only a newer release knows is left out: `divergence` has judged it already.
    let known = survey.entries.iter().filter(|entry| entry.number.is_some() && entry.migration.is_some());
    let mut newest = known.clone().rfind(|entry| entry.applied.is_some());
    let pending: Vec<&Entry> = known.filter(|entry| entry.applied.is_none()).collect();
    let mut ordered = Vec::new();
    for portion in pending.chunks(portion) {
        let numbers = decide(newest, portion, target, out_of_order)?;
        for number in &numbers {
            let at = portion.binary_search_by_key(&Some(*number), |entry| entry.number);
            let unknown = |_| Obstacle::Disagreement(format!("version {number} is pending and unknown"));
            ordered.push(portion[at.map_err(unknown)?]);
        }
        if numbers.len() < portion.len() {
            // The target is among them.
            break;
        }
        newest = newest.into_iter().chain(portion.last().copied()).max_by_key(|entry| entry.number);
    }
    Ok(ordered)
}

/// The numbers of what refinery applies of a portion, after what is applied already.
///
/// `V` names are refused below an applied version, `U` names are not: out-of-order files get the latter where that is allowed,
/// and so does a half-done migration, which may be finished whatever was applied after it.
fn decide(
    newest: Option<&Entry>,
    portion: &[&Entry],
    target: Target,
    out_of_order: bool,
) -> Result<Vec<i64>, Obstacle> {
    let disagree = |error: refinery::Error| Obstacle::Disagreement(error.to_string());
    let named = |prefix: char, entry: &Entry| {
        let checksum = entry.migration.map_or("", |migration| &*migration.checksum);
        Migration::unapplied(&format!("{prefix}{}__m", entry.number.unwrap_or_default()), checksum).map_err(disagree)
    };
    let mut known = Vec::new();
    let mut applied = Vec::new();
    if let Some(entry) = newest {
        known.push(named('V', entry)?);
        let mut row = named('V', entry)?;
        row.set_applied();
        applied.push(row);
    }
    for entry in portion {
        let goes_below = entry.state == State::HalfDone || (entry.state == State::OutOfOrder && out_of_order);
        known.push(named(if goes_below { 'U' } else { 'V' }, entry)?);
    }
    run(&known, applied, target)
}

/// Has refinery apply to a history in memory.
fn run(known: &[Migration], applied: Vec<Migration>, target: Target) -> Result<Vec<i64>, Obstacle> {
    let target = match target {
        Target::Version(version) => refinery::Target::Version(version),
        Target::Newest | Target::Steps(_) => refinery::Target::Latest,
    };
    let runner = Runner::new(known).set_target(target);
    let mut memory = Memory(applied);
    let report = now(runner.run_async(&mut memory))
        .ok_or_else(|| Obstacle::Disagreement("the planner waited for something".to_owned()))?
        .map_err(|error| Obstacle::Disagreement(error.to_string()))?;
    Ok(report.applied_migrations().iter().map(Migration::version).collect())
}

/// The result of a future that is ready at once.
fn now<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests;
