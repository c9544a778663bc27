//! `resolve`: a person decides about a statement whose outcome is unknown.

use std::time::Duration;

use super::down;
use super::options::{WAIT_LOCK, options};
use crate::connect::failed;
use crate::embedded::Migration;
use crate::error::Error;
use crate::history::{Direction, OpenStatement, Progress};
use crate::plan;
use crate::session::{Locked, Session};
use crate::sql::NewEvent;
use crate::units::{UnitKind, units};

options! {
    /// Options of [`Session::resolve`].
    ResolveOptions {
        /// How long to wait for another migrator; 15 minutes by default.
        wait_lock: Duration = WAIT_LOCK,
    }
}

/// The decision about a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Its effect is in the database: continue after it.
    Applied,
    /// Its effect is not in the database: run it again.
    Retry,
}

/// The result of [`Session::resolve`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ResolveReport {
    /// `010_index`.
    pub migration: String,
    /// The number of the statement.
    pub statement: i32,
    /// The decision.
    pub decision: Decision,
    /// The operation that continues.
    pub direction: Direction,
}

/// The statement that is next: the one that was begun, else the first that is not done.
fn open(migration: &'static Migration, progress: &Progress) -> Option<OpenStatement> {
    if progress.open.is_some() {
        return progress.open.clone();
    }
    let mut recorded =
        units(migration.block(progress.direction)?).into_iter().filter(|unit| unit.kind != UnitKind::Session);
    let unit = recorded.nth(progress.done.len())?;
    let number = i32::try_from(unit.number).ok()?;
    Some(OpenStatement { number, checksum: unit.checksum, failed: false, detail: None })
}

/// The migration of that version, or, of one that this binary does not have as it was applied, what was recorded with it.
async fn migration(session: &mut Session, version: i64) -> Result<&'static Migration, Error> {
    let Session { migrator, connection, tables, history, .. } = session;
    let survey = plan::survey(migrator.embedded, history);
    let entry = survey.entries.iter().find(|entry| entry.number == Some(version));
    if let Some(entry) = entry.filter(|entry| entry.progress.is_some() && entry.needs_recorded()) {
        down::read_recorded(migrator, connection, tables, history).await?;
        if let Some(recorded) = history.recorded.get(&*entry.version) {
            return Ok(recorded.migration);
        }
    }
    migrator.migration(version)
}

/// Writes the decision into the event log.
pub(crate) async fn run(
    mut session: Session,
    (version, statement): (i64, i32),
    decision: Decision,
    options: &ResolveOptions,
) -> Result<ResolveReport, Error> {
    let migration = migration(&mut session, version).await?;
    session.announce();
    session.locked(options.wait_lock, async |locked| decide(locked, migration, statement, decision).await).await
}

async fn decide(
    locked: &Locked,
    migration: &'static Migration,
    statement: i32,
    decision: Decision,
) -> Result<ResolveReport, Error> {
    let Locked { executor, history } = locked;
    let progress = history.progress().remove(&*migration.version);
    let open = progress.as_ref().and_then(|progress| open(migration, progress));
    let (Some(progress), Some(open)) = (&progress, open) else {
        return Err(Error::usage(format!("migration {} has no statement to resolve", migration.label()))
            .help("`migrator status` shows what is half-done"));
    };
    if open.number != statement {
        return Err(Error::usage(format!(
            "statement {statement} of migration {} is not the one to resolve: statement {} is",
            migration.label(),
            open.number
        ))
        .help("resolve the statement that `migrator status` shows"));
    }
    let word = match decision {
        Decision::Applied => "applied",
        Decision::Retry => "retry",
    };
    let event = NewEvent {
        action: "resolve",
        version: Some(&*migration.version),
        name: Some(&*migration.name),
        attempt: Some(progress.attempt),
        statement: Some((statement.unsigned_abs() as usize, &open.checksum)),
        outcome: "done",
        duration_ms: Some(0),
        detail: Some(word),
        ..NewEvent::default()
    };
    executor.record(&event).await.map_err(|error| failed("recording the decision", error))?;
    Ok(ResolveReport { migration: migration.label(), statement, decision, direction: progress.direction })
}
