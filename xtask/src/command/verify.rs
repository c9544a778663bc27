//! `cargo xtask verify`.

mod schema;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::child;
use crate::migrator;
use crate::output;
use crate::postgres::TemporaryServer;
use crate::workspace::Workspace;

/// Arguments of `verify`.
#[derive(Debug, Default, clap::Args)]
#[command(
    after_help = "Starts a server of its own and throws it away: no database of yours is touched. Exit code 1: a promise is \
                        broken.\n\n\
                        Example: cargo xtask verify\n\
                        Example: cargo xtask verify --html report.html"
)]
pub struct Args {
    /// For programs
    #[arg(long)]
    json: bool,
    /// Also write it to this file, as a page for a browser: verdicts, locks over time, the SQL
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Builds the migrator, starts a server, and lets the migrator prove what it can.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let Some(fresh) = migrator::build(&workspace)? else { return Ok(ExitCode::from(output::FAILED)) };
    let executable = &fresh.executable;
    let server = TemporaryServer::start().context("failed to start the server to verify on")?;
    let mut migrator = migrator::on_throw_away(executable, &server.url("postgres"));
    migrator.arg("verify").arg("--schema").arg(schema::ask(&workspace.db(), &fresh, &server).to_string());
    if args.json {
        migrator.arg("--json");
    }
    if let Some(file) = &args.html {
        migrator.arg("--html").arg(file);
    }
    // The server has to outlive it.
    let ended = child::run(&mut migrator).with_context(|| format!("failed to run `{}`", executable.display()))?;
    Ok(ExitCode::from(ended))
}
