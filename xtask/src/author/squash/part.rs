//! What is to be squashed, and why not.

use std::fmt;

use anyhow::{Result, bail};
use migrator_engine::Embedded;
use migrator_engine::embedded::Migration;

use crate::output::Usage;

/// Why nothing was written: exit code 1.
#[derive(Debug)]
pub(super) struct Refused(pub(super) String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// What is to be squashed.
pub(super) struct Part {
    pub(super) embedded: &'static Embedded,
    /// From the first one of a new database to the last one that the baseline will stand for.
    pub(super) migrations: &'static [Migration],
    pub(super) last: &'static Migration,
}

impl Part {
    /// The migrations up to a version.
    ///
    /// # Errors
    /// There is no such version, or nothing before it.
    pub(super) fn of(embedded: &'static Embedded, to: i64) -> Result<Part> {
        let found = embedded.migrations.iter().position(|migration| migration.number == to);
        let Some(at) = found else {
            let squashed = embedded.squashed.iter().find(|squashed| squashed.migration.number == to);
            bail!(Usage(match (squashed, embedded.baseline()) {
                (Some(squashed), Some(baseline)) => format!(
                    "{} is squashed already: {} stands for it\nhelp: name a later version",
                    squashed.migration.label(),
                    baseline.label()
                ),
                _ => format!("there is no migration {to} in db/migrations"),
            }));
        };
        let migrations = &embedded.migrations[..=at];
        let last = &embedded.migrations[at];
        if migrations.len() < 2 {
            bail!(Usage(format!(
                "there is nothing to squash: {} is the first migration of a new database\nhelp: name a later version",
                last.label()
            )));
        }
        Ok(Part { embedded, migrations, last })
    }

    /// Those of them that people wrote: without an earlier baseline.
    pub(super) fn written(&self) -> impl Iterator<Item = &'static Migration> {
        let baseline = self.embedded.baseline().map(|baseline| baseline.number);
        self.migrations.iter().filter(move |migration| Some(migration.number) != baseline)
    }
}
