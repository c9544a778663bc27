//! Where a developer waits: the first build, the one after a changed file, and the one with nothing to do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use crate::figures::Figures;
use crate::run::run_in;
use crate::server::Server;
use crate::tool::Line;
use crate::workload::{Workload, tables};
use crate::workspace::{folder, package, repository};

pub(crate) fn run_part(bench: &Bench, figures: &mut Figures) -> Result<()> {
    for workload in [tables(1), tables(1_000)] {
        changed_in_release(bench, &workload, figures)?;
    }
    let copy = copy()?;
    let server = Server::start()?;
    let url = server.database()?.url();
    let mut measure = |case: &str, arguments: &[&str]| -> Result<()> {
        let taken = run_in(&bench.floor, &cargo(arguments, &[("DATABASE_URL", &url)]), &copy)?;
        figures.add(case, "us", "wall s", taken.wall);
        figures.add(case, "us", "CPU s", taken.processor());
        Ok(())
    };
    measure("cold `cargo xtask migrate up`", &["xtask", "migrate", "up"])?;
    for _ in 0..bench.options.rounds(5) {
        measure("nothing changed, `cargo xtask migrate list`", &["xtask", "migrate", "list"])?;
    }
    for round in 0..bench.options.rounds(3) {
        change(&copy.join("db/migrations"), round)?;
        measure("one SQL file changed, debug, `cargo xtask migrate list`", &["xtask", "migrate", "list"])?;
    }
    // It is as large as a whole target directory.
    fs::remove_dir_all(&copy).with_context(|| copy.display().to_string())
}

/// What is committed, in a directory that has built nothing yet.
fn copy() -> Result<PathBuf> {
    let copy = folder().join("copy");
    if copy.exists() {
        fs::remove_dir_all(&copy).with_context(|| copy.display().to_string())?;
    }
    let mut git = Command::new("git");
    let status =
        git.args(["clone", "--quiet", "--no-hardlinks"]).arg(repository()).arg(&copy).status().context("git")?;
    ensure!(status.success(), "git does not copy the repository");
    Ok(copy)
}

/// From a changed file to a migrator that has run, in release.
fn changed_in_release(bench: &Bench, workload: &Workload, figures: &mut Figures) -> Result<()> {
    let migrations = bench.embed(workload)?.join("db/migrations");
    let (first, text) = newest(&migrations)?;
    let target = folder().join("cargo").display().to_string();
    let line = cargo(
        &["run", "--quiet", "--release", "--package", &workload.name, "--", "list"],
        &[("CARGO_TARGET_DIR", &target)],
    );
    let case = format!("one SQL file changed, release, of {}", workload.migrations.len());
    for round in 0..bench.options.rounds(3) {
        change(&migrations, round)?;
        let taken = run_in(&bench.floor, &line, &package(&workload.name))?;
        figures.add(&case, "us", "wall s", taken.wall);
        figures.add(&case, "us", "CPU s", taken.processor());
    }
    Ok(fs::write(first, text)?)
}

fn newest(migrations: &Path) -> Result<(PathBuf, String)> {
    let files = fs::read_dir(migrations)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let path = files.into_iter().max().context("no migrations")?;
    let text = fs::read_to_string(&path)?;
    Ok((path, text))
}

/// A comment at the end of the newest file: cargo sees another file, no checksum changes.
fn change(migrations: &Path, round: usize) -> Result<()> {
    let (path, text) = newest(migrations)?;
    Ok(fs::write(path, format!("{text}-- {round}\n"))?)
}

fn cargo(arguments: &[&str], variables: &[(&str, &str)]) -> Line {
    Line {
        program: std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()).into(),
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        variables: variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }
}
