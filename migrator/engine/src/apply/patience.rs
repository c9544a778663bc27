//! Trying again while another session holds what is needed.

use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;

use super::executor::Executor;
use super::failure::Failure;
use crate::event::Event;

/// How long to retry while the server cannot grant the locks, without queueing up in front of production traffic.
pub(super) struct Patience {
    begun: Instant,
    limit: Duration,
    pause: Duration,
    attempt: u32,
}

impl Patience {
    pub(super) fn new(executor: &Executor) -> Patience {
        let limit = Duration::from_millis(executor.migrator.embedded.settings.retry_for_ms);
        Patience { begun: Instant::now(), limit, pause: Duration::from_millis(500), attempt: 1 }
    }

    /// The pause before the next try, growing; `None`: no more tries.
    fn next(&mut self) -> Option<Duration> {
        // A third more or less: two sessions that block each other must not retry at the same moment again and again.
        let jitter = std::process::id() % 67 + 67;
        let pause = self.pause * jitter / 100;
        self.pause = (self.pause * 2).min(Duration::from_secs(30));
        self.attempt += 1;
        (self.begun.elapsed() + pause < self.limit).then_some(pause)
    }
}

/// Retries something while another session holds the locks that it needs; it must leave nothing behind when it fails.
pub(super) async fn patiently(
    executor: &Executor,
    label: &str,
    mut patience: Patience,
    mut work: impl AsyncFnMut() -> Result<(), Failure>,
) -> Result<(), Failure> {
    loop {
        let Err(failure) = work().await else { return Ok(()) };
        if !pause(executor, label, &failure, &mut patience).await {
            return Err(failure);
        }
    }
}

/// Reports the blocking session and waits; false: another try would not help, or the time is over.
pub(super) async fn pause(executor: &Executor, label: &str, failure: &Failure, patience: &mut Patience) -> bool {
    if !failure.is_contention() || executor.migrator.cancellation.is_requested() {
        return false;
    }
    let Some(pause) = patience.next() else { return false };
    let (sqlstate, blocker) = (failure.code().map(SqlState::code), failure.blocker.as_ref());
    executor.tell(Event::Retrying {
        step: label,
        reason: &failure.summary(),
        pause,
        sqlstate,
        blocker,
        attempt: patience.attempt,
        waited: patience.begun.elapsed(),
        limit: patience.limit,
    });
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = executor.migrator.cancellation.requested() => {}
    }
    true
}
