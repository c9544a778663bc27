//! The schema of a database that is there, as pg_dump writes it.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use migrator_engine::ConnectionTarget;
use migrator_postgres::remove_postgres_variables;

/// Runs it; without owners, tablespaces, subscriptions and these tables, whose names are qualified and quoted: so they stand for
/// themselves, and are no patterns. `programs`: where pg_dump is; `is_verbose`: with the numbers of its table of contents.
///
/// # Errors
/// pg_dump fails; the message is its own.
pub(crate) fn schema(
    target: &ConnectionTarget,
    programs: &Path,
    without: impl IntoIterator<Item = String>,
    is_verbose: bool,
) -> Result<Vec<u8>> {
    run(target, programs, without, is_verbose, &["--no-owner"])
}

/// The same with owners, and without the numbers.
///
/// # Errors
/// Those of [`schema`].
pub(crate) fn schema_with_owners(
    target: &ConnectionTarget,
    programs: &Path,
    without: impl IntoIterator<Item = String>,
) -> Result<Vec<u8>> {
    run(target, programs, without, false, &[])
}

fn run(
    target: &ConnectionTarget,
    programs: &Path,
    without: impl IntoIterator<Item = String>,
    is_verbose: bool,
    arguments: &[&str],
) -> Result<Vec<u8>> {
    let mut command = Command::new(programs.join("pg_dump"));
    remove_postgres_variables(&mut command);
    // No password is in the arguments, which everyone on the machine can read.
    command.envs(target.variables()).env("LC_ALL", "C").stdin(Stdio::null());
    command.args(["--schema-only", "--no-tablespaces", "--no-subscriptions", "--encoding=UTF8"]);
    command.args(arguments).args(["--no-password", "--lock-wait-timeout=30s"]).args(is_verbose.then_some("--verbose"));
    command.args(without.into_iter().map(|table| format!("--exclude-table={table}")));
    let output = command.output().context("failed to run `pg_dump`")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        // What it does meanwhile is not what went wrong.
        let counts = |line: &&str| !is_verbose || line.contains("error") || line.contains("detail");
        let said: Vec<&str> = said.trim_end().lines().filter(counts).collect();
        let help = match said.iter().any(|line| line.contains("permission denied")) {
            true => {
                "\nhelp: the role has to read every table: connect as their owner, or `GRANT pg_read_all_data` to it (PostgreSQL 14 or later)"
            }
            false => "",
        };
        bail!("`pg_dump` failed on `{target}` ({}):\n{}{help}", output.status, said.join("\n"));
    }
    Ok(output.stdout)
}
