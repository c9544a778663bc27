//! Runs a program through the floor's stopwatch.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::tool::Line;

/// What a run took.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Taken {
    /// From its start to its end, in seconds.
    pub(crate) wall: f64,
    /// Processor time in seconds, with all the processes that it waited for.
    user: f64,
    system: f64,
    /// Peak memory of the largest process.
    pub(crate) kilobytes: f64,
    code: i32,
}

impl Taken {
    /// Processor time in seconds.
    pub(crate) fn processor(&self) -> f64 {
        self.user + self.system
    }

    /// Peak memory in millions of bytes.
    pub(crate) fn megabytes(&self) -> f64 {
        self.kilobytes * 1_024.0 / 1e6
    }
}

/// Runs a program to its successful end; nothing of our environment that could change its work reaches it.
pub(crate) fn run(floor: &Path, line: &Line) -> Result<Taken> {
    timed(floor, line, None)
}

/// The same in a directory.
pub(crate) fn run_in(floor: &Path, line: &Line, directory: &Path) -> Result<Taken> {
    timed(floor, line, Some(directory))
}

fn timed(floor: &Path, line: &Line, directory: Option<&Path>) -> Result<Taken> {
    let mut command = Command::new(floor);
    let is_foreign = |name: &str| {
        ["PG", "MIGRATOR_", "DBMATE_", "DATABASE_URL", "CARGO_"].iter().any(|start| name.starts_with(start))
            && !["PG_BIN", "PG_OS_USER", "CARGO_HOME"].contains(&name)
    };
    for (name, _) in std::env::vars().filter(|(name, _)| is_foreign(name)) {
        command.env_remove(name);
    }
    command.arg("run").arg(&line.program).args(&line.arguments);
    command.envs(line.variables.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
    // Of an error that is expected to be read, the first lines count.
    command.env("RUST_BACKTRACE", "0");
    // Without a directory it is one that has no settings of any tool.
    command.current_dir(directory.unwrap_or(Path::new("/")));
    let output = command.output().with_context(|| floor.display().to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    let name = line.program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    ensure!(output.status.success(), "{name} was not run: {}", said.trim());
    let taken: Taken = serde_json::from_slice(&output.stdout).context("the stopwatch")?;
    ensure!(taken.code == 0, "{name} failed with exit code {}: {}", taken.code, last_lines(&said));
    Ok(taken)
}

/// Enough to see why it failed.
fn last_lines(said: &str) -> String {
    let lines: Vec<&str> = said.trim().lines().collect();
    lines[lines.len().saturating_sub(4)..].join(" / ")
}
