//! `stamp`: record migrations as applied without running them, for a database that already has the schema.

use std::time::Duration;

use super::options::{WAIT_LOCK, options};
use crate::apply::Beside;
use crate::connect::failed;
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
    session.announce();
    session.locked(options.wait_lock, async |locked| stamp(locked, target).await).await
}

async fn stamp(locked: &Locked, target: Target) -> Result<StampReport, Error> {
    let Locked { executor, history } = locked;
    let plan = plan::up(executor.migrator.embedded, history, target, false)?;
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
