//! `down`: roll back, newest first.

use super::context::Context;
use super::wait_lock::Wait;
use crate::error::{Error, Exit};
use crate::machine::report;
use crate::operation::down::DownOptions;
use crate::output::{confirm, is_json, json, result};
use crate::plan::{Plan, Step};
use crate::words::list;

/// The arguments of `down`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator down --to 012   (012 stays applied; 0 rolls back everything)")]
pub(crate) struct Args {
    /// Roll back to this version, which stays applied; 0 rolls back everything.
    #[arg(long, value_name = "VERSION", conflicts_with = "steps")]
    pub to: Option<i64>,
    /// Number of migrations to roll back; one by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: Option<u32>,
    /// Do not ask for confirmation.
    #[arg(long, env = "MIGRATOR_YES")]
    pub yes: bool,
    /// Who approved the rollback; the history records it.
    #[arg(long, value_name = "WHO", env = "MIGRATOR_APPROVED_BY")]
    pub approved_by: Option<String>,
    /// Which backup was made before, and where it is; some environments require this before data is destroyed.
    #[arg(long, value_name = "WHAT, WHERE", env = "MIGRATOR_BACKUP_REFERENCE")]
    pub backup_reference: Option<String>,
    /// How long to wait for another migrator.
    #[command(flatten)]
    pub wait: Wait,
}

/// Asks for confirmation and rolls back.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let options = DownOptions {
        to: args.to,
        steps: args.steps.unwrap_or(1) as usize,
        approved_by: args.approved_by.clone(),
        backup_reference: args.backup_reference.clone(),
        wait_lock: args.wait.wait_lock,
    };
    let session = context.connect_within(args.wait.wait_lock).await?;
    let report = session.down(&options, |plan| ask(plan, args.yes)).await?;
    if is_json() {
        json(&report::down(&report));
    }
    result(&report.sentence());
    if report.repeatables_are_due {
        context.terminal.say("the repeatables of this release must be applied again: run `migrator up`");
    }
    Ok(Exit::Done)
}

/// Asks for confirmation of the plan.
pub(crate) fn ask(plan: &Plan, yes: bool) -> Result<(), Error> {
    let names: Vec<String> = plan.steps.iter().map(Step::label).collect();
    if yes {
        return Ok(());
    }
    match confirm(&format!("Roll back {}?", list(&names))) {
        Some(true) => Ok(()),
        Some(false) => Err(Error::usage("nothing was rolled back: the answer was no")),
        None => Err(Error::usage(format!(
            "nothing was rolled back: there is no terminal to confirm the rollback of {}",
            list(&names)
        ))
        .help("pass --yes")),
    }
}
