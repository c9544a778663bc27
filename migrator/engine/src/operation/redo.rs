//! `redo`: roll back the newest migration and apply it again.

use std::time::Duration;

use super::down;
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
    down::refuse_by_policy(&session.migrator, &session.history)?;
    permit(&plan)?;
    let done = session.locked(options.wait_lock, async |locked| redo(locked, &plan, number).await).await?;
    Ok(RedoReport { done })
}

async fn redo(locked: &mut Locked, plan: &Plan, number: i64) -> Result<Vec<Applied>, Error> {
    let mut done = down::execute(locked, plan, Target::Steps(1)).await?;
    locked.read(Extent::Plan(locked.executor.migrator.embedded)).await?;
    let up = plan::up(locked.executor.migrator.embedded, &locked.history, Target::Version(number), true)?;
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
