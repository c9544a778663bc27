//! `resolve`: a person decides about a statement whose outcome is unknown.

use super::context::Context;
use super::wait_lock::Wait;
use crate::error::{Error, Exit};
use crate::machine::report;
use crate::operation::resolve::{Decision, ResolveOptions};
use crate::output::{is_json, json, result};

/// The arguments of `resolve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator resolve 010 --statement 2 --applied")]
#[group(id = "decision", required = true, multiple = false)]
pub(crate) struct Args {
    /// The half-done migration.
    #[arg(value_name = "VERSION")]
    pub version: i64,
    /// The statement's number, as `status` shows it.
    #[arg(long, value_name = "N")]
    pub statement: i32,
    /// The statement's effect is in the database: continue after it.
    #[arg(long, group = "decision")]
    pub applied: bool,
    /// The statement's effect is not in the database: run it again.
    #[arg(long, group = "decision")]
    pub retry: bool,
    /// How long to wait for another migrator.
    #[command(flatten)]
    pub wait: Wait,
}

/// Records the decision.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    // Of a newer one the history knows what there is to resolve.
    if context.migrator.embedded().migrations.last().is_none_or(|newest| args.version <= newest.number) {
        context.migrator.migration(args.version)?;
    }
    let session = context.connect_within(args.wait.wait_lock).await?;
    let decision = if args.applied { Decision::Applied } else { Decision::Retry };
    let options = ResolveOptions { wait_lock: args.wait.wait_lock };
    let report = session.resolve(args.version, args.statement, decision, &options).await?;
    if is_json() {
        json(&report::resolve(&report));
    }
    let next = match report.decision {
        Decision::Applied => "counts as applied",
        Decision::Retry => "will be run again",
    };
    let command = report.direction.word();
    result(&format!("statement {} of {} {next}; `migrator {command}` continues", report.statement, report.migration));
    Ok(Exit::Done)
}
