//! Cancellation: the server cancels the running statement and rolls its transaction back, and the operation reports what is true.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::tls::Canceller;

/// Stops the operations of the [`Migrator`](crate::Migrator) that it was given to. Clones share one state.
#[derive(Clone, Default)]
pub struct Cancellation(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Why; `None`: nothing is to stop.
    reason: Mutex<Option<String>>,
    notify: tokio::sync::Notify,
    /// One for each session with something to cancel and to report, by its process on the server.
    running: Mutex<Vec<(i32, Canceller)>>,
    /// There is something to clean up, whether anything runs or not.
    kept: AtomicBool,
}

/// How often a cancellation is sent: between two statements it finds nothing.
pub(crate) const EVERY: Duration = Duration::from_millis(250);

impl Cancellation {
    /// A cancellation that nothing has requested yet.
    pub fn new() -> Cancellation {
        Cancellation::default()
    }

    /// Requests it, and cancels whatever runs on the server until every operation has ended. `reason` is for messages: `SIGTERM`.
    pub async fn cancel(&self, reason: &str) {
        self.request(reason);
        while !lock(&self.0.running).is_empty() {
            self.send().await;
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Whether it has been requested.
    pub fn is_requested(&self) -> bool {
        lock(&self.0.reason).is_some()
    }

    /// Why, for messages.
    pub fn reason(&self) -> String {
        lock(&self.0.reason).clone().unwrap_or_else(|| "a signal".to_owned())
    }

    /// Requests it; whatever runs on the server continues.
    pub(crate) fn request(&self, reason: &str) {
        lock(&self.0.reason).get_or_insert_with(|| reason.to_owned());
        self.0.notify.notify_waiters();
    }

    /// Cancels on the server what runs at this moment.
    pub(crate) async fn send(&self) {
        let running: Vec<Canceller> = lock(&self.0.running).iter().map(|(_, token)| token.clone()).collect();
        for token in running {
            token.cancel().await;
        }
    }

    /// Whether an operation has something to cancel, to report or to clean up.
    pub(crate) fn is_armed(&self) -> bool {
        !lock(&self.0.running).is_empty() || self.0.kept.load(Ordering::Relaxed)
    }

    /// Returns once it has been requested.
    pub(crate) async fn requested(&self) {
        loop {
            // Made before the question: a request in between is not missed.
            let notified = self.0.notify.notified();
            if self.is_requested() {
                return;
            }
            notified.await;
        }
    }

    /// From now on there is something to cancel in this session, until the guard is dropped.
    pub(crate) fn arm(&self, session: i32, token: Canceller) -> Armed {
        lock(&self.0.running).push((session, token));
        Armed { cancellation: self.clone(), session }
    }

    /// From now on there is something to clean up, even if nothing runs: the work itself checks for a request.
    pub fn keep(&self) {
        self.0.kept.store(true, Ordering::Relaxed);
    }
}

/// A session in which there is something to cancel.
pub(crate) struct Armed {
    cancellation: Cancellation,
    session: i32,
}

impl Drop for Armed {
    fn drop(&mut self) {
        lock(&self.cancellation.0.running).retain(|(session, _)| *session != self.session);
    }
}

/// A panicking thread leaves the value valid.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
