//! `plan`: what `up` would do.

use serde_json::{Value, json};

use super::context::Context;
use crate::error::{Error, Exit};
use crate::operation::plan::PlanOptions;
use crate::operation::{LockReport, LockingStatement};
use crate::output::{self, file, is_json, result};
use crate::plan::{Plan, Step};
use crate::words::{cell, count};

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
    /// Also plan pending migrations that are older than applied ones.
    #[arg(long)]
    pub allow_out_of_order: bool,
}

/// Plans and prints.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let session = context.connect().await?;
    let options = PlanOptions { to: args.to, allow_out_of_order: args.allow_out_of_order, refuse_empty: false };
    let plan = session.plan(&options).await?;
    let locks = session.locks(&plan).await?;
    context.migrator.warn_ahead(&plan.ahead);
    show(context, &plan, &locks, args.sql);
    Ok(Exit::Done)
}

/// Shows a plan, with what is known of the locks that it takes.
pub(crate) fn show(context: &Context, plan: &Plan, locks: &LockReport, sql: bool) {
    if is_json() {
        output::json(&of(plan, locks, sql));
        result(&match plan.steps.len() {
            0 => NOTHING.to_owned(),
            steps => format!("would apply {}", count(steps, "step")),
        });
        return;
    }
    print(plan, locks, sql);
    locks.notes.iter().for_each(|note| context.terminal.say(note));
}

/// What is said of an empty plan.
const NOTHING: &str = "nothing to apply";

/// A plan for programs.
fn of(plan: &Plan, locks: &LockReport, sql: bool) -> Value {
    let step = |(index, step): (usize, &Step)| {
        let mut value = step.json(sql);
        if let Some(statements) = locks.steps.get(index).and_then(Option::as_ref) {
            value["statements"] = statements.iter().map(LockingStatement::json).collect();
        }
        value
    };
    let steps: Vec<_> = plan.steps.iter().enumerate().map(step).collect();
    let mut value = json!({ "digest": plan.digest(), "steps": steps, "ahead": plan.ahead });
    if let Some(major) = locks.major {
        value["locks"] = json!({ "postgresql": major, "notes": locks.notes });
    }
    value
}

/// Prints a plan for people, with what is known of the locks that it takes.
fn print(plan: &Plan, locks: &LockReport, sql: bool) {
    if plan.steps.is_empty() {
        result(NOTHING);
        return;
    }
    for (index, step) in plan.steps.iter().enumerate() {
        let mut lines = vec![step.sentence()];
        if let Some(statements) = locks.steps.get(index).and_then(Option::as_ref) {
            let waits: Vec<String> = statements.iter().flat_map(LockingStatement::lines).collect();
            lines.extend(waits.iter().map(|line| format!("    {line}")));
            if waits.is_empty() {
                lines.push("    no one waits for an existing relation".to_owned());
            }
        }
        if sql {
            // A name may hold a line end, which would end the comment.
            let lines = lines.iter().map(|line| format!("-- {}\n", cell(line))).collect::<String>();
            file(&format!("{lines}{}\n", step.sql().trim()));
        } else {
            lines.iter().for_each(|line| result(line));
        }
    }
    result(&format!("{}plan digest: {}", if sql { "-- " } else { "" }, plan.digest()));
}
