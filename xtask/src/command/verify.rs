//! `cargo xtask verify`.

use std::process::ExitCode;

use anyhow::{Context, Result};

use super::migrate;
use crate::output;
use crate::postgres::TemporaryServer;
use crate::workspace::Workspace;

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Starts a server of its own and throws it away: no database of yours is touched. Exit code 1: a promise is \
                        broken.\n\n\
                        Example: cargo xtask verify"
)]
pub struct Args {
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Builds the migrator, starts a server, and lets the migrator prove what it can.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let Some(fresh) = migrate::build(&workspace)? else { return Ok(ExitCode::from(output::FAILED)) };
    let executable = &fresh.executable;
    let server = TemporaryServer::start().context("failed to start the server to verify on")?;
    let mut migrator = migrate::on_throw_away(executable, &server.url("postgres"));
    migrator.arg("verify");
    if args.json {
        migrator.arg("--json");
    }
    let status = migrator.status().with_context(|| format!("failed to run `{}`", executable.display()))?;
    Ok(output::exit_code_of(status))
}
