//! `up`: apply what is pending.

use std::time::{Duration, Instant};

use super::options::{WAIT_LOCK, options};
use super::plan::PlanOptions;
use super::{audit, backup, drift, plan};
use crate::apply::{Beside, Executor, apply};
use crate::error::{Error, ErrorKind, Exit};
use crate::event::Applied;
use crate::history::History;
use crate::migrator::Migrator;
use crate::plan::{self as planning, Plan, Step};
use crate::session::{Locked, Session};
use crate::store;
use crate::words::{self, duration};

options! {
    /// Options of [`Session::up`].
    UpOptions {
        /// The last version to apply; the newest by default.
        to: Option<i64> = None,
        /// Also apply pending migrations below applied ones.
        allow_out_of_order: bool = false,
        /// Refuse a migration without a statement: it is not written yet, and once applied it can no longer be changed.
        refuse_empty: bool = false,
        /// Apply only if the plan has this digest.
        plan: Option<String> = None,
        /// Who approved the plan; some environments require it.
        approved_by: Option<String> = None,
        /// Which backup was made before, and where it is; some environments require it before data is destroyed.
        backup_reference: Option<String> = None,
        /// Send one migration at a time and make each durable before the next.
        one_by_one: bool = false,
        /// Run the data checks before and after.
        audit: bool = false,
        /// Refuse a schema that was changed by hand, and compare the schema with the compiled one afterwards.
        check_drift: bool = false,
        /// Begin a new history although this database has another one.
        new_history: bool = false,
        /// How long to wait for another migrator; 15 minutes by default.
        wait_lock: Duration = WAIT_LOCK,
    }
}

impl UpOptions {
    /// The part that decides about the plan.
    pub(crate) fn planning(&self) -> PlanOptions {
        PlanOptions { to: self.to, allow_out_of_order: self.allow_out_of_order, refuse_empty: self.refuse_empty }
    }

    fn beside(&self) -> Beside {
        if self.new_history { Beside::Allowed } else { Beside::Refused }
    }
}

/// The result of [`Session::up`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct UpReport {
    /// What this run has applied, in order.
    pub applied: Vec<Applied>,
    /// Whether another migrator has done the rest, or everything, meanwhile.
    pub by_another: bool,
    /// The newest version of the database now; `None` if there is none, or there was nothing to do.
    pub newest: Option<String>,
    /// How long it took since the lock was taken.
    pub took: Duration,
    /// The result of the checks and the comparison afterwards: [`Exit::Done`] if they were not requested or found nothing.
    pub verdict: Exit,
}

impl UpReport {
    /// `applied 3 migrations and 2 repeatables in 412 ms; the database is at 013`.
    pub fn sentence(&self) -> String {
        let report = self;
        let (counted, took) = (counted(&report.applied), duration(report.took));
        match (&report.applied[..], report.by_another) {
            ([], false) => "nothing to apply".to_owned(),
            ([], true) => "nothing to apply: another migrator has already done it".to_owned(),
            (_, true) => format!("applied {counted} in {took}; another migrator has done the rest"),
            (_, false) => {
                let at = report.newest.as_ref().map(|version| format!("; the database is at {version}"));
                format!("applied {counted} in {took}{}", at.unwrap_or_default())
            }
        }
    }

    fn nothing() -> UpReport {
        UpReport { applied: Vec::new(), by_another: false, newest: None, took: Duration::ZERO, verdict: Exit::Done }
    }
}

/// `3 migrations and 1 repeatable`.
fn counted(steps: &[Applied]) -> String {
    let migrations = steps.iter().filter(|step| step.direction.is_some()).count();
    let kinds = [(migrations, "migration"), (steps.len() - migrations, "repeatable")];
    let parts: Vec<String> =
        kinds.into_iter().filter(|(number, _)| *number > 0).map(|(number, noun)| words::count(number, noun)).collect();
    parts.join(" and ")
}

/// Plans, locks, plans again, applies.
pub(crate) async fn run(session: Session, options: &UpOptions) -> Result<UpReport, Error> {
    let plan = plan::up(&session.migrator, &session.history, &options.planning());
    let plan = match plan {
        // Another migrator may be running that very statement: the plan under the lock decides.
        Err(error) if matches!(error.kind(), ErrorKind::InDoubt { .. }) => None,
        // It may be rolling back, or half done: what does not fit now may fit when it has finished.
        Err(error) if matches!(error.kind(), ErrorKind::Diverged { .. }) && session.another().await?.is_some() => None,
        plan => Some(plan?),
    };
    session.announce();
    session.warn_of_writers();
    if !options.new_history {
        store::refuse_elsewhere(&session.history, &session.tables)?;
    }
    if let Some(plan) = &plan {
        session.migrator.warn_ahead(&plan.ahead);
    }
    if plan.as_ref().is_some_and(|plan| plan.steps.is_empty()) {
        if options.check_drift {
            drift::refuse(&session.migrator, &session.connection, &session.tables, &session.history).await?;
        }
        return Ok(UpReport::nothing());
    }
    let seen = plan.map(|plan| plan.ahead).unwrap_or_default();
    session.locked(options.wait_lock, async |locked| execute(locked, options, &seen).await).await
}

/// Plans again and applies. `seen`: the versions of a newer release that were warned of already.
async fn execute(locked: &mut Locked, options: &UpOptions, seen: &[String]) -> Result<UpReport, Error> {
    let begun = Instant::now();
    let Locked { executor, history } = locked;
    let migrator = &executor.migrator;
    let plan = plan::up(migrator, history, &options.planning())?;
    if plan.ahead != seen {
        migrator.warn_ahead(&plan.ahead);
    }
    if plan.steps.is_empty() {
        return Ok(UpReport { by_another: true, ..UpReport::nothing() });
    }
    let digest = plan.digest();
    approve(migrator, history, options, &digest)?;
    backup::require(migrator, history, &plan, options.backup_reference.as_deref())?;
    executor.run.approved_by.clone_from(&options.approved_by);
    executor.run.backup_reference = backup::given(options.backup_reference.as_deref()).map(str::to_owned);
    executor.run.plan_digest = Some(digest);
    executor.one_by_one = options.one_by_one;
    if options.check_drift {
        drift::refuse(migrator, &executor.connection, &executor.tables, history).await?;
    }
    if options.audit {
        audit::around(migrator, &executor.connection, "before").await?;
    }
    executor.prepare_with_steps(history, options.beside(), plan.steps.len()).await?;
    let applied = apply(executor, &plan).await?;
    let verdict = examine(executor, options).await?;
    Ok(UpReport {
        by_another: applied.len() < plan.steps.len(),
        newest: newest(&plan, applied.len(), history),
        took: begun.elapsed(),
        applied,
        verdict,
    })
}

/// Runs the checks that the options request once everything is applied; they can no longer refuse anything.
async fn examine(executor: &mut Executor, options: &UpOptions) -> Result<Exit, Error> {
    let mut verdict = Exit::Done;
    if options.audit {
        verdict = audit::around(&executor.migrator, &executor.connection, "after").await?;
    }
    if options.check_drift {
        let extent = store::Extent::Plan(executor.migrator.embedded);
        let history = store::read(&mut executor.connection, &executor.tables, extent, store::LONGEST_WAIT).await?;
        let drift = drift::after(&executor.migrator, &executor.connection, &executor.tables, &history).await?;
        // The worse of both: a check that cannot be run outweighs a difference.
        verdict = if verdict as u8 > drift as u8 { verdict } else { drift };
    }
    Ok(verdict)
}

/// The newest version after the first `count` steps. A migration that is out of order does not become the newest by being applied last.
fn newest(plan: &Plan, count: usize, history: &History) -> Option<String> {
    let version = |step: &'_ Step| match step {
        Step::Migration { migration, .. } => Some((migration.number, &*migration.version)),
        Step::Repeatable(_) => None,
    };
    let recorded = history.applied.iter().filter_map(|row| Some((row.number()?, &*row.version)));
    let newest = recorded.chain(plan.steps[..count].iter().filter_map(version)).max();
    newest.map(|(_, version)| version.to_owned())
}

/// Refuses what the environment's policy or the caller's digest does not allow.
fn approve(migrator: &Migrator, history: &History, options: &UpOptions, digest: &str) -> Result<(), Error> {
    if let Some(approved) = &options.plan {
        let differences = planning::differences(approved, digest);
        if !differences.is_empty() {
            let error = Error::refused("the plan is not the approved one").note("nothing was applied");
            let error = differences.into_iter().fold(error, Error::note);
            return Err(error
                .note(format!("the digest of this plan is {digest}"))
                .help("run `migrator plan`, have it approved, and pass its digest"));
        }
    }
    let needs_approval = migrator.policy(history).filter(|policy| policy.approval);
    let Some(policy) = needs_approval else { return Ok(()) };
    if options.approved_by.is_some() && options.plan.is_some() {
        return Ok(());
    }
    Err(Error::refused(format!("the environment `{}` requires an approved plan", policy.name))
        .note(format!("nothing was applied; the digest of this plan is {digest}"))
        .help("have the output of `migrator plan --sql` approved, then run `up --plan DIGEST --approved-by WHO`"))
}
