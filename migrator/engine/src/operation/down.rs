//! `down`: roll back, newest first.

use std::time::{Duration, Instant};

use super::backup;
use super::options::{WAIT_LOCK, options};
use crate::apply::{Beside, apply};
use crate::connect::Connection;
use crate::embedded::Embedded;
use crate::error::Error;
use crate::event::{Applied, Event};
use crate::history::{AppliedMigration, History};
use crate::migrator::Migrator;
use crate::plan::{self, Plan, Step, Target};
use crate::session::{Locked, Session};
use crate::sql::Tables;
use crate::store;
use crate::words::{count, duration};

options! {
    /// What [`Session::down`] rolls back.
    DownOptions {
        /// Roll back to this version, which stays applied; 0 rolls back everything.
        to: Option<i64> = None,
        /// Without `to`: the number of migrations to roll back; one by default.
        steps: usize = 1_usize,
        /// Who approved it, for the history.
        approved_by: Option<String> = None,
        /// Which backup was made before, and where it is; some environments require it before data is destroyed.
        backup_reference: Option<String> = None,
        /// How long to wait for another migrator; 15 minutes by default.
        wait_lock: Duration = WAIT_LOCK,
    }
}

/// The result of [`Session::down`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DownReport {
    /// What was rolled back, in order; empty: there was nothing.
    pub rolled_back: Vec<Applied>,
    /// Whether versions of a newer release were rolled back, and the repeatables of this one are to be applied again.
    pub repeatables_are_due: bool,
    /// The newest version that is still applied.
    pub newest: Option<String>,
    /// How long it took, the wait for the lock included.
    pub took: Duration,
}

impl DownReport {
    /// `rolled back 2 migrations in 412 ms; the database is at 011`.
    pub fn sentence(&self) -> String {
        if self.rolled_back.is_empty() {
            return "nothing to roll back".to_owned();
        }
        let counted = count(self.rolled_back.len(), "migration");
        let at = match &self.newest {
            Some(version) => format!("the database is at {version}"),
            None => "no migration is applied any more".to_owned(),
        };
        format!("rolled back {counted} in {}; {at}", duration(self.took))
    }
}

/// What goes into the history with a rollback.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permission<'a> {
    /// Who approved it.
    pub(super) approved_by: Option<&'a str>,
    /// The backup that was made before it.
    pub(super) backup_reference: Option<&'a str>,
}

/// Plans, asks for permission, locks, plans again, rolls back.
pub(crate) async fn run(
    mut session: Session,
    options: &DownOptions,
    permit: impl FnOnce(&Plan) -> Result<(), Error>,
) -> Result<DownReport, Error> {
    let target = options.to.map_or(Target::Steps(options.steps), Target::Version);
    let plan = plan_unlocked(&mut session, target).await?;
    session.announce();
    session.warn_of_writers();
    if plan.steps.is_empty() {
        return Ok(DownReport {
            rolled_back: Vec::new(),
            repeatables_are_due: false,
            newest: None,
            took: Duration::ZERO,
        });
    }
    let permission = Permission {
        approved_by: options.approved_by.as_deref(),
        backup_reference: backup::given(options.backup_reference.as_deref()),
    };
    refuse_by_policy(&session.migrator, &session.history, &plan, permission)?;
    permit(&plan)?;
    let begun = Instant::now();
    let work = async |locked: &mut Locked| {
        let rolled_back = execute(locked, &plan, target, permission).await?;
        let set = locked.executor.migrator.embedded;
        let newer = plan.steps.iter().filter(|step| is_newer(set, step)).count();
        let stay = plan::survey(set, &locked.history).ahead().len() > newer;
        let repeatables_are_due = newer > 0 && !stay && !set.repeatables.is_empty();
        let newest = newest_left(&locked.history, &plan);
        Ok(DownReport { rolled_back, repeatables_are_due, newest, took: begun.elapsed() })
    };
    session.locked(options.wait_lock, work).await
}

/// The newest version that a plan leaves applied.
fn newest_left(history: &History, plan: &Plan) -> Option<String> {
    let goes = |row: &&AppliedMigration| plan.steps.iter().any(|step| step.version() == row.version);
    let left = history.applied.iter().filter(|row| !goes(row));
    left.max_by_key(|row| row.number()).map(|row| row.version.to_string())
}

/// Plans again under the lock and rolls back.
pub(super) async fn execute(
    locked: &mut Locked,
    plan: &Plan,
    target: Target,
    permission: Permission<'_>,
) -> Result<Vec<Applied>, Error> {
    let Locked { executor, history } = locked;
    let migrator = &executor.migrator;
    let again = self::plan(migrator, &executor.connection, &executor.tables, history, target).await?;
    refuse_other(&again, plan)?;
    refuse_by_policy(migrator, history, plan, permission)?;
    announce_recorded(migrator, plan, history);
    executor.run.approved_by = permission.approved_by.map(str::to_owned);
    executor.run.backup_reference = permission.backup_reference.map(str::to_owned);
    executor.run.plan_digest = Some(plan.digest());
    executor.prepare(history, Beside::Refused).await?;
    apply(executor, plan).await
}

/// The plan before the lock is taken, while another migrator may be at work.
pub(crate) async fn plan_unlocked(session: &mut Session, target: Target) -> Result<Plan, Error> {
    let Session { migrator, connection, tables, history, .. } = session;
    let planned = plan(migrator, connection, tables, history, target).await;
    session.unless_it_runs(planned).await
}

/// What `down` does: by the blocks of this binary, or, where it does not have a migration as it was applied, by those that were
/// recorded.
async fn plan(
    migrator: &Migrator,
    connection: &Connection,
    tables: &Tables,
    history: &mut History,
    target: Target,
) -> Result<Plan, Error> {
    read_recorded(migrator, connection, tables, history).await?;
    let plan = plan::down(migrator.embedded, history, target)?;
    Ok(plan.on(history))
}

/// Reads the recorded down blocks that a rollback may need.
///
/// # Errors
/// A lost connection; exit code 8 where other roles may have written them.
pub(super) async fn read_recorded(
    migrator: &Migrator,
    connection: &Connection,
    tables: &Tables,
    history: &mut History,
) -> Result<(), Error> {
    let survey = plan::survey(migrator.embedded, history);
    let others = survey.entries.iter().filter(|entry| entry.needs_recorded());
    let versions: Vec<String> = others.map(|entry| entry.version.to_string()).collect();
    store::read_downs(connection, tables, history, &versions, &migrator.embedded.settings.history_writers).await
}

/// Whether this binary does not have the migration of a step.
pub(super) fn is_newer(set: &Embedded, step: &Step) -> bool {
    match step {
        Step::Migration { migration, .. } => !set.migrations.iter().any(|known| known.number == migration.number),
        Step::Repeatable(_) => false,
    }
}

/// Refuses a plan that is not the permitted one.
fn refuse_other(again: &Plan, plan: &Plan) -> Result<(), Error> {
    if again == plan {
        return Ok(());
    }
    Err(Error::refused("nothing was rolled back: another migrator has changed the history meanwhile")
        .help("check `migrator status`, then run the command again"))
}

/// Reports which down blocks are not those of this binary.
fn announce_recorded(migrator: &Migrator, plan: &Plan, history: &History) {
    for step in &plan.steps {
        let Some(down) = history.recorded.get(step.version()) else { continue };
        migrator.tell(Event::RollsBackRecorded {
            step: &step.label(),
            at: &down.at,
            release: down.release.as_deref(),
            is_newer: is_newer(migrator.embedded, step),
        });
    }
}

/// Refuses where the environment forbids it, or requires a backup first.
pub(super) fn refuse_by_policy(
    migrator: &Migrator,
    history: &History,
    plan: &Plan,
    permission: Permission<'_>,
) -> Result<(), Error> {
    match migrator.policy(history).filter(|policy| !policy.down) {
        None => backup::require(migrator, history, plan, permission.backup_reference),
        Some(policy) => Err(Error::refused(format!("`down` is forbidden in the environment `{}`", policy.name))
            .help("write a new migration instead; the policy is `down = false` in db/migrator.toml")),
    }
}
