//! `cargo build` for a user who waits for what comes after it: warnings and errors are shown, progress only where there is some.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result};

use crate::output;

/// Said before the first package of others is compiled.
const FIRST: &str = "building the migrator and its dependencies: the first time, this takes minutes";

/// Runs it; what it has said on stdout. `None`: it has failed, and has said why.
///
/// Not with `--quiet`, which would keep back what build scripts warn of.
pub(crate) fn run(build: &mut Command) -> Result<Option<Vec<u8>>> {
    if std::env::var_os("CARGO_TERM_COLOR").is_none() && output::color_of_messages() {
        build.args(["--color", "always"]);
    }
    let mut cargo =
        build.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("failed to run `cargo build`")?;
    let relay = cargo.stderr.take().map(|stderr| thread::spawn(move || relay(stderr, output::pass_on)));
    let mut said = Vec::new();
    if let Some(mut stdout) = cargo.stdout.take() {
        stdout.read_to_end(&mut said).context("failed to read what `cargo build` says")?;
    }
    let ended = cargo.wait().context("failed to wait for `cargo build`")?;
    if let Some(relay) = relay {
        // It ends with the pipe; a line that it could not pass on has no reader.
        let _ = relay.join();
    }
    Ok(ended.success().then_some(said))
}

/// Passes on what cargo says, but for the line that says that there was nothing to do or that it is done.
fn relay(stderr: impl Read, pass_on: impl Fn(&[u8])) {
    let mut stderr = BufReader::new(stderr);
    let (mut line, mut told) = (Vec::new(), false);
    while let Ok(1..) = stderr.read_until(b'\n', &mut line) {
        let plain = anstream::adapter::strip_bytes(&line).into_vec();
        let plain = String::from_utf8_lossy(&plain);
        let plain = plain.trim();
        let (word, rest) = plain.split_once(' ').unwrap_or((plain, ""));
        // A package of this workspace is named with its folder.
        let is_of_others = ["Compiling", "Downloading", "Downloaded"].contains(&word) && !rest.ends_with(')');
        if is_of_others && !told {
            told = true;
            pass_on(format!("{FIRST}\n").as_bytes());
        }
        if !plain.starts_with("Finished `") {
            pass_on(&line);
        }
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn relayed(said: &str) -> String {
        let shown = RefCell::new(Vec::new());
        relay(said.as_bytes(), |line| shown.borrow_mut().extend_from_slice(line));
        String::from_utf8(shown.into_inner()).unwrap()
    }

    #[test]
    fn warnings_and_progress_are_shown_and_the_end_is_not() {
        let done = "\u{1b}[1m\u{1b}[92m    Finished\u{1b}[0m `dev` profile [unoptimized] target(s) in 0.08s\n";
        let warning = "warning: migrator@0.1.0: `db/migrations/001_a.sql`: M018\n";
        assert_eq!(relayed(done), "");
        assert_eq!(relayed("    Finished `dev` profile [unoptimized] target(s) in 0.08s\n"), "");
        assert_eq!(relayed(&format!("{warning}{done}")), warning);
        let own = "   Compiling migrator v0.1.0 (/w/migrator)\n";
        assert_eq!(relayed(&format!("{own}{done}")), own);
        let others = "   Compiling libc v0.2.1\n   Compiling serde v1.0.0\n";
        assert_eq!(relayed(&format!("{others}{own}")), format!("{FIRST}\n{others}{own}"));
        assert_eq!(relayed("error: no\nFinished it"), "error: no\nFinished it");
    }
}
