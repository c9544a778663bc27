//! `plan`: what `up` would do; writes nothing.

use super::options::options;
use crate::error::Error;
use crate::history::History;
use crate::migrator::Migrator;
use crate::plan::{self, Plan, Step, Target};
use crate::session::Session;

options! {
    /// Options of [`Session::plan`].
    PlanOptions {
        /// The last version to apply; the newest by default.
        to: Option<i64> = None,
        /// Also apply pending migrations below applied ones.
        allow_out_of_order: bool = false,
        /// Refuse a migration without a statement: it is not written yet, and once applied it can no longer be changed.
        refuse_empty: bool = false,
    }
}

/// Plans what `up` would do; warns if the history is doubtful.
pub(crate) async fn run(session: &Session, options: &PlanOptions) -> Result<Plan, Error> {
    let plan = up(&session.migrator, &session.history, options);
    session.warn_of_others();
    session.unless_it_runs(plan).await
}

/// The plan for that history.
pub(crate) fn up(migrator: &Migrator, history: &History, options: &PlanOptions) -> Result<Plan, Error> {
    let target = options.to.map_or(Target::Newest, Target::Version);
    let plan = plan::up(migrator.embedded, history, target, options.allow_out_of_order)?;
    if options.refuse_empty {
        refuse_empty(migrator, &plan)?;
    }
    Ok(plan)
}

fn refuse_empty(migrator: &Migrator, plan: &Plan) -> Result<(), Error> {
    let old = migrator.embedded.settings.start_after.unwrap_or(i64::MIN);
    let empty = plan.steps.iter().find_map(|step| match step {
        Step::Migration { migration, .. } if migration.up.statements.is_empty() && migration.number > old => {
            Some(migration)
        }
        _ => None,
    });
    let Some(migration) = empty else { return Ok(()) };
    Err(Error::refused(format!("migration {} has no statement in its up block", migration.label()))
        .note(format!("the file is `{}`; once applied, it can no longer be changed", migration.file))
        .help("write its SQL, then run `up` again; if it is meant to do nothing, write `SELECT 1;`"))
}
