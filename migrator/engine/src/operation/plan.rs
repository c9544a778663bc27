//! `plan`: what `up` would do; writes nothing.

use super::options::options;
use crate::embedded::Migration;
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
    // Nothing to apply is the same everywhere.
    Ok(if plan.steps.is_empty() { plan } else { plan.on(history) })
}

fn refuse_empty(migrator: &Migrator, plan: &Plan) -> Result<(), Error> {
    let migrations = plan.steps.iter().filter_map(|step| match step {
        Step::Migration { migration, .. } => Some(*migration),
        Step::Repeatable(_) => None,
    });
    refuse_the_empty_of(migrator, migrations)
}

/// Refuses an empty one of what is not applied, whatever else stands in the way of a plan.
pub(crate) fn refuse_pending_empty(session: &Session, to: Option<i64>) -> Result<(), Error> {
    let applied = |number: i64| session.history.applied.iter().any(|row| row.number() == Some(number));
    let is_pending =
        |migration: &&'static Migration| to.is_none_or(|to| migration.number <= to) && !applied(migration.number);
    refuse_the_empty_of(&session.migrator, session.migrator.embedded.migrations.iter().filter(is_pending))
}

fn refuse_the_empty_of(
    migrator: &Migrator,
    mut migrations: impl Iterator<Item = &'static Migration>,
) -> Result<(), Error> {
    let old = migrator.embedded.settings.start_after.unwrap_or(i64::MIN);
    let is_empty = |migration: &&Migration| migration.up.statements.is_empty() && migration.has_text();
    let empty = migrations.find(|migration| is_empty(migration) && migration.number > old);
    let Some(migration) = empty else { return Ok(()) };
    Err(Error::refused(format!("migration {} has no statement in its up block", migration.label()))
        .note(format!("the file is `{}`; once applied, it can no longer be changed", migration.file))
        .help("write its SQL, then run `up` again; if it is meant to do nothing, write `SELECT 1;`"))
}
