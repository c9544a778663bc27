//! `cargo xtask verify`.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use super::migrate;
use crate::output;
use crate::postgres::{TemporaryServer, remove_postgres_variables};
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
    let Some(executable) = migrate::build(&workspace)? else { return Ok(ExitCode::from(output::FAILED)) };
    let server = TemporaryServer::start().context("failed to start the server to verify on")?;
    let mut migrator = Command::new(&executable);
    remove_postgres_variables(&mut migrator);
    migrator.env("DATABASE_URL", server.url("postgres")).env_remove("MIGRATOR_ENV").arg("verify");
    if args.json {
        migrator.arg("--json");
    }
    let status = migrator.status().with_context(|| format!("failed to run `{}`", executable.display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(output::FAILED);
    Ok(ExitCode::from(code))
}
