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
use super::message::{Queued, condition_after, of_step};
use super::transaction::{Answer, Durability, InFlight, drain, rollback, start};
use super::watch;
use crate::event::Event;
use crate::plan::Step;
use crate::sql::Condition;
use crate::store;

/// How many messages may be in flight: after a failure the server refuses each of them, one by one.
const MOST_MESSAGES: usize = 250;

/// How many bytes may be in flight, unless a single message is longer: this bounds the memory.
const MOST_BYTES: usize = 4 << 20;

/// After so many steps a commit is made durable, and with it those before it.
const DURABLE_EVERY: usize = 1000;

/// Runs the transactional steps from the first one that is not done to the next one that is not transactional.
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
    let end = first + steps[first..].iter().take_while(|step| step.is_transactional()).count().max(1);
    let creation = executor.known.get().creation.clone();
    let mut creation = match creation {
        Some(message) => Some(start(client, &message).await?),
        None => None,
    };
    let mut window = Window {
        executor,
        steps: &steps[..end],
        is_last: end == steps.len(),
        next: first,
        previous,
        queue: VecDeque::new(),
        bytes: 0,
        volatile: 0,
        index: Vec::new(),
    };
    window.fill().await?;
    if let Some(creation) = creation.as_mut() {
        window.created(creation).await?;
    }
    while let Some(Sent { in_flight, durability, .. }) = window.pop() {
        let index = done.steps.len();
        let step = &steps[index];
        let label = step.label();
        executor.tell(Event::Started { step: &label, number: index + 1, of: steps.len() });
        let begun = Instant::now();
        let mut watch = watch::Watch::new(executor, &label);
        let outcome = watch.announcing(in_flight.finish(), done).await;
        if let Err(failure) = outcome {
            window.give_up().await;
            return Err(watch.explain(failure));
        }
        done.add(step, begun.elapsed());
        if durability == Durability::AtOnce {
            done.announce(&*executor.migrator.observer);
        }
        window.fill().await?;
    }
    indexed(executor, std::mem::take(&mut window.index)).await;
    if done.is_unannounced() {
        // A cancellation came before the last one was sent, whose commit would have made all of them durable.
        store::flush(client).await.map_err(Failure::own)?;
    }
    Ok(())
}

/// Creates the log's index where that was left until the steps are done, and was not sent with the last of them.
pub(super) async fn create_index_if_due(executor: &Executor) {
    match send_index(executor).await {
        Ok(answers) => indexed(executor, answers).await,
        Err(failure) => executor.tell_of_index(&failure.summary()),
    }
}

/// Sends what creates the log's index, if that is due.
async fn send_index(executor: &Executor) -> Result<Vec<Answer>, Failure> {
    let mut answers = Vec::new();
    for message in executor.index_if_due().into_iter().flatten() {
        answers.push(start(&executor.connection.client, &message).await?);
    }
    Ok(answers)
}

/// Waits for the log's index.
async fn indexed(executor: &Executor, answers: Vec<Answer>) {
    for mut answer in answers {
        if let Err((error, _)) = drain(&mut answer).await {
            executor.tell_of_index(&Failure::own(error).summary());
            return rollback(&executor.connection.client).await;
        }
    }
}

/// The steps that are on their way.
struct Window<'a> {
    executor: &'a Executor,
    steps: &'a [Step],
    /// No step comes after these.
    is_last: bool,
    /// The step that is sent next.
    next: usize,
    /// What the step before it leaves.
    previous: Option<Condition>,
    queue: VecDeque<Sent>,
    /// How many bytes are in flight.
    bytes: usize,
    /// How many steps were sent since the last one whose commit is durable at once.
    volatile: usize,
    /// The answers to what creates the log's index, sent after the last step.
    index: Vec<Answer>,
}

/// A step that is on its way.
struct Sent {
    in_flight: InFlight,
    bytes: usize,
    durability: Durability,
}

impl Window<'_> {
    /// Sends as many of the next steps as fit.
    async fn fill(&mut self) -> Result<(), Failure> {
        let executor = self.executor;
        let most = if executor.one_by_one { 1 } else { MOST_MESSAGES };
        while self.queue.len() < most && !executor.migrator.cancellation.is_requested() {
            let Some(step) = self.steps.get(self.next) else {
                // After the last step, so that it takes no turn of its own.
                if self.is_last && !executor.one_by_one && self.index.is_empty() {
                    self.index = send_index(executor).await?;
                }
                return Ok(());
            };
            // One message alone may be longer than the window.
            if !self.queue.is_empty() && self.bytes + size(step) > MOST_BYTES {
                return Ok(());
            }
            let is_last = self.next + 1 == self.steps.len();
            let durability = if is_last || executor.one_by_one || self.volatile + 1 >= DURABLE_EVERY {
                Durability::AtOnce
            } else {
                Durability::WithTheNext
            };
            let Some(Queued { before, message }) =
                of_step(executor, &self.steps[self.next..], self.previous.as_ref(), durability)
            else {
                return Ok(());
            };
            executor.tell(Event::Sent { step: &step.label(), bytes: message.len() });
            let bytes = message.len();
            let in_flight = message.start(&executor.connection.client, &before).await?;
            self.queue.push_back(Sent { in_flight, bytes, durability });
            self.previous = Some(condition_after(step));
            self.volatile = if durability == Durability::AtOnce { 0 } else { self.volatile + 1 };
            self.bytes += bytes;
            self.next += 1;
        }
        Ok(())
    }

    fn pop(&mut self) -> Option<Sent> {
        let sent = self.queue.pop_front()?;
        self.bytes -= sent.bytes;
        Some(sent)
    }

    /// Waits for the history's tables, which were sent ahead of the first step.
    async fn created(&mut self, creation: &mut Answer) -> Result<(), Failure> {
        let Err((error, _)) = drain(creation).await else {
            self.executor.known.get().creation = None;
            return Ok(());
        };
        self.give_up().await;
        let failure = Failure::own(error);
        Err(Failure { in_short: !failure.lost, ..failure })
    }

    /// Reads the answers to what was sent after a failure, and leaves no transaction open: then the session can be used again.
    async fn give_up(&mut self) {
        while let Some(queued) = self.queue.pop_front() {
            let _ = queued.in_flight.finish().await;
        }
        for answer in &mut self.index {
            let _ = drain(answer).await;
        }
        self.executor.known.forget();
        rollback(&self.executor.connection.client).await;
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
