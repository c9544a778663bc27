//! The loop over a plan's steps.

use std::time::Instant;

use super::aftermath;
use super::done::Done;
use super::executor::Executor;
use super::failure::Failure;
use super::message;
use super::patience::{Patience, pause};
use super::pipeline;
use super::report;
use super::stepwise;
use crate::error::Error;
use crate::event::{Applied, Event};
use crate::plan::{Plan, Step};
use crate::sql::Condition;
use crate::store;

/// Runs the steps of a plan and announces each once it is durable; returns those, from the first on, that this run has done. The
/// others, if any are left, another migrator has.
///
/// # Errors
/// The first step that fails, with its place in the file, what was applied before it and what was not run.
pub(crate) async fn apply(executor: &Executor, plan: &Plan) -> Result<Vec<Applied>, Error> {
    let steps = &plan.steps;
    let mut done = Done::default();
    let mut patience = Patience::new(executor);
    executor.known.forget();
    while done.steps.len() < steps.len() {
        let next = done.steps.len();
        if executor.migrator.cancellation.is_requested() {
            return Err(report::stopped(executor, &done, &steps[next..]));
        }
        executor.create_unless_sent(&steps[next]).await?;
        let previous = next.checked_sub(1).map(|last| message::condition_after(&steps[last]));
        let outcome = run_some(executor, steps, &mut done, previous).await;
        executor.tell(Event::Ended);
        let at = done.steps.len();
        let Err(failure) = outcome else {
            done.announce(&*executor.migrator.observer);
            continue;
        };
        if at > next {
            patience = Patience::new(executor);
        }
        if failure.in_short && executor.known.try_otherwise() {
            continue;
        }
        if failure.lost && !executor.migrator.cancellation.is_requested() {
            aftermath::look(executor, steps, &mut done, failure).await?;
            return Ok(done.steps);
        }
        // A non-transactional step has retried by itself: what it has done must not be done twice.
        let again = steps[at].is_transactional() && failure.is_contention();
        if again && store::flush(&executor.connection.client).await.is_ok() {
            done.announce(&*executor.migrator.observer);
        }
        if again && pause(executor, &steps[at].label(), &failure, &mut patience).await {
            continue;
        }
        return Err(report::report(executor, &steps[at], failure, &mut done, &steps[at + 1..]).await);
    }
    pipeline::create_index_if_due(executor).await;
    Ok(done.steps)
}

/// Runs the next step, or as many as can be sent together.
async fn run_some(
    executor: &Executor,
    steps: &[Step],
    done: &mut Done,
    previous: Option<Condition>,
) -> Result<(), Failure> {
    let next = done.steps.len();
    if let Step::Migration { migration, direction, resume, attempt } = &steps[next]
        && let Some(block) = migration.block(*direction)
        && !block.options.transaction
    {
        executor.tell(Event::Started { step: &steps[next].label(), number: next + 1, of: steps.len() });
        let begun = Instant::now();
        executor.known.forget();
        let block = stepwise::Run { executor, migration, direction: *direction, attempt: *attempt, block };
        block.run(resume.as_ref()).await?;
        done.add(&steps[next], begun.elapsed());
        return Ok(());
    }
    pipeline::run(executor, steps, done, previous).await
}
