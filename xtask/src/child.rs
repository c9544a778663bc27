//! A program that we outlive.

use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::{Origin, WithOrigin};

use crate::output;

/// What would end us before it.
pub(crate) const SIGNALS: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// The process while it lives, or is dead and not yet waited for: until then no other process gets its number.
type Living = Arc<Mutex<Option<Pid>>>;

/// Runs a program in the foreground until it ends, however often the user presses Ctrl-C; returns the exit code, as a shell counts
/// it: 128 and the signal's number where a signal has ended it.
///
/// The terminal sends Ctrl-C to every process of the foreground, hence to the program too, which would take another one as a
/// second thought. So only what a process has sent is passed on. A signal that is sent to the whole group counts twice.
pub(crate) fn run(command: &mut Command) -> Result<u8> {
    let living = Living::default();
    let ignored = ignored();
    let listened = SIGNALS.into_iter().filter(|signal| !ignored.contains(signal));
    let mut signals = SignalsInfo::<WithOrigin>::new(listened).context("failed to listen to signals")?;
    // A signal that comes while the program is started waits until there is a process to pass it on to.
    let mut starting = lock(&living);
    let told = Arc::clone(&living);
    thread::spawn(move || signals.forever().for_each(|origin| receive(&origin, &lock(&told))));
    let mut child = command.spawn()?;
    let pid = Pid::from_child(&child);
    *starting = Some(pid);
    drop(starting);
    let ended = wait(pid);
    *lock(&living) = None;
    ended.context("failed to wait for it")?;
    let status = child.wait().context("failed to wait for it")?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(output::FAILED))
}

/// The signals that our parent wants ignored, as `nohup` does: the program is to inherit that. Known where there is /proc.
pub(crate) fn ignored() -> Vec<i32> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    SIGNALS.into_iter().filter(|signal| mask & (1 << (signal - 1)) != 0).collect()
}

fn lock(living: &Living) -> MutexGuard<'_, Option<Pid>> {
    // Nothing that is held in between can panic halfway.
    living.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for the end and leaves the dead process where it is.
fn wait(pid: Pid) -> io::Result<()> {
    loop {
        match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(()),
        }
    }
}

fn receive(origin: &Origin, living: &Option<Pid>) {
    match living {
        // The program has ended: the signal means us, and does what it always does.
        None => drop(signal_hook::low_level::emulate_default_handler(origin.signal)),
        Some(pid) if origin.process.is_some() => {
            if let Some(signal) = Signal::from_named_raw(origin.signal) {
                // It may have ended in this moment, which is what the sender wants.
                let _ = kill_process(*pid, signal);
            }
        }
        Some(_) => {}
    }
}
