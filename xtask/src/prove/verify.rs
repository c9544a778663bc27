//! `cargo xtask verify`.

mod about;
mod base;
mod schema;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use migrator_engine::{Color, Embedded, Terminal};

use crate::developer::{self, Context};
use crate::migrator;
use crate::output;
use crate::prove::compat::{self, Missing, Running};
use crate::prove::proof;
use crate::workspace::Workspace;
use migrator_postgres::TemporaryServer;

/// Where GitHub names the file that it shows with the run.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Arguments of `verify`.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Runs on a throwaway server; your databases are not touched. Exit code 1: a check failed.\n\n\
                        The next release starts from the base branch, with its repeatables in place. Without git, or \
                        without that branch, it starts from all but the newest migration, with the repeatables that fit \
                        there. Older migrations are rolled back without repeatables, which need the newest schema.\n\n\
                        Where GITHUB_STEP_SUMMARY is set, what --markdown writes is also appended to that file.\n\n\
                        Example: cargo xtask verify\n\
                        Example: cargo xtask verify --html report.html\n\
                        Example: cargo xtask verify --markdown comment.md")]
pub struct Args {
    /// The branch that production runs, from which the next release starts [default: origin/main, where it exists]
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// How the answers are shown
    #[command(flatten)]
    shown: proof::Args,
}

/// Starts a server and proves on it what can be proved.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let (embedded, tests) = migrator::load_with_tests(&workspace)?;
    let (before, begin) = base::before(&workspace, args.base.as_deref())?;
    let about = about::about(&workspace, begin);
    let release = running(&workspace, embedded);
    // Where its migrations make roles or the like, they are gone with its server.
    let schema = schema::ask(&workspace.db(), embedded)?;
    let server = TemporaryServer::start().context("failed to start the server to verify on")?;
    let context = Context::on_throwaway(&server, embedded, Terminal::new(false, false, Color::Auto))?
        .release(workspace.release()?);
    let summary = std::env::var_os(SUMMARY).filter(|path| !path.is_empty()).map(PathBuf::from);
    let given = proof::Given { before, tests, schema, release, about, summary };
    Ok(developer::run(context, async |context| proof::run(context, &args.shown, given).await))
}

/// The release that runs, or why there is none to judge.
fn running(workspace: &Workspace, embedded: &'static Embedded) -> Result<Running, Vec<String>> {
    compat::find(workspace, embedded, None, None).map_err(|error| match error.downcast_ref::<Missing>() {
        Some(missing) => vec![missing.reason.clone()],
        None => output::describe(&error).lines().map(str::to_owned).collect(),
    })
}
