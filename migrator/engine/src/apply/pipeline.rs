//! Transactional steps, sent one after the other without waiting for the answers in between.
//!
//! The server stops the queue at the first failure: after an ordinary error the session is in a failed
//! transaction and refuses what follows; after an error that ends the transaction (the whole message could not be parsed,
//! a constraint failed at COMMIT) it is the fence, which demands that the step before has been recorded.

use std::collections::VecDeque;
use std::time::Instant;

use super::done::Done;
use super::executor::Executor;
use super::failure::Failure;
use super::message::{condition_after, of_migration, of_script};
use super::transaction::{Durability, InFlight, Message, rollback};
use super::watch;
use crate::event::Event;
use crate::plan::Step;
use crate::sql::{Condition, SessionSettings};

/// How many messages may be in flight: after a failure the server refuses each of them, one by one.
const MOST_MESSAGES: usize = 250;

/// How many bytes may be in flight, unless a single message is longer: this bounds the memory.
const MOST_BYTES: usize = 4 << 20;

/// Runs the transactional steps from the first one that is not done to the end of the window.
///
/// # Errors
/// The failure of the first step that failed; `done` holds those before it.
pub(super) async fn run(
    executor: &Executor,
    steps: &[Step],
    done: &mut Done,
    previous: Option<Condition>,
) -> Result<(), Failure> {
    let client = &executor.connection.client;
    let first = done.steps.len();
    let count = window(executor, &steps[first..]);
    let mut queue: VecDeque<InFlight> = VecDeque::with_capacity(count);
    let mut previous = previous;
    for (index, step) in steps[first..first + count].iter().enumerate() {
        let durability = if index + 1 == count { Durability::AtOnce } else { Durability::WithTheNext };
        let Some((message, session)) = message(executor, step, previous.as_ref(), durability) else { break };
        executor.tell(Event::Sent { step: &step.label(), bytes: message.len() });
        queue.push_back(message.start(client, session).await?);
        previous = Some(condition_after(step));
    }
    for (index, step) in steps[first..first + count].iter().enumerate() {
        let Some(in_flight) = queue.pop_front() else { break };
        let label = step.label();
        executor.tell(Event::Started { step: &label, number: first + index + 1, of: steps.len() });
        let begun = Instant::now();
        let mut watch = watch::Watch::new(executor, &label);
        let outcome = watch.announcing(in_flight.finish(), done).await;
        if let Err(failure) = outcome {
            // The answers to what was sent after it must be read before the session can be used again.
            while let Some(queued) = queue.pop_front() {
                let _ = queued.finish().await;
            }
            rollback(client).await;
            return Err(watch.explain(failure));
        }
        done.add(step, begun.elapsed());
    }
    Ok(())
}

/// How many steps are sent together: up to a non-transactional one, the window's end, or one.
fn window(executor: &Executor, steps: &[Step]) -> usize {
    let most = if executor.one_by_one { 1 } else { MOST_MESSAGES };
    let mut bytes = 0;
    let fits = |step: &&Step| {
        bytes += size(step);
        is_transactional(step) && bytes <= MOST_BYTES
    };
    // One message alone may be longer than the window.
    steps.iter().take(most).take_while(fits).count().max(1)
}

/// Whether a step is one transaction.
pub(super) fn is_transactional(step: &Step) -> bool {
    match step {
        Step::Migration { migration, direction, .. } => {
            migration.block(*direction).is_some_and(|block| block.options.transaction)
        }
        Step::Repeatable(_) => true,
    }
}

fn size(step: &Step) -> usize {
    match step {
        Step::Migration { migration, direction, .. } => {
            migration.block(*direction).map_or(0, |block| block.range.len())
        }
        Step::Repeatable(script) => script.text.len(),
    }
}

fn message(
    executor: &Executor,
    step: &Step,
    previous: Option<&Condition>,
    durability: Durability,
) -> Option<(Message, SessionSettings)> {
    match step {
        Step::Migration { migration, direction, .. } => {
            let block = migration.block(*direction)?;
            Some(of_migration(executor, migration, *direction, block, previous, durability))
        }
        Step::Repeatable(script) => Some(of_script(executor, script, "repeatable", previous, durability)),
    }
}
