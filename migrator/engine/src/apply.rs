//! Carries a plan out: the only part that changes the database on a migration's behalf.
//!
//! One step after the other. A transactional migration and its history row are one message and one transaction
//! ([`transaction`]); a non-transactional one is run and recorded statement by statement ([`stepwise`]).

mod catalog;
pub(crate) mod failure;
mod stepwise;
pub(crate) mod transaction;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::connect::Connection;
use crate::embedded::{Block, Script, Settings};
use crate::error::Error;
use crate::history::Direction;
use crate::output::{self, Progress};
use crate::plan::{Plan, Step};
use crate::sql::{NewEvent, Recorded, Run, SessionSettings, Tables, fence, insert_event, insert_state};
use failure::Failure;
use transaction::{Body, Message};

/// Everything that a run needs: a session that holds the lock, and what to write into the history.
pub(crate) struct Executor {
    /// The session.
    pub connection: Connection,
    /// Where the history is.
    pub tables: Tables,
    /// Who runs.
    pub run: Run,
    /// The compiled settings.
    pub settings: &'static Settings,
    /// What the watcher sees.
    pub progress: Arc<Progress>,
}

impl Executor {
    /// The session's settings for a block, or for statements of our own.
    pub(crate) fn session(&self, block: Option<&Block>) -> SessionSettings {
        SessionSettings {
            lock_timeout_ms: block.and_then(|block| block.lock_timeout_ms).unwrap_or(self.settings.lock_timeout_ms),
            statement_timeout_ms: block
                .and_then(|block| block.statement_timeout_ms)
                .unwrap_or(self.settings.statement_timeout_ms),
            server_version: self.connection.server.version_number,
        }
    }
}

/// Runs the steps of a plan and reports each on stdout once it is durable.
///
/// # Errors
/// The first step that fails, with its place in the file, what was applied before it and what was not run.
pub(crate) async fn apply(executor: &Executor, plan: &Plan) -> Result<(), Error> {
    let mut done: Vec<String> = Vec::new();
    let mut previous: Option<(&str, Recorded)> = None;
    for (index, step) in plan.steps.iter().enumerate() {
        let label = step.label();
        executor.progress.begin(&label, index + 1, plan.steps.len());
        let begun = Instant::now();
        let outcome = retrying(executor, &label, || run_step(executor, step, previous)).await;
        executor.progress.end();
        if let Err(failure) = outcome {
            let rest: Vec<String> = plan.steps[index + 1..].iter().map(Step::label).collect();
            return Err(failure::report(executor, step, failure, &done, &rest).await);
        }
        let time = output::duration(begun.elapsed());
        executor.progress.result(&match step {
            Step::Migration { direction: Direction::Up, .. } => format!("applied {label} ({time})"),
            Step::Migration { direction: Direction::Down, .. } => format!("rolled back {label} ({time})"),
            Step::Repeatable(_) => format!("applied repeatable {label} ({time})"),
        });
        if let Step::Migration { migration, direction, .. } = step {
            let recorded = if *direction == Direction::Up { Recorded::Yes } else { Recorded::No };
            previous = Some((migration.version, recorded));
        }
        done.push(label);
    }
    Ok(())
}

async fn run_step(executor: &Executor, step: &Step, previous: Option<(&str, Recorded)>) -> Result<(), Failure> {
    match step {
        Step::Migration { migration, direction, .. } => {
            let Some(block) = migration.block(*direction) else { return Ok(()) };
            if !block.transaction {
                return stepwise::run(executor, step, block).await;
            }
            let event = NewEvent {
                action: direction.word(),
                version: Some(migration.version),
                name: Some(migration.name),
                checksum: Some(migration.checksum),
                outcome: "done",
                ..NewEvent::default()
            };
            let (before, state) = match direction {
                Direction::Up => (Recorded::No, insert_up(executor, migration, None)),
                Direction::Down => (Recorded::Yes, delete(executor, migration.version)),
            };
            let mut conditions = vec![(migration.version, before)];
            conditions.extend(previous);
            let body = Body {
                file: migration.file,
                text: migration.text,
                range: block.range.clone(),
                statements: block.statements,
            };
            let event = insert_event(&executor.tables, &executor.run, &event);
            let message = Message::new(fence(&executor.tables, &conditions), body, vec![state, event]);
            message.send(&executor.connection.client, executor.session(Some(block))).await
        }
        Step::Repeatable(script) => run_script(executor, script, "repeatable").await,
    }
}

/// Runs a repeatable or a seed in one transaction, with its event.
pub(crate) async fn run_script(executor: &Executor, script: &'static Script, action: &str) -> Result<(), Failure> {
    let event = NewEvent {
        action,
        name: Some(script.name),
        checksum: Some(script.checksum),
        outcome: "done",
        ..NewEvent::default()
    };
    let body =
        Body { file: script.file, text: script.text, range: 0..script.text.len(), statements: script.statements };
    let event = insert_event(&executor.tables, &executor.run, &event);
    let message = Message::new(fence(&executor.tables, &[]), body, vec![event]);
    message.send(&executor.connection.client, executor.session(None)).await
}

fn insert_up(executor: &Executor, migration: &crate::embedded::Migration, execution_ms: Option<u128>) -> String {
    let label = (migration.version, migration.name, migration.checksum);
    insert_state(&executor.tables, &executor.run, label, execution_ms)
}

fn delete(executor: &Executor, version: &str) -> String {
    format!("DELETE FROM {} WHERE version = {}", executor.tables.state, crate::sql::literal(version))
}

/// Tries again while the server could not give the locks in time: no queue is built up in front of production traffic.
pub(crate) async fn retrying<F>(executor: &Executor, label: &str, mut attempt: impl FnMut() -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let begun = Instant::now();
    let deadline = Duration::from_millis(executor.settings.retry_for_ms);
    let mut pause = Duration::from_millis(500);
    loop {
        let failure = match attempt().await {
            Err(failure) if failure.is_contention() && begun.elapsed() + pause < deadline => failure,
            outcome => return outcome,
        };
        executor.progress.say(&format!("{label}: {}; trying again in {}", failure.summary(), output::duration(pause)));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(30));
    }
}
