//! Scratch databases at the release, and what leads from there to the new schema.

use std::sync::Arc;

use migrator_engine::plan::{self, Step, Target};
use migrator_engine::{Error, Migrator};

use super::case::Case;
use crate::developer::Context;
use crate::prove::scratch::{Database, Scratch};

/// A new database with the schema that the release expects.
///
/// # Errors
/// Its migrations do not go up, a lost connection.
pub(super) async fn at_release(scratch: &Scratch<'_>, case: &Case<'_>) -> Result<Database, Error> {
    let context = scratch.empty().await?;
    let migrator = Migrator::new(case.before).observer(Arc::clone(&context.terminal));
    let migrator = migrator.cancellation(context.migrator.stop());
    let up = async {
        let mut database = Database::open(Context { migrator, ..context }).await?;
        database.up(Target::Newest, true).await?;
        Ok(database)
    };
    let told =
        |error: Error| error.note(format!("these are the migrations of `{}`, on a throwaway database", case.release));
    up.await.map_err(told)
}

/// The same database, seen by the migrations of the working tree.
///
/// # Errors
/// A lost connection.
pub(super) async fn as_next(scratch: &Scratch<'_>, old: Database) -> Result<Database, Error> {
    let target = old.context.target.clone();
    old.close().await;
    Database::open(scratch.context_of(target)).await
}

/// What is to be applied to it.
///
/// # Errors
/// The history does not fit, such as where a migration was changed; a lost connection.
pub(super) async fn pending(database: &mut Database, release: &str) -> Result<Vec<Step>, Error> {
    let history = database.history().await?;
    // Two branches may have been merged in the other order.
    let embedded = plan::begun(database.context.migrator.embedded(), &history);
    let plan = plan::up(embedded, &history, Target::Newest, true);
    Ok(plan
        .map_err(|obstacle| Error::from(obstacle).note(format!("this is what `up` says of a database at `{release}`")))?
        .steps)
}

/// `005_add_x`, `repeatable v`.
pub(super) fn label(step: &Step) -> String {
    match step {
        Step::Migration { migration, .. } => migration.label(),
        Step::Repeatable(script) => format!("repeatable {}", script.name),
    }
}
