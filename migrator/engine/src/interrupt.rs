//! SIGINT, SIGTERM and SIGHUP: the running statement is cancelled on the server, its transaction rolled back, and the truth told.
//! A second signal ends the process at once. What whoever started us wants ignored, as `nohup` does, stays ignored.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::task::Poll;
use std::time::Duration;

use crate::tls::Canceller;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A process-wide wish to stop.
#[derive(Default)]
pub(crate) struct Interrupt {
    signal: AtomicI32,
    notify: tokio::sync::Notify,
    /// One for each session in which there is something to cancel and to report, by its process on the server.
    cancel: Mutex<Vec<(i32, Canceller)>>,
    /// There is something to clean up, whether anything runs or not.
    kept: AtomicBool,
}

impl Interrupt {
    /// The signal that came, as a number; `None`: none has.
    pub(crate) fn signal(&self) -> Option<i32> {
        Some(self.signal.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
    }

    /// `SIGINT`, `SIGTERM` or `SIGHUP`.
    pub(crate) fn name(&self) -> &'static str {
        let known = KINDS.iter().find(|(kind, _)| self.signal() == Some(kind().as_raw_value()));
        known.map_or("a signal", |(_, name)| name)
    }

    /// Returns when a signal has come.
    pub(crate) async fn raised(&self) {
        while self.signal().is_none() {
            self.notify.notified().await;
        }
    }

    /// From now on a signal cancels what this session runs, instead of ending the process.
    pub(crate) fn arm(&self, session: i32, token: Canceller) {
        if let Ok(mut cancel) = self.cancel.lock() {
            cancel.push((session, token));
        }
    }

    /// Nothing is left to cancel in this session.
    pub(crate) fn disarm(&self, session: i32) {
        if let Ok(mut cancel) = self.cancel.lock() {
            cancel.retain(|(armed, _)| *armed != session);
        }
    }

    /// From now on a signal does not end the process, even if nothing runs at that moment: the work looks for it by itself, and cleans up.
    #[cfg(feature = "dev")]
    pub(crate) fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    fn tokens(&self) -> Vec<Canceller> {
        self.cancel.lock().map(|cancel| cancel.iter().map(|(_, token)| token.clone()).collect()).unwrap_or_default()
    }

    /// Runs the work; after a signal it is asked to stop, and its outcome is still returned. `Err`: end at once.
    pub(crate) async fn guard<T>(&self, work: impl Future<Output = T>, told: impl Fn(&str)) -> Result<T, i32> {
        let mut work = std::pin::pin!(work);
        let mut signals = Signals::listen();
        let first = tokio::select! {
            outcome = &mut work => return Ok(outcome),
            number = signals.next() => number,
        };
        self.signal.store(first, Ordering::Relaxed);
        self.notify.notify_waiters();
        if self.tokens().is_empty() && !self.kept.load(Ordering::Relaxed) {
            return Err(first);
        }
        told(self.name());
        loop {
            for token in self.tokens() {
                // Between two statements a cancellation finds nothing: it is sent until the work has ended.
                token.cancel().await;
            }
            tokio::select! {
                outcome = &mut work => return Ok(outcome),
                number = signals.next() => return Err(number),
                () = tokio::time::sleep(Duration::from_millis(250)) => {}
            }
        }
    }
}

/// `SignalKind` has no constants.
type Kind = fn() -> SignalKind;

/// What would end us, with its name.
const KINDS: [(Kind, &str); 3] =
    [(SignalKind::interrupt, "SIGINT"), (SignalKind::terminate, "SIGTERM"), (SignalKind::hangup, "SIGHUP")];

/// The signals that are not ignored.
struct Signals(Vec<(i32, Signal)>);

impl Signals {
    fn listen() -> Signals {
        let ignored = ignored();
        let numbers = KINDS.iter().map(|(kind, _)| kind()).filter(|kind| !ignored(kind.as_raw_value()));
        Signals(numbers.filter_map(|kind| Some((kind.as_raw_value(), signal(kind).ok()?))).collect())
    }

    /// The number of the next one.
    async fn next(&mut self) -> i32 {
        std::future::poll_fn(|context| {
            let came =
                self.0.iter_mut().find_map(|(number, signal)| signal.poll_recv(context).is_ready().then_some(*number));
            came.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// Which signals this process was started to ignore. Known where there is /proc; elsewhere none counts as ignored.
fn ignored() -> impl Fn(i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    move |signal| mask & (1 << (signal - 1)) != 0
}
