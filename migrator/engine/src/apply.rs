//! Carries a plan out: the only part that changes the database on a migration's behalf.
//!
//! Transactional steps are one message each, sent without waiting for one another ([`pipeline`]); a non-transactional
//! migration is run and recorded statement by statement ([`stepwise`]). When the session is lost, a new one looks what is
//! true ([`aftermath`]).

mod advice;
mod aftermath;
mod catalog;
pub(crate) mod failure;
mod healing;
mod message;
mod pipeline;
mod stepwise;
mod transaction;
mod truth;
mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::connect::{Connection, NoticeSink};
use crate::conninfo::ConnectionTarget;
use crate::embedded::{Block, Script, Settings};
use crate::error::{Error, Exit};
use crate::history::Direction;
use crate::interrupt::Interrupt;
use crate::output::{self, Progress};
use crate::plan::{Plan, Step};
use crate::sql::{Condition, NewEvent, Run, SessionSettings, Tables, insert_event};
use crate::store;
use failure::Failure;
use transaction::Durability;
#[cfg(feature = "dev")]
pub(crate) use transaction::{Body, run_alone};

/// Everything that a run needs: a session that holds the lock, and what to write into the history.
pub(crate) struct Executor {
    /// The session.
    pub(crate) connection: Connection,
    /// A second session: it sees who blocks the first, and makes its commits durable while it is busy.
    pub(crate) monitor: Connection,
    /// Where both go, to look what is true when they are gone.
    pub(crate) target: ConnectionTarget,
    /// Where the notices go.
    pub(crate) notices: NoticeSink,
    /// Where the history is.
    pub(crate) tables: Tables,
    /// Who runs.
    pub(crate) run: Run,
    /// The compiled settings.
    pub(crate) settings: &'static Settings,
    /// What the watcher sees.
    pub(crate) progress: Arc<Progress>,
    /// Whether somebody wants us to stop.
    pub(crate) interrupt: Arc<Interrupt>,
    /// True: one message at a time, each commit durable before the next is sent.
    pub(crate) one_by_one: bool,
}

impl Executor {
    /// The session's settings for a block, or for statements of our own.
    pub(crate) fn session(&self, block: Option<&Block>) -> SessionSettings {
        let server = &self.connection.server;
        // What the migration says wins over what the connection says, that over the settings of the directory.
        let limit = |name: &str, own: Option<u64>, of_settings: u64| match own {
            None if server.limits.is_explicit(name) => None,
            own => Some(own.unwrap_or(of_settings)),
        };
        let Settings { lock_timeout_ms, statement_timeout_ms, .. } = *self.settings;
        SessionSettings {
            lock_timeout_ms: limit("lock_timeout", block.and_then(|block| block.lock_timeout_ms), lock_timeout_ms),
            statement_timeout_ms: limit(
                "statement_timeout",
                block.and_then(|block| block.statement_timeout_ms),
                statement_timeout_ms,
            ),
            server_version: server.version_number,
            limits: Arc::clone(&server.limits),
        }
    }
}

impl Executor {
    /// Writes an event in a transaction of its own.
    ///
    /// # Errors
    /// The server's refusal, a lost connection.
    pub(crate) async fn record(&self, event: &NewEvent<'_>) -> Result<(), tokio_postgres::Error> {
        self.write(&insert_event(&self.tables, &self.run, event)).await
    }

    /// Runs statements of ours in one transaction, after the fence, in a clean session.
    ///
    /// # Errors
    /// The server's refusal, a lost connection; the session is never left inside a transaction.
    pub(crate) async fn write(&self, statements: &str) -> Result<(), tokio_postgres::Error> {
        store::write(&self.connection, &self.tables, &self.run, &self.session(None), statements).await
    }
}

/// How far a run has got.
#[derive(Default)]
struct Done {
    /// The steps whose commit the server has answered, in order.
    labels: Vec<String>,
    /// What is to be said of them once they are durable.
    unannounced: Vec<String>,
}

impl Done {
    fn add(&mut self, step: &Step, time: Duration) {
        let (label, time) = (step.label(), output::duration(time));
        self.unannounced.push(match step {
            Step::Migration { direction: Direction::Up, .. } => format!("applied {label} ({time})"),
            Step::Migration { direction: Direction::Down, .. } => format!("rolled back {label} ({time})"),
            Step::Repeatable(_) => format!("applied repeatable {label} ({time})"),
        });
        self.labels.push(label);
    }

    /// Forgets the steps behind the first `count`: the server had answered their commits, but was to write them to the
    /// disk with a later one, and has crashed before.
    fn keep(&mut self, count: usize) {
        let lost = self.labels.len().saturating_sub(count);
        self.labels.truncate(count);
        self.unannounced.truncate(self.unannounced.len().saturating_sub(lost));
    }

    /// Says what is durable now.
    fn announce(&mut self, progress: &Progress) {
        for line in self.unannounced.drain(..) {
            progress.result(&line);
        }
    }
}

/// Runs the steps of a plan and reports each on stdout once it is durable; returns how many of them, from the first on, this
/// run has done. The others, if any are left, another migrator has.
///
/// # Errors
/// The first step that fails, with its place in the file, what was applied before it and what was not run.
pub(crate) async fn apply(executor: &Executor, plan: &Plan) -> Result<usize, Error> {
    let steps = &plan.steps;
    let mut done = Done::default();
    let mut patience = Patience::new(executor);
    while done.labels.len() < steps.len() {
        let next = done.labels.len();
        if executor.interrupt.signal().is_some() {
            return Err(failure::stopped(executor, &done.labels, &labels(&steps[next..])));
        }
        let previous = next.checked_sub(1).map(|last| message::condition_behind(&steps[last]));
        let outcome = run_some(executor, steps, &mut done, previous).await;
        executor.progress.end();
        let at = done.labels.len();
        let Err(failure) = outcome else {
            done.announce(&executor.progress);
            continue;
        };
        if at > next {
            patience = Patience::new(executor);
        }
        if failure.lost && executor.interrupt.signal().is_none() {
            aftermath::look(executor, steps, &mut done, failure).await?;
            return Ok(done.labels.len());
        }
        // A non-transactional step has tried again itself: what it has done must not be done twice.
        let again = pipeline::is_transactional(&steps[at]) && failure.is_contention();
        if again && store::flush(&executor.connection.client).await.is_ok() {
            done.announce(&executor.progress);
        }
        if again && pause(executor, &steps[at].label(), &failure, &mut patience).await {
            continue;
        }
        return Err(failure::report(executor, &steps[at], failure, &mut done, &labels(&steps[at + 1..])).await);
    }
    Ok(steps.len())
}

/// Runs the next step, or as many as can be sent together.
async fn run_some(
    executor: &Executor,
    steps: &[Step],
    done: &mut Done,
    previous: Option<Condition>,
) -> Result<(), Failure> {
    let next = done.labels.len();
    if let Step::Migration { migration, direction, resume, attempt } = &steps[next]
        && let Some(block) = migration.block(*direction)
        && !block.transaction
    {
        executor.progress.begin(&steps[next].label(), next + 1, steps.len());
        let begun = Instant::now();
        let block = stepwise::Run { executor, migration, direction: *direction, attempt: *attempt, block };
        block.run(resume.as_ref()).await?;
        done.add(&steps[next], begun.elapsed());
        return Ok(());
    }
    pipeline::run(executor, steps, done, previous).await
}

fn labels(steps: &[Step]) -> Vec<String> {
    steps.iter().map(Step::label).collect()
}

/// Runs a seed in one transaction, with its event.
///
/// # Errors
/// What the server refused, a lost connection, a signal.
pub(crate) async fn seed(executor: &Executor, script: &'static Script) -> Result<(), Error> {
    executor.progress.begin(script.name, 1, 1);
    let outcome = patiently(executor, script.name, async || {
        let (message, session) = message::of_script(executor, script, "seed", None, Durability::AtOnce);
        let client = &executor.connection.client;
        watch::while_running(executor, script.name, message.send(client, session)).await
    })
    .await;
    executor.progress.end();
    let Err(failure) = outcome else { return Ok(()) };
    if failure.lost {
        return aftermath::look_for_seed(executor, script, failure).await;
    }
    let error = failure::describe(&format!("seed {}", script.name), Direction::Up, &failure, None);
    Err(match error.exit() {
        Exit::Failed => error.help("correct the file, build, and run `seed` again: nothing of it is in the database"),
        _ => error,
    })
}

/// Does something again while somebody else holds the locks that it needs; it must leave nothing behind when it fails.
async fn patiently(
    executor: &Executor,
    label: &str,
    mut work: impl AsyncFnMut() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut patience = Patience::new(executor);
    loop {
        let Err(failure) = work().await else { return Ok(()) };
        if !pause(executor, label, &failure, &mut patience).await {
            return Err(failure);
        }
    }
}

/// Says who was in the way and waits; false: another try would not help, or there has been patience enough.
async fn pause(executor: &Executor, label: &str, failure: &Failure, patience: &mut Patience) -> bool {
    if !failure.is_contention() || executor.interrupt.signal().is_some() {
        return false;
    }
    let Some(pause) = patience.next() else { return false };
    executor.progress.say(&format!("{label}: {}; trying again in {}", failure.summary(), output::duration(pause)));
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = executor.interrupt.raised() => {}
    }
    true
}

/// How long to go on trying while the server cannot give the locks: no queue is built up in front of production traffic.
struct Patience {
    until: Instant,
    pause: Duration,
}

impl Patience {
    fn new(executor: &Executor) -> Patience {
        let until = Instant::now() + Duration::from_millis(executor.settings.retry_for_ms);
        Patience { until, pause: Duration::from_millis(500) }
    }

    /// The pause before the next try, growing; `None`: no more tries.
    fn next(&mut self) -> Option<Duration> {
        // A third more or less: two who block each other must not come back at the same moment again and again.
        let jitter = std::process::id() % 67 + 67;
        let pause = self.pause * jitter / 100;
        self.pause = (self.pause * 2).min(Duration::from_secs(30));
        (Instant::now() + pause < self.until).then_some(pause)
    }
}
