//! `up`: apply what is pending.

use crate::apply::{Executor, apply};
use crate::command::context::Session;
use crate::command::{Beside, Context, Wait, audit, drift, plan as show_plan};
use crate::error::{Error, Exit};
use crate::history::History;
use crate::output::result;
use crate::plan::{self, Plan, Step, Target};
use crate::store;

/// The arguments of `up`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Example: migrator up --to 012")]
pub(crate) struct Args {
    /// Apply up to and with this version; the newest by default.
    #[arg(long, value_name = "VERSION")]
    pub to: Option<i64>,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: the SQL too.
    #[arg(long, requires = "dry_run")]
    pub sql: bool,
    /// Apply pending migrations also below applied ones.
    #[arg(long, env = "MIGRATOR_ALLOW_OUT_OF_ORDER")]
    pub allow_out_of_order: bool,
    /// Do it only if the plan has this digest (`migrator plan` shows it).
    #[arg(long, value_name = "DIGEST", env = "MIGRATOR_PLAN")]
    pub plan: Option<String>,
    /// Who approved it; some environments demand it.
    #[arg(long, value_name = "WHO", env = "MIGRATOR_APPROVED_BY")]
    pub approved_by: Option<String>,
    /// Send one migration at a time and make each durable before the next: slower, and simpler to follow in the server's log.
    #[arg(long, env = "MIGRATOR_ONE_BY_ONE")]
    pub one_by_one: bool,
    /// Run the checks before and after; exit code 1 if they find something afterwards.
    #[arg(long, env = "MIGRATOR_AUDIT")]
    pub audit: bool,
    /// Refuse a schema that somebody has changed by hand; exit code 1 if it is another one than the compiled one afterwards.
    #[arg(long, env = "MIGRATOR_CHECK_DRIFT")]
    pub check_drift: bool,
    /// Begin a history of its own although this database holds another one, of another tool or in another schema.
    #[arg(long)]
    pub new_history: bool,
    /// How long to wait for another migrator.
    #[command(flatten)]
    pub wait: Wait,
}

impl Args {
    fn target(&self) -> Target {
        self.to.map_or(Target::Newest, Target::Version)
    }

    fn beside(&self) -> Beside {
        if self.new_history { Beside::Allowed } else { Beside::Refused }
    }
}

/// Plans, locks, plans again, applies.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let session = context.open_within(args.wait.wait_lock).await?;
    let plan = up(context, &session.history, args);
    if args.dry_run {
        context.warn_of_others(&session);
        show_plan::print(&context.unless_it_runs(&session, plan).await?, args.sql);
        return Ok(Exit::Done);
    }
    let plan = match plan {
        // Another migrator may be in the midst of that very statement: whoever has the lock can tell.
        Err(error) if error.exit() == Exit::InDoubt => None,
        // It may be rolling back, or half through: what does not fit now may fit when it has finished.
        Err(error) if error.exit() == Exit::Diverged && session.another().await?.is_some() => None,
        plan => Some(plan?),
    };
    context.announce(&session);
    context.warn_of_writers(&session);
    if !args.new_history {
        store::refuse_elsewhere(&session.history, &session.tables)?;
    }
    if let Some(plan) = &plan {
        context.warn_ahead(&plan.ahead);
    }
    execute(context, args, session, plan).await
}

fn up(context: &Context, history: &History, args: &Args) -> Result<Plan, Error> {
    let plan = plan::up(context.embedded, history, args.target(), args.allow_out_of_order)?;
    refuse_empty(context, &plan)?;
    Ok(plan)
}

/// In development a migration without a statement is one that is not written yet: applied, it could not be changed any more.
fn refuse_empty(context: &Context, plan: &Plan) -> Result<(), Error> {
    if !cfg!(feature = "dev") {
        return Ok(());
    }
    let old = context.embedded.settings.start_after.unwrap_or(i64::MIN);
    let is_empty = |step: &&Step| matches!(step, Step::Migration { migration, .. } if migration.up.statements.is_empty() && migration.number > old);
    let Some(step) = plan.steps.iter().find(is_empty) else { return Ok(()) };
    let Step::Migration { migration, .. } = step else { return Ok(()) };
    Err(Error::new(Exit::Refused, format!("migration {} has no statement in its up block", migration.label()))
        .note(format!("the file is `{}`; once applied, it could not be changed any more", migration.file))
        .help("write its SQL, then run `up` again; if it is meant to do nothing, write `SELECT 1;`"))
}

/// `plan`: what has been planned without the lock, where that could be done.
async fn execute(context: &Context, args: &Args, session: Session, plan: Option<Plan>) -> Result<Exit, Error> {
    if plan.as_ref().is_some_and(|plan| plan.steps.is_empty()) {
        if args.check_drift {
            drift::refuse(context, &session.connection, &session.tables, &session.history).await?;
        }
        result("nothing to apply");
        return Ok(Exit::Done);
    }
    let (mut executor, history) = context.lock(session, args.wait.wait_lock).await?;
    let seen = plan.map(|plan| plan.ahead).unwrap_or_default();
    let outcome = execute_locked(context, args, &mut executor, &history, &seen).await;
    // Also after a failure: who comes next need not wait until the server has noticed that this session is over.
    executor.finish().await;
    let (exit, summary) = outcome?;
    result(&summary);
    Ok(exit)
}

/// Plans again and applies; returns the exit code and what is to be said at the end. `seen`: the versions of a newer release that were
/// warned of already.
async fn execute_locked(
    context: &Context,
    args: &Args,
    executor: &mut Executor,
    history: &History,
    seen: &[String],
) -> Result<(Exit, String), Error> {
    let begun = std::time::Instant::now();
    let plan = up(context, history, args)?;
    if plan.ahead != seen {
        context.warn_ahead(&plan.ahead);
    }
    if plan.steps.is_empty() {
        return Ok((Exit::Done, NOTHING_LEFT.to_owned()));
    }
    let digest = plan.digest();
    approve(context, history, args, &digest)?;
    executor.run.approved_by.clone_from(&args.approved_by);
    executor.run.plan_digest = Some(digest);
    executor.one_by_one = args.one_by_one;
    if args.check_drift {
        drift::refuse(context, &executor.connection, &executor.tables, history).await?;
    }
    if args.audit {
        audit::around(context, &executor.connection, "before").await?;
    }
    executor.prepare(history, args.beside()).await?;
    let done = apply(executor, &plan).await?;
    let exit = examine(context, args, executor).await?;
    let summary = match done {
        0 => NOTHING_LEFT.to_owned(),
        done if done < plan.steps.len() => {
            let own = counted(&plan.steps[..done]);
            format!("applied {own} in {}; another migrator has done the rest", crate::output::duration(begun.elapsed()))
        }
        done => summary(&plan.steps[..done], history, begun.elapsed()),
    };
    Ok((exit, summary))
}

/// What the caller wants looked at when everything is applied; nothing of it can be refused any more.
async fn examine(context: &Context, args: &Args, executor: &mut Executor) -> Result<Exit, Error> {
    let mut exit = Exit::Done;
    if args.audit {
        exit = audit::around(context, &executor.connection, "after").await?;
    }
    if args.check_drift {
        let history = store::read(&mut executor.connection, &executor.tables, store::LONGEST_WAIT).await?;
        let drift = drift::after(context, &executor.connection, &executor.tables, &history).await?;
        // The worse of both: a check that cannot be run outweighs a difference.
        exit = if exit as u8 > drift as u8 { exit } else { drift };
    }
    Ok(exit)
}

/// What is said where another migrator was faster.
const NOTHING_LEFT: &str = "nothing to apply: another migrator has done it meanwhile";

/// `applied 3 migrations and 2 repeatables in 412 ms; the database is at 013`.
fn summary(steps: &[Step], history: &History, elapsed: std::time::Duration) -> String {
    let version = |step: &'_ Step| match step {
        Step::Migration { migration, .. } => Some((migration.number, migration.version.to_owned())),
        Step::Repeatable(_) => None,
    };
    // A migration that is out of order does not become the newest by being applied last.
    let recorded = history.applied.iter().filter_map(|row| Some((row.number()?, row.version.clone())));
    let newest = recorded.chain(steps.iter().filter_map(version)).max();
    let at = newest.map(|(_, version)| format!("; the database is at {version}")).unwrap_or_default();
    format!("applied {} in {}{at}", counted(steps), crate::output::duration(elapsed))
}

/// `3 migrations and 1 repeatable`.
fn counted(steps: &[Step]) -> String {
    let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    let migrations = steps.iter().filter(|step| matches!(step, Step::Migration { .. })).count();
    let kinds = [(migrations, "migration"), (steps.len() - migrations, "repeatable")];
    let parts: Vec<String> =
        kinds.into_iter().filter(|(number, _)| *number > 0).map(|(number, noun)| count(number, noun)).collect();
    parts.join(" and ")
}

/// Refuses what the environment's policy or the caller's digest does not allow.
fn approve(context: &Context, history: &History, args: &Args, digest: &str) -> Result<(), Error> {
    if let Some(expected) = &args.plan
        && expected != digest
    {
        return Err(Error::new(
            Exit::Refused,
            format!("the plan is not the approved one: its digest is {digest}, approved was {expected}"),
        )
        .help("run `migrator plan`, have it approved, and pass its digest"));
    }
    let needs_approval = context.policy(history).filter(|policy| policy.approval);
    let Some(policy) = needs_approval else { return Ok(()) };
    if args.approved_by.is_some() && args.plan.is_some() {
        return Ok(());
    }
    Err(Error::new(Exit::Refused, format!("the environment `{}` demands an approved plan", policy.name))
        .note(format!("nothing was applied; the digest of this plan is {digest}"))
        .help("have the output of `migrator plan --sql` approved, then run `up --plan DIGEST --approved-by WHO`"))
}
