//! `down`: roll back, newest first.

use std::time::Duration;

use super::options::{WAIT_LOCK, options};
use crate::apply::{Beside, apply};
use crate::connect::Connection;
use crate::error::Error;
use crate::event::{Applied, Event};
use crate::history::History;
use crate::migrator::Migrator;
use crate::plan::{self, Plan, State, Target};
use crate::session::{Locked, Session};
use crate::sql::Tables;
use crate::store;

options! {
    /// What [`Session::down`] rolls back.
    DownOptions {
        /// Roll back to this version, which stays applied; 0 rolls back everything.
        to: Option<i64> = None,
        /// Without `to`: the number of migrations to roll back; one by default.
        steps: usize = 1_usize,
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
        return Ok(DownReport { rolled_back: Vec::new() });
    }
    refuse_by_policy(&session.migrator, &session.history)?;
    permit(&plan)?;
    let rolled_back = session.locked(options.wait_lock, async |locked| execute(locked, &plan, target).await).await?;
    Ok(DownReport { rolled_back })
}

/// Plans again under the lock and rolls back.
pub(super) async fn execute(locked: &mut Locked, plan: &Plan, target: Target) -> Result<Vec<Applied>, Error> {
    let Locked { executor, history } = locked;
    let migrator = &executor.migrator;
    let again = self::plan(migrator, &executor.connection, &executor.tables, history, target).await?;
    refuse_other(&again, plan)?;
    refuse_by_policy(migrator, history)?;
    announce_recorded(migrator, plan, history);
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

/// What `down` does: by the blocks of this binary, or, where a migration was edited since, by those that were recorded.
async fn plan(
    migrator: &Migrator,
    connection: &Connection,
    tables: &Tables,
    history: &mut History,
    target: Target,
) -> Result<Plan, Error> {
    let survey = plan::survey(migrator.embedded, history);
    let is_lost = |entry: &&plan::Entry| {
        entry.applied.is_some() && entry.migration.is_some_and(|migration| !migration.has_text())
    };
    let lost = survey.entries.iter().filter(is_lost);
    let edited: Vec<String> = survey.of(State::Changed).chain(lost).map(|entry| entry.version.clone()).collect();
    store::read_downs(connection, tables, history, &edited, &migrator.embedded.settings.history_writers).await?;
    Ok(plan::down(migrator.embedded, history, target)?)
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
    for step in plan.steps.iter().filter(|step| history.recorded.contains_key(step.version())) {
        let row = history.applied.iter().find(|row| row.version == step.version());
        let release = row.and_then(|row| row.release.as_deref());
        migrator.tell(Event::RollsBackRecorded { step: &step.label(), release });
    }
}

/// Refuses where the environment forbids it.
pub(super) fn refuse_by_policy(migrator: &Migrator, history: &History) -> Result<(), Error> {
    match migrator.policy(history).filter(|policy| !policy.down) {
        None => Ok(()),
        Some(policy) => Err(Error::refused(format!("`down` is forbidden in the environment `{}`", policy.name))
            .help("write a new migration instead; the policy is `down = false` in db/migrator.toml")),
    }
}
