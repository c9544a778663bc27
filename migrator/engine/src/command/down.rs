//! `down`: roll back, newest first.

use crate::apply::apply;
use crate::command::{Beside, Context, Wait};
use crate::error::{Error, Exit};
use crate::history::History;
use crate::output::{confirm, list, result};
use crate::plan::{self, Plan, Step, Target};

/// The arguments of `down`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator down --to 012   (leaves 012 in place; 0 takes everything back)")]
pub(crate) struct Args {
    /// Roll back to this version, which stays; 0: everything.
    #[arg(long, value_name = "VERSION", conflicts_with = "steps")]
    pub to: Option<i64>,
    /// Roll back so many migrations; one by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: Option<u32>,
    /// Do not ask.
    #[arg(long, env = "MIGRATOR_YES")]
    pub yes: bool,
    /// How long to wait for another migrator.
    #[command(flatten)]
    pub wait: Wait,
}

/// Plans, asks, locks, plans again, rolls back.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let target = match (args.to, args.steps) {
        (Some(version), _) => Target::Version(version),
        (None, steps) => Target::Steps(steps.unwrap_or(1) as usize),
    };
    let session = context.open_within(args.wait.wait_lock).await?;
    let plan = plan::down(context.embedded, &session.history, target)?;
    context.announce(&session);
    if plan.steps.is_empty() {
        result("nothing to roll back");
        return Ok(Exit::Done);
    }
    refuse_by_policy(context, &session.history)?;
    ask(&plan, args.yes)?;
    let (mut executor, history) = context.lock(session, args.wait.wait_lock).await?;
    let again = plan::down(context.embedded, &history, target)?;
    if again != plan {
        return Err(Error::new(
            Exit::Refused,
            "nothing was rolled back: another migrator has changed the history meanwhile",
        )
        .help("look at `migrator status`, and run the command again"));
    }
    refuse_by_policy(context, &history)?;
    executor.run.plan_digest = Some(plan.digest());
    executor.prepare(&history, Beside::Refused).await?;
    let outcome = apply(&executor, &plan).await;
    executor.finish().await;
    outcome.map(|()| Exit::Done)
}

fn refuse_by_policy(context: &Context, history: &History) -> Result<(), Error> {
    match context.policy(history).filter(|policy| !policy.down) {
        None => Ok(()),
        Some(policy) => {
            Err(Error::new(Exit::Refused, format!("`down` is forbidden in the environment `{}`", policy.name))
                .help("go forward with a new migration; the policy is `down = false` in db/migrator.toml"))
        }
    }
}

fn ask(plan: &Plan, yes: bool) -> Result<(), Error> {
    let names: Vec<String> = plan.steps.iter().map(Step::label).collect();
    if yes {
        return Ok(());
    }
    match confirm(&format!("Roll back {}?", list(&names))) {
        Some(true) => Ok(()),
        Some(false) => Err(Error::new(Exit::Usage, "nothing was rolled back: the answer was no")),
        None => Err(Error::new(
            Exit::Usage,
            format!("nothing was rolled back: there is no terminal to ask whether to roll back {}", list(&names)),
        )
        .help("pass --yes")),
    }
}
