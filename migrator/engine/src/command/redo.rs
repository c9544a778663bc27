//! `redo`: roll back the newest migration and apply it again.

use super::context::Context;
use super::down;
use super::wait_lock::Wait;
use crate::error::{Error, Exit};
use crate::machine::report;
use crate::operation::redo::RedoOptions;
use crate::output::{is_json, json, result};
use crate::words::count;

/// The arguments of `redo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator redo --yes")]
pub(crate) struct Args {
    /// Do not ask for confirmation.
    #[arg(long, env = "MIGRATOR_YES")]
    pub yes: bool,
    /// Who approved it; the history records it.
    #[arg(long, value_name = "WHO", env = "MIGRATOR_APPROVED_BY")]
    pub approved_by: Option<String>,
    /// Which backup was made before, and where it is; some environments require this before data is destroyed.
    #[arg(long, value_name = "WHAT, WHERE", env = "MIGRATOR_BACKUP_REFERENCE")]
    pub backup_reference: Option<String>,
    /// How long to wait for another migrator.
    #[command(flatten)]
    pub wait: Wait,
}

/// Asks for confirmation, rolls back and applies.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let options = RedoOptions {
        approved_by: args.approved_by.clone(),
        backup_reference: args.backup_reference.clone(),
        wait_lock: args.wait.wait_lock,
    };
    let session = context.connect_within(args.wait.wait_lock).await?;
    let report = session.redo(&options, |plan| down::ask(plan, args.yes)).await?;
    if is_json() {
        json(&report::redo(&report));
        result(&format!("rolled back and applied {}", count(report.done.len(), "step")));
    } else if report.done.is_empty() {
        result("nothing to redo");
    }
    Ok(Exit::Done)
}
