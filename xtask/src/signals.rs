//! Signals after a task on a database: tokio keeps them for the rest of the process, and they are to end it again.

use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use signal_hook::iterator::Signals;

use crate::child::{SIGNALS, ignored};

/// How many tasks listen to signals themselves.
static WORKING: AtomicUsize = AtomicUsize::new(0);

/// Runs what listens to signals itself; afterwards a signal does what it always does.
pub(crate) fn while_working<T>(work: impl FnOnce() -> T) -> T {
    static WATCHING: Once = Once::new();
    WORKING.fetch_add(1, Ordering::SeqCst);
    WATCHING.call_once(|| {
        let ignored = ignored();
        let listened = SIGNALS.into_iter().filter(|signal| !ignored.contains(signal));
        // Without it, a signal has no effect after the task: worse, but no reason not to work.
        if let Ok(mut signals) = Signals::new(listened) {
            thread::spawn(move || signals.forever().for_each(receive));
        }
    });
    let done = work();
    WORKING.fetch_sub(1, Ordering::SeqCst);
    done
}

fn receive(signal: i32) {
    if WORKING.load(Ordering::SeqCst) == 0 {
        // What it does by default is to end the process.
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
}
