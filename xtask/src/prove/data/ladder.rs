//! Databases at any version of the history: copies of one that only ever goes up.

use crate::developer::Context;
use crate::prove::scratch::{Database, Scratch};
use migrator_engine::Error;
use migrator_engine::embedded::Migration;
use migrator_engine::plan::{self, Target};

/// Makes them. Asked for in the order of the history, each migration is applied once for all of them.
pub(in crate::prove) struct Ladder<'a> {
    scratch: &'a Scratch<'a>,
    /// The one that is copied, and how many migrations are applied there.
    original: Option<(Context, usize)>,
}

impl<'a> Ladder<'a> {
    pub(in crate::prove) fn new(scratch: &'a Scratch<'a>) -> Ladder<'a> {
        Ladder { scratch, original: None }
    }

    /// A new database in which the first `count` migrations are applied, without repeatables and without a row that they have not made.
    ///
    /// # Errors
    /// One of them does not go up, a lost connection.
    pub(in crate::prove) async fn database(&mut self, count: usize) -> Result<Database, Error> {
        // What lies around could keep a role from being dropped.
        if !self.scratch.shares_nothing().await {
            self.original = None;
            return self.without_original(count).await;
        }
        let mut original = match self.original.take() {
            Some((context, at)) if at <= count => Database::open(context).await?,
            _ => self.scratch.database().await?,
        };
        go_up(&mut original, count).await?;
        let (context, version) = (original.context.clone(), original.locked.server().version_number);
        original.close().await;
        let copy = self.scratch.copy(&context, version).await?;
        self.original = Some((context, count));
        match copy {
            Some(copy) => Database::open(copy).await,
            None => self.without_original(count).await,
        }
    }

    async fn without_original(&self, count: usize) -> Result<Database, Error> {
        let mut database = self.scratch.database().await?;
        go_up(&mut database, count).await?;
        Ok(database)
    }

    /// Drops a database, soon or at once.
    pub(in crate::prove) async fn leave(&self, database: Database) {
        match self.scratch.shares_nothing().await {
            true => self.scratch.leave(database).await,
            false => self.scratch.discard(database).await,
        }
    }
}

/// Applies the first `count` migrations, as far as they are not.
async fn go_up(database: &mut Database, count: usize) -> Result<(), Error> {
    let migrations = &database.context.migrator.embedded().migrations;
    if let Some(newest) = count.checked_sub(1).and_then(|index| migrations.get(index)) {
        database.up(Target::Version(newest.number), false).await?;
    }
    Ok(())
}

/// Applies the next migration.
///
/// # Errors
/// It does not go up, a lost connection.
pub(super) async fn up(database: &mut Database, migration: &Migration) -> Result<(), Error> {
    database.up(Target::Version(migration.number), false).await.map(|_| ())
}

/// Rolls the newest migration back. A down block may rely on the repeatables: where it fails without them, with those that fit.
///
/// # Errors
/// The rollback fails, a lost connection.
pub(super) async fn down(database: &mut Database) -> Result<(), Error> {
    let Err(error) = try_down(database).await else { return Ok(()) };
    for script in database.context.migrator.embedded().repeatables.iter() {
        // One that needs what comes later cannot be there.
        let _ = database.locked.apply(&plan::Plan::new([plan::Step::Repeatable(script)])).await;
    }
    try_down(database).await.map_err(|_| error)
}

async fn try_down(database: &mut Database) -> Result<(), Error> {
    let history = database.history().await?;
    let plan = plan::down(database.context.migrator.embedded(), &history, Target::Steps(1))?;
    database.locked.apply(&plan).await.map(|_| ())
}
