//! `up` from zero that looks at each migration while it runs.

use std::time::Duration;

use crate::developer::Context;
use crate::prove::trace::{Tracer, line};
use migrator_engine::Error;
use migrator_engine::embedded::Migration;
use migrator_engine::locks::{LockFile, TracedMigration, checksums};
use migrator_engine::plan::{Plan, Step};

/// No one else is on the server.
const WAIT: Duration = Duration::from_secs(10);

/// Applies every migration to an empty database, and the repeatables; returns what each migration has locked.
///
/// Those that `known` begins with are applied without looking, as long as the checksums show that neither they nor what is before them
/// has changed: so they lock the same.
///
/// # Errors
/// A migration does not go up, or cannot be looked at; not always in the words of `up`.
pub async fn up(context: &Context, known: &LockFile) -> Result<LockFile, Error> {
    let embedded = context.migrator.embedded();
    let session = context.connect().await?;
    session.refuse_empty(None)?;
    let locked = session.lock(WAIT).await?;
    locked.create_history().await?;
    let checksums: Vec<String> = checksums(&embedded.migrations).collect();
    let is_known = |(traced, checksum): &(&TracedMigration, &String)| traced.checksum == **checksum;
    let known = known.migrations().iter().zip(&checksums).take_while(is_known).zip(embedded.migrations.iter());
    let mut traced: Vec<_> = known.map(|((traced, _), migration)| as_written_now(traced, migration)).collect();
    locked.apply(&Plan::new(embedded.migrations[..traced.len()].iter().map(Step::first_up))).await?;
    let mut tracer = Tracer::new(&locked).await?;
    for (migration, checksum) in embedded.migrations.iter().zip(checksums).skip(traced.len()) {
        traced.push(tracer.run_quickly(migration).await?.kept(migration, checksum));
    }
    locked.apply(&Plan::new(embedded.repeatables.iter().map(Step::Repeatable))).await?;
    locked.release().await;
    Ok(LockFile::new(traced))
}

/// Comments are not in a checksum, but move what is below them.
fn as_written_now(traced: &TracedMigration, migration: &Migration) -> TracedMigration {
    let mut traced = traced.clone();
    for statement in &mut traced.statements {
        if let Some(written) = migration.up.statements.get(statement.number.wrapping_sub(1)) {
            statement.line = line(&migration.text, written.range.start);
        }
    }
    traced
}
