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

use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use refinery_core::{Migration, Runner};

use super::step::{Obstacle, Target};
use super::survey::{State, Survey};

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

/// The numbers of the versions to apply, ascending.
///
/// `V` names are refused below an applied version, `U` names are not: out-of-order files get the latter where that is allowed,
/// and so does a half-done migration, which may be finished whatever was applied after it.
pub(super) fn pending(survey: &Survey, target: Target, out_of_order: bool) -> Result<Vec<i64>, Obstacle> {
    let disagree = |error: refinery_core::Error| Obstacle::Disagreement(error.to_string());
    let mut known = Vec::new();
    let mut applied = Vec::new();
    for entry in &survey.entries {
        // What only a newer release knows is left out: `divergence` has judged it already.
        let (Some(number), Some(migration)) = (entry.number, entry.migration) else { continue };
        let goes_below = entry.state == State::HalfDone || (entry.state == State::OutOfOrder && out_of_order);
        let prefix = if goes_below { 'U' } else { 'V' };
        let unapplied = Migration::unapplied(&format!("{prefix}{number}__m"), &migration.checksum).map_err(disagree)?;
        known.push(unapplied);
        if entry.applied.is_some() {
            let mut row = Migration::unapplied(&format!("V{number}__m"), &migration.checksum).map_err(disagree)?;
            row.set_applied();
            applied.push(row);
        }
    }
    let target = match target {
        Target::Version(version) => refinery_core::Target::Version(version),
        Target::Newest | Target::Steps(_) => refinery_core::Target::Latest,
    };
    let runner = Runner::new(&known).set_target(target);
    let mut memory = Memory(applied);
    let report = now(runner.run_async(&mut memory))
        .ok_or_else(|| Obstacle::Disagreement("the planner waited for something".to_owned()))?
        .map_err(disagree)?;
    Ok(report.applied_migrations().iter().map(Migration::version).collect())
}

/// The result of a future that is ready at once.
fn now<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
