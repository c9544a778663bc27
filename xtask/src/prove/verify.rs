//! `cargo xtask verify`.

mod base;
mod schema;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::child;
use crate::migrator::{self, SCRATCH_DATA_DIRECTORY};
use crate::output;
use crate::workspace::Workspace;
use migrator_postgres::TemporaryServer;

/// Arguments of `verify`.
#[derive(Debug, Default, clap::Args)]
#[command(
    after_help = "Starts a throwaway server: none of your databases is touched. Exit code 1: something did not hold.\n\n\
                        The next release starts from the base branch, with its repeatables in place. Without git, or \
                        without that branch, it starts from all but the newest migration, with the repeatables that fit \
                        there. Older migrations are rolled back without repeatables, which need the newest schema.\n\n\
                        Example: cargo xtask verify\n\
                        Example: cargo xtask verify --html report.html"
)]
pub struct Args {
    /// The branch that production runs, from which the next release starts [default: origin/main, where it exists]
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Also write an HTML page to this file: verdicts, locks over time, the SQL
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Builds the migrator, starts a server, and lets the migrator prove what it can.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let Some(fresh) = migrator::build(&workspace)? else { return Ok(ExitCode::from(output::FAILED)) };
    let executable = &fresh.executable;
    let base = base::hand_over(&workspace, args.base.as_deref())?;
    // Where its migrations make roles or the like, they are gone with its server.
    let schema = schema::ask(&workspace.db(), &fresh)?;
    let server = TemporaryServer::start().context("failed to start the server to verify on")?;
    let mut migrator = migrator::on_throwaway(executable, &server.url("postgres"));
    migrator.env(SCRATCH_DATA_DIRECTORY, server.data_directory());
    migrator.arg("verify").arg("--schema").arg(schema.to_string()).arg("--base").arg(base.path());
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
