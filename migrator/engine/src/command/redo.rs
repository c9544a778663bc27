//! `redo`: roll back the newest migration and apply it again.

use crate::apply::{Executor, apply};
use crate::command::context::Session;
use crate::command::{Context, Wait, down};
use crate::error::{Error, Exit};
use crate::history::History;
use crate::output::result;
use crate::plan::{self, Plan, Step, Target};
use crate::store;

/// The arguments of `redo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator redo --yes")]
pub(crate) struct Args {
    /// Do not ask.
    #[arg(long, env = "MIGRATOR_YES")]
    pub yes: bool,
    /// How long to wait for another migrator.
    #[command(flatten)]
    pub wait: Wait,
}

/// Plans, asks, locks, rolls back, plans again, applies.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let mut session: Session = context.open_within(args.wait.wait_lock).await?;
    let plan = down::plan_unlocked(context, &mut session, Target::Steps(1)).await?;
    context.announce(&session);
    let Some(number) = newest(&plan) else {
        result("nothing to redo");
        return Ok(Exit::Done);
    };
    down::refuse_by_policy(context, &session.history)?;
    down::ask(&plan, args.yes)?;
    let (mut executor, mut history) = context.lock(session, args.wait.wait_lock).await?;
    let outcome = redo(context, &mut executor, &mut history, &plan, number).await;
    executor.finish().await;
    outcome.map(|()| Exit::Done)
}

async fn redo(
    context: &Context,
    executor: &mut Executor,
    history: &mut History,
    plan: &Plan,
    number: i64,
) -> Result<(), Error> {
    down::execute(context, executor, history, plan, Target::Steps(1)).await?;
    let history = store::read(&mut executor.connection, &executor.tables, store::LONGEST_WAIT).await?;
    let up = plan::up(context.embedded, &history, Target::Version(number), true)?;
    executor.run.plan_digest = Some(up.digest());
    apply(executor, &up).await.map(|_| ())
}

/// The version that is rolled back.
fn newest(plan: &Plan) -> Option<i64> {
    plan.steps.iter().find_map(|step| match step {
        Step::Migration { migration, .. } => Some(migration.number),
        Step::Repeatable(_) => None,
    })
}
