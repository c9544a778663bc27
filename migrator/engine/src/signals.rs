//! For your own program: SIGINT, SIGTERM and SIGHUP cancel what runs; a second signal ends the process at once. A signal that the parent
//! process has set to be ignored, as `nohup` does, stays ignored.

use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cancel::{Cancellation, EVERY};

/// How the work has ended.
pub struct Guarded<T> {
    /// What it came to.
    pub outcome: T,
    /// The signal that came meanwhile, if one did.
    pub signal: Option<i32>,
}

/// Runs the work; a signal cancels it, and its outcome is still returned. `told` gets the signal's name.
///
/// # Errors
/// The number of a signal on which the process has to end at once.
pub async fn guard<T>(
    cancellation: &Cancellation,
    work: impl Future<Output = T>,
    told: impl Fn(&str),
) -> Result<Guarded<T>, i32> {
    let mut work = std::pin::pin!(work);
    let mut signals = Signals::listen();
    let first = tokio::select! {
        outcome = &mut work => return Ok(Guarded { outcome, signal: None }),
        number = signals.next() => number,
    };
    let name = name(first);
    cancellation.request(name);
    if !cancellation.is_armed() {
        return Err(first);
    }
    told(name);
    loop {
        // Until the work has ended, for what it begins meanwhile.
        cancellation.send().await;
        tokio::select! {
            outcome = &mut work => return Ok(Guarded { outcome, signal: Some(first) }),
            number = signals.next() => return Err(number),
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// What people call the signal of that number.
pub(crate) fn name(number: i32) -> &'static str {
    let known = KINDS.iter().find(|(kind, _)| number == kind().as_raw_value());
    known.map_or("a signal", |(_, name)| name)
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
