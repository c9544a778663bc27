//! Runs of the real binary.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::claims::Said;

/// A run that takes longer hangs: what it waits for itself ends sooner.
const LONGEST: Duration = Duration::from_secs(300);

/// `dir-migrator` over a db directory, not yet started; nothing of our environment reaches it.
pub(crate) fn command(db: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dir-migrator"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG") || name.starts_with("MIGRATOR_")) {
        command.env_remove(name);
    }
    command.arg(db).args(arguments).env("DATABASE_URL", url).env("MIGRATOR_WAIT_LOCK", "2min");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The process's id, for signals.
pub(crate) fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Waits for its end; one that hangs is killed, and that is a failure of the test.
pub(crate) fn finish(child: Child) -> Said {
    let pid = pid(&child);
    let (send, ended) = mpsc::channel();
    let waiting = std::thread::spawn(move || {
        let output = child.wait_with_output().unwrap();
        let _ = send.send(());
        output
    });
    let hangs = ended.recv_timeout(LONGEST).is_err();
    if hangs {
        let _ = kill_process(pid, Signal::KILL);
    }
    let output = waiting.join().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = Said { exit: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) };
    assert!(!hangs, "the migrator has not ended within {LONGEST:?}:\n{}", said.text());
    said
}

/// Runs it to its end.
pub(crate) fn run(db: &Path, url: &str, arguments: &[&str]) -> Said {
    finish(command(db, url, arguments).spawn().unwrap())
}
