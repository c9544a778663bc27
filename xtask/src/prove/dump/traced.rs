//! `up` from zero that looks at each migration while it runs.

use std::time::Duration;

use crate::developer::Context;
use crate::prove::trace::{Subject, Tracer};
use migrator_engine::Error;
use migrator_engine::embedded::Migration;
use migrator_engine::locks::{LockFile, TracedMigration};
use migrator_engine::plan::{Plan, Step};

/// No one else is on the server.
const WAIT: Duration = Duration::from_secs(10);

/// Applies every migration to an empty database, and the repeatables; returns what each migration has locked.
///
/// Those that `known` begins with, with the same checksums, are applied without looking: what is before a migration has not changed
/// either, and so it locks the same.
///
/// # Errors
/// A migration does not go up, or cannot be looked at; not always in the words of `up`.
pub async fn up(context: &Context, known: &LockFile) -> Result<LockFile, Error> {
    let embedded = context.migrator.embedded();
    let session = context.connect().await?;
    session.refuse_empty(None)?;
    let locked = session.lock(WAIT).await?;
    locked.create_history().await?;
    let is_known = |(migration, traced): &(&'static Migration, &TracedMigration)| {
        traced.version == migration.version && traced.checksum == migration.checksum
    };
    let known: Vec<_> = embedded.migrations.iter().zip(known.migrations()).take_while(is_known).collect();
    locked.apply(&Plan::new(known.iter().map(|(migration, _)| Step::first_up(migration)))).await?;
    let mut traced: Vec<TracedMigration> = known.iter().map(|(_, traced)| (*traced).clone()).collect();
    let mut tracer = Tracer::new(&locked).await?;
    for migration in &embedded.migrations[traced.len()..] {
        traced.push(tracer.run(Subject::Migration(migration)).await?.kept(migration));
    }
    locked.apply(&Plan::new(embedded.repeatables.iter().map(Step::Repeatable))).await?;
    locked.release().await;
    Ok(LockFile::new(traced))
}
