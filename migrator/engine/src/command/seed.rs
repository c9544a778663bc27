//! `seed`: run a compiled seed file in one transaction.

use super::context::Context;
use super::wait_lock::Wait;
use crate::error::{Error, Exit};
use crate::machine::report;
use crate::operation::seed::{self, SeedOptions};
use crate::output::{is_json, json, result};

/// The arguments of `seed`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator seed test")]
pub(crate) struct Args {
    /// Which seed file.
    #[arg(default_value = "development", value_name = "NAME")]
    pub name: String,
    /// Which backup was made before, and where it is; some environments require this before data is destroyed.
    #[arg(long, value_name = "WHAT, WHERE", env = "MIGRATOR_BACKUP_REFERENCE")]
    pub backup_reference: Option<String>,
    /// How long to wait for another migrator.
    #[command(flatten)]
    pub wait: Wait,
}

/// Runs it.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    seed::find(&context.migrator, &args.name)?;
    let session = context.connect_within(args.wait.wait_lock).await?;
    let options = SeedOptions { backup_reference: args.backup_reference.clone(), wait_lock: args.wait.wait_lock };
    let report = session.seed(&args.name, &options).await?;
    if is_json() {
        json(&report::seed(&report));
    }
    result(&report.sentence());
    Ok(Exit::Done)
}
