//! `seed`: run a compiled seed file in one transaction.

use std::time::{Duration, Instant};

use super::backup;
use super::options::{WAIT_LOCK, options};
use crate::apply::{self, Beside};
use crate::embedded::Script;
use crate::error::Error;
use crate::migrator::Migrator;
use crate::session::{Locked, Session};
use crate::words;

options! {
    /// Options of [`Session::seed`].
    SeedOptions {
        /// Which backup was made before, and where it is; some environments require it before data is destroyed.
        backup_reference: Option<String> = None,
        /// How long to wait for another migrator; 15 minutes by default.
        wait_lock: Duration = WAIT_LOCK,
    }
}

/// The result of [`Session::seed`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SeedReport {
    /// The seed's name.
    pub name: &'static str,
    /// How long it took.
    pub took: Duration,
}

impl SeedReport {
    /// `seeded test (12 ms)`.
    pub fn sentence(&self) -> String {
        format!("seeded {} ({})", self.name, words::duration(self.took))
    }
}

/// The embedded seed of that name.
pub(crate) fn find(migrator: &Migrator, name: &str) -> Result<&'static Script, Error> {
    let seeds = &migrator.embedded.seeds;
    seeds.iter().find(|script| script.name == name).ok_or_else(|| {
        let known: Vec<&str> = seeds.iter().map(|script| &*script.name).collect();
        Error::usage(format!("there is no seed `{name}` in this binary"))
            .note(format!("seeds in this binary: {}", words::list(&known)))
            .help(format!("write `db/seeds/{name}.sql` and build again"))
    })
}

/// Locks and runs it.
pub(crate) async fn run(session: Session, name: &str, options: &SeedOptions) -> Result<SeedReport, Error> {
    let script = find(&session.migrator, name)?;
    session.announce();
    session.locked(options.wait_lock, async |locked| seed(locked, script, options).await).await
}

async fn seed(locked: &mut Locked, script: &'static Script, options: &SeedOptions) -> Result<SeedReport, Error> {
    let Locked { executor, history } = locked;
    if let Some(policy) = executor.migrator.policy(history)
        && policy.seeds.as_ref().is_some_and(|allowed| !allowed.contains(&script.name))
    {
        return Err(Error::refused(format!(
            "the seed `{}` is forbidden in the environment `{}`",
            script.name, policy.name
        ))
        .help("the policy is `seeds` under that environment in db/migrator.toml"));
    }
    let reference = options.backup_reference.as_deref();
    backup::require_for(&executor.migrator, history, script, reference)?;
    executor.run.backup_reference = backup::given(reference).map(str::to_owned);
    executor.prepare(history, Beside::Refused).await?;
    let begun = Instant::now();
    apply::seed(executor, script).await?;
    Ok(SeedReport { name: &script.name, took: begun.elapsed() })
}
