//! `cargo xtask ci`.

use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::{check, dump, verify};
use crate::output;
use crate::workspace::{Workspace, cargo};

/// Arguments of `ci`: none, so that nobody's run differs from CI's.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "fmt, clippy, check, dump --check (where there is a db/schema.sql), verify, deny (where cargo-deny is installed), test; it stops at the first failure.\n\n\
                        Example: cargo xtask ci"
)]
pub struct Args {}

/// Before and behind the steps that need more than cargo.
const BEFORE: &[(&str, &[&str])] = &[
    ("fmt", &["fmt", "--all", "--check"]),
    ("clippy", &["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"]),
];
/// Not the advisories: a new one there must not turn an old commit red.
const DENY: &[&str] = &["deny", "check", "licenses", "bans", "sources"];
const BEHIND: &[(&str, &[&str])] = &[("test", &["test", "--quiet", "--workspace"])];

/// Runs the steps in order, each with its name and time on stderr.
pub(crate) fn run() -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    for (name, arguments) in BEFORE {
        step(name, || run_cargo(&workspace, arguments))?;
    }
    if !holds("check", || check::run(&check::Args::default()))? {
        return Ok(ExitCode::from(output::FOUND));
    }
    if !workspace.db().join(dump::SCHEMA).exists() {
        output::note("dump: NOT RUN, there is no db/schema.sql: `cargo xtask dump` writes it");
    } else if !holds("dump", || dump::run(&dump::Args { check: true }))? {
        return Ok(ExitCode::from(output::FOUND));
    }
    if !holds("verify", || verify::run(&verify::Args::default()))? {
        return Ok(ExitCode::from(output::FOUND));
    }
    if let Some(reason) = without_deny(&workspace) {
        output::note(format!("deny: NOT RUN, {reason}"));
    } else {
        step("deny", || run_cargo(&workspace, DENY))?;
    }
    for (name, arguments) in BEHIND {
        step(name, || run_cargo(&workspace, arguments))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a task of ours; false: it has found something, and said what.
fn holds(name: &str, run: impl FnOnce() -> Result<ExitCode>) -> Result<bool> {
    let mut ended = ExitCode::SUCCESS;
    step(name, || {
        ended = run()?;
        Ok(())
    })?;
    Ok(ended == ExitCode::SUCCESS)
}

fn step(name: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    output::note(format!("{name} ..."));
    let began = Instant::now();
    run()?;
    output::note(format!("{name}: {:.1} s", began.elapsed().as_secs_f64()));
    Ok(())
}

fn run_cargo(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    let line = arguments.join(" ");
    let status = Command::new(cargo())
        .args(arguments)
        .current_dir(&workspace.root)
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("failed to run `cargo {line}`"))?;
    if !status.success() {
        bail!("`cargo {line}` failed ({status})");
    }
    Ok(())
}

/// Why `cargo deny` cannot run.
fn without_deny(workspace: &Workspace) -> Option<&'static str> {
    if !workspace.root.join("deny.toml").exists() {
        return Some("the workspace has no deny.toml");
    }
    let version = Command::new(cargo()).args(["deny", "--version"]).output();
    let installed = version.is_ok_and(|output| output.status.success());
    (!installed).then_some("cargo-deny is not installed: `cargo install --locked cargo-deny`")
}
