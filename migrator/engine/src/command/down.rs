//! `down`: roll back, newest first.

use crate::apply::{Executor, apply};
use crate::command::context::Session;
use crate::command::{Beside, Context, Wait};
use crate::connect::Connection;
use crate::error::{Error, Exit};
use crate::history::History;
use crate::output::{confirm, list, result};
use crate::plan::{self, Plan, State, Step, Target};
use crate::sql::Tables;
use crate::store;

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
    let mut session = context.open_within(args.wait.wait_lock).await?;
    let plan = plan_unlocked(context, &mut session, target).await?;
    context.announce(&session);
    context.warn_of_writers(&session);
    if plan.steps.is_empty() {
        result("nothing to roll back");
        return Ok(Exit::Done);
    }
    refuse_by_policy(context, &session.history)?;
    ask(&plan, args.yes)?;
    let (mut executor, mut history) = context.lock(session, args.wait.wait_lock).await?;
    let outcome = execute(context, &mut executor, &mut history, &plan, target).await;
    executor.finish().await;
    outcome.map(|()| Exit::Done)
}

/// Plans again under the lock and rolls back.
pub(crate) async fn execute(
    context: &Context,
    executor: &mut Executor,
    history: &mut History,
    plan: &Plan,
    target: Target,
) -> Result<(), Error> {
    let again = self::plan(context, &executor.connection, &executor.tables, history, target).await?;
    refuse_other(&again, plan)?;
    refuse_by_policy(context, history)?;
    announce_recorded(context, plan, history);
    executor.run.plan_digest = Some(plan.digest());
    executor.prepare(history, Beside::Refused).await?;
    apply(executor, plan).await.map(|_| ())
}

/// The plan before the lock is taken, while another migrator may be at work.
pub(crate) async fn plan_unlocked(context: &Context, session: &mut Session, target: Target) -> Result<Plan, Error> {
    let planned = plan(context, &session.connection, &session.tables, &mut session.history, target).await;
    context.unless_it_runs(session, planned).await
}

/// What `down` does: by the blocks of this binary, or, where a migration was edited since, by those that were recorded.
pub(crate) async fn plan(
    context: &Context,
    connection: &Connection,
    tables: &Tables,
    history: &mut History,
    target: Target,
) -> Result<Plan, Error> {
    let survey = plan::survey(context.embedded, history);
    let edited: Vec<String> = survey.of(State::Changed).map(|entry| entry.version.clone()).collect();
    store::read_downs(connection, tables, history, &edited, context.embedded.settings.history_writers).await?;
    Ok(plan::down(context.embedded, history, target)?)
}

/// Refuses to do anything else than what was asked for.
fn refuse_other(again: &Plan, plan: &Plan) -> Result<(), Error> {
    if again == plan {
        return Ok(());
    }
    Err(Error::new(Exit::Refused, "nothing was rolled back: another migrator has changed the history meanwhile")
        .help("check `migrator status`, and run the command again"))
}

/// Says which down blocks are not those of this binary.
fn announce_recorded(context: &Context, plan: &Plan, history: &History) {
    for step in &plan.steps {
        let release = |version: &str| {
            let row = history.applied.iter().find(|row| row.version == version);
            row.and_then(|row| row.release.as_deref())
                .map(|release| format!(" by release {release}"))
                .unwrap_or_default()
        };
        if history.recorded.contains_key(step.version()) {
            context.progress.say(&format!(
                "{}: edited since it was applied; it is rolled back by the down block that was recorded{}",
                step.label(),
                release(step.version())
            ));
        }
    }
}

pub(crate) fn refuse_by_policy(context: &Context, history: &History) -> Result<(), Error> {
    match context.policy(history).filter(|policy| !policy.down) {
        None => Ok(()),
        Some(policy) => {
            Err(Error::new(Exit::Refused, format!("`down` is forbidden in the environment `{}`", policy.name))
                .help("go forward with a new migration; the policy is `down = false` in db/migrator.toml"))
        }
    }
}

pub(crate) fn ask(plan: &Plan, yes: bool) -> Result<(), Error> {
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
