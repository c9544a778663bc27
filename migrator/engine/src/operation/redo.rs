//! `redo`: roll back the newest migration and apply it again.

use std::time::Duration;

use super::backup;
use super::down::{self, Permission};
use super::options::{WAIT_LOCK, options};
use crate::apply::apply;
use crate::error::Error;
use crate::event::Applied;
use crate::plan::{self, Plan, Step, Target};
use crate::session::{Locked, Session};
use crate::store::Extent;

options! {
    /// Options of [`Session::redo`].
    RedoOptions {
        /// Who approved it, for the history.
        approved_by: Option<String> = None,
        /// Which backup was made before, and where it is; some environments require it before data is destroyed.
        backup_reference: Option<String> = None,
        /// How long to wait for another migrator; 15 minutes by default.
        wait_lock: Duration = WAIT_LOCK,
    }
}

/// The result of [`Session::redo`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RedoReport {
    /// What was rolled back and applied, in order; empty: there was nothing.
    pub done: Vec<Applied>,
}

/// Plans, asks for permission, locks, rolls back, plans again, applies.
pub(crate) async fn run(
    mut session: Session,
    options: &RedoOptions,
    permit: impl FnOnce(&Plan) -> Result<(), Error>,
) -> Result<RedoReport, Error> {
    let plan = down::plan_unlocked(&mut session, Target::Steps(1)).await?;
    session.announce();
    let Some(number) = newest(&plan) else { return Ok(RedoReport { done: Vec::new() }) };
    refuse_newer(&session, &plan)?;
    let permission = Permission {
        approved_by: options.approved_by.as_deref(),
        backup_reference: backup::given(options.backup_reference.as_deref()),
    };
    down::refuse_by_policy(&session.migrator, &session.history, &plan, permission)?;
    permit(&plan)?;
    let work = async |locked: &mut Locked| redo(locked, &plan, number, permission).await;
    let done = session.locked(options.wait_lock, work).await?;
    Ok(RedoReport { done })
}

/// What this binary does not have it cannot apply again.
fn refuse_newer(session: &Session, plan: &Plan) -> Result<(), Error> {
    match plan.steps.iter().find(|step| down::is_newer(session.migrator.embedded, step)) {
        None => Ok(()),
        Some(step) => {
            let message = format!("cannot redo {}: it is newer than every migration in this binary", step.label());
            Err(Error::refused(message)
                .note("nothing was rolled back")
                .help("run the migrator of the release that contains it; this one can only roll it back, with `down`"))
        }
    }
}

async fn redo(
    locked: &mut Locked,
    plan: &Plan,
    number: i64,
    permission: Permission<'_>,
) -> Result<Vec<Applied>, Error> {
    // The way up must be permitted too, before anything is gone.
    let set = locked.executor.migrator.embedded;
    if let Some(migration) = set.migrations.iter().find(|migration| migration.number == number) {
        let up = Plan::new([Step::first_up(migration)]);
        down::refuse_by_policy(&locked.executor.migrator, &locked.history, &up, permission)?;
    }
    let mut done = down::execute(locked, plan, Target::Steps(1), permission).await?;
    locked.read(Extent::Plan(set)).await?;
    let up = plan::up(set, &locked.history, Target::Version(number), true)?.on(&locked.history);
    locked.executor.run.plan_digest = Some(up.digest());
    done.extend(apply(&locked.executor, &up).await?);
    Ok(done)
}

/// The version that is rolled back.
fn newest(plan: &Plan) -> Option<i64> {
    plan.steps.iter().find_map(|step| match step {
        Step::Migration { migration, .. } => Some(migration.number),
        Step::Repeatable(_) => None,
    })
}
