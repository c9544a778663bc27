//! `plan`: what `up` would do.

use serde_json::json;

use crate::command::Context;
use crate::error::{Error, Exit};
use crate::operation::plan::PlanOptions;
use crate::output::{self, file, result};
use crate::plan::{Plan, Step};

#[cfg(feature = "dev")]
mod locks;

/// The arguments of `plan`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator plan --json")]
pub(crate) struct Args {
    /// Up to and with this version; the newest by default.
    #[arg(long, value_name = "VERSION")]
    pub to: Option<i64>,
    /// The SQL too.
    #[arg(long)]
    pub sql: bool,
    /// For programs.
    #[arg(long)]
    pub json: bool,
    /// Plan pending migrations also below applied ones.
    #[arg(long)]
    pub allow_out_of_order: bool,
    /// Which locks it takes.
    #[cfg(feature = "dev")]
    #[command(flatten)]
    pub tracing: locks::Tracing,
}

/// Plans and prints.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let session = context.connect().await?;
    let options = PlanOptions { to: args.to, allow_out_of_order: args.allow_out_of_order, refuse_empty: false };
    let plan = session.plan(&options).await?;
    #[cfg(feature = "dev")]
    if args.tracing.locks {
        return locks::run(context, args, session, &plan).await;
    }
    if args.json {
        let steps: Vec<_> = plan.steps.iter().map(|step| to_json(step, args.sql)).collect();
        output::json(&json!({ "digest": plan.digest(), "steps": steps, "ahead": plan.ahead }));
    } else {
        context.migrator.warn_ahead(&plan.ahead);
        print(&plan, args.sql);
    }
    Ok(Exit::Done)
}

fn to_json(step: &Step, sql: bool) -> serde_json::Value {
    let mut value = match step {
        Step::Migration { migration, direction, resume, .. } => json!({
            "kind": "migration",
            "direction": direction.word(),
            "version": migration.version,
            "name": migration.name,
            "file": migration.file,
            "checksum": migration.checksum,
            "transaction": migration.block(*direction).is_some_and(|block| block.options.transaction),
            "statements_done": resume.as_ref().map_or(0, |progress| progress.done.len()),
        }),
        Step::Repeatable(script) => {
            json!({ "kind": "repeatable", "name": script.name, "file": script.file, "checksum": script.checksum })
        }
    };
    if sql {
        value["sql"] = sql_of(step).into();
    }
    value
}

fn sql_of(step: &Step) -> &'static str {
    match step {
        Step::Migration { migration, direction, .. } => {
            migration.block(*direction).map_or("", |block| block.sql(&migration.text))
        }
        Step::Repeatable(script) => &script.text,
    }
}

/// `would apply 003_add_x`, and how, where that is not the usual way.
fn line(step: &Step) -> String {
    match step {
        Step::Migration { migration, direction, resume, .. } => {
            let alone = migration.block(*direction).is_some_and(|block| !block.options.transaction);
            let resumed = resume.as_ref().map(|progress| format!(", statements done: {}", progress.done.len()));
            let how = match alone {
                true => format!(" (outside a transaction{})", resumed.unwrap_or_default()),
                false => String::new(),
            };
            format!("would apply {}{how}", step.label())
        }
        Step::Repeatable(_) => format!("would apply repeatable {}", step.label()),
    }
}

/// Prints a plan for people.
pub(crate) fn print(plan: &Plan, sql: bool) {
    if plan.steps.is_empty() {
        result("nothing to apply");
        return;
    }
    for step in &plan.steps {
        let line = line(step);
        if sql {
            file(&format!("-- {line}\n{}\n", sql_of(step).trim()));
        } else {
            result(&line);
        }
    }
    result(&format!("{}plan digest: {}", if sql { "-- " } else { "" }, plan.digest()));
}
