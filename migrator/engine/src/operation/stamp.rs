//! `stamp`: record migrations as applied without running them, for a database that already has the schema.

use std::time::Duration;

use super::drift;
use super::options::{WAIT_LOCK, options};
use crate::adopt::traces;
use crate::apply::Beside;
use crate::connect::failed;
use crate::embedded::Embedded;
use crate::error::Error;
use crate::plan::{self, Step, Target};
use crate::recorded;
use crate::session::{Locked, Session};
use crate::sql::{NewEvent, insert_event, insert_state};

options! {
    /// Options of [`Session::stamp`].
    StampOptions {
        /// The last version to record; every migration of this binary by default.
        to: Option<i64> = None,
        /// Refuse a schema that is not the compiled one, which is that of the newest version.
        verify: bool = false,
        /// How long to wait for another migrator; 15 minutes by default.
        wait_lock: Duration = WAIT_LOCK,
    }
}

/// The result of [`Session::stamp`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StampReport {
    /// The recorded migrations, `001_init`; empty if there was nothing to record.
    pub stamped: Vec<String>,
}

/// Plans like `up` and writes the history rows only, all in one transaction.
pub(crate) async fn run(session: Session, options: &StampOptions) -> Result<StampReport, Error> {
    let target = options.to.map_or(Target::Newest, Target::Version);
    let verify = options.verify;
    if let Some(to) = options.to.filter(|_| verify) {
        whole(session.migrator.embedded, to)?;
    }
    session.announce();
    session.locked(options.wait_lock, async |locked| stamp(locked, target, verify).await).await
}

/// Refuses to compare with a schema that this binary does not know.
fn whole(set: &Embedded, to: i64) -> Result<(), Error> {
    let newest = set.migrations.last().filter(|newest| newest.number > to);
    let Some(newest) = newest else { return Ok(()) };
    Err(Error::usage(format!(
        "cannot verify the schema of version {to}: this binary knows only that of {}",
        newest.version
    ))
    .help(format!("run `cargo xtask migrate stamp --to {to} --verify`, which makes that schema on a throwaway server")))
}

async fn stamp(locked: &Locked, target: Target, verify: bool) -> Result<StampReport, Error> {
    let Locked { executor, history } = locked;
    let embedded = match target {
        // It has the schema of that version, by whatever road.
        Target::Version(version) if history.applied.is_empty() => executor.migrator.roads.to(version),
        _ => executor.migrator.embedded,
    };
    let plan = plan::up(embedded, history, target, false)?;
    if verify {
        drift::verify(&executor.migrator, &executor.connection, &executor.tables, &traces(history)).await?;
    }
    let migrations = plan.steps.iter().filter_map(|step| match step {
        Step::Migration { migration, .. } => Some(*migration),
        Step::Repeatable(_) => None,
    });
    let mut statements = Vec::new();
    let mut stamped = Vec::new();
    for migration in migrations {
        let label = (&*migration.version, &*migration.name, &*migration.checksum);
        let down_block = recorded::encode(migration);
        let event = NewEvent {
            down_block: Some(&down_block),
            action: "stamp",
            version: Some(&*migration.version),
            name: Some(&*migration.name),
            checksum: Some(&*migration.checksum),
            outcome: "done",
            duration_ms: Some(0),
            ..NewEvent::default()
        };
        statements.push(insert_state(&executor.tables, &executor.run, label, Some(0)));
        statements.push(insert_event(&executor.tables, &executor.run, &event));
        stamped.push(migration.label());
    }
    if !stamped.is_empty() {
        executor.prepare(history, Beside::Allowed).await?;
        let written = executor.write(&statements.join(";\n")).await;
        written.map_err(|error| failed("recording the migrations", error))?;
    }
    Ok(StampReport { stamped })
}
