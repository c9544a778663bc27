//! `plan`: what `up` would do.

use serde_json::json;

use super::context::Context;
use crate::error::{Error, Exit};
use crate::operation::plan::PlanOptions;
use crate::output::{self, file, result};
use crate::plan::Plan;

/// The arguments of `plan`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator plan --json")]
pub(crate) struct Args {
    /// Plan up to and including this version [default: the newest].
    #[arg(long, value_name = "VERSION")]
    pub to: Option<i64>,
    /// Show the SQL too.
    #[arg(long)]
    pub sql: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Also plan pending migrations that are older than applied ones.
    #[arg(long)]
    pub allow_out_of_order: bool,
}

/// Plans and prints.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let session = context.connect().await?;
    let options = PlanOptions { to: args.to, allow_out_of_order: args.allow_out_of_order, refuse_empty: false };
    let plan = session.plan(&options).await?;
    if args.json {
        let steps: Vec<_> = plan.steps.iter().map(|step| step.json(args.sql)).collect();
        output::json(&json!({ "digest": plan.digest(), "steps": steps, "ahead": plan.ahead }));
    } else {
        context.migrator.warn_ahead(&plan.ahead);
        print(&plan, args.sql);
    }
    Ok(Exit::Done)
}

/// Prints a plan for people.
pub(crate) fn print(plan: &Plan, sql: bool) {
    if plan.steps.is_empty() {
        result("nothing to apply");
        return;
    }
    for step in &plan.steps {
        let line = step.sentence();
        if sql {
            file(&format!("-- {line}\n{}\n", step.sql().trim()));
        } else {
            result(&line);
        }
    }
    result(&format!("{}plan digest: {}", if sql { "-- " } else { "" }, plan.digest()));
}
