//! What the commands share: the migrator, the terminal, where to connect.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use crate::cancel::Cancellation;
use crate::conninfo::{ConnectionTarget, Environment};
use crate::embedded::{Blob, Release};
use crate::error::Error;
use crate::migrator::Migrator;
use crate::output::Terminal;
use crate::session::Session;
use crate::store::{self, Extent};

/// What a command line begins with.
pub(crate) struct Program {
    /// What is in the binary, not read yet.
    pub embedded: &'static Blob,
    /// Which binary this is.
    pub release: Release,
    /// What the person sees.
    pub terminal: Arc<Terminal>,
    /// Stops what runs.
    pub cancellation: Cancellation,
    /// The URL that was given.
    pub database_url: Option<String>,
    /// The command line's grammar.
    pub grammar: fn() -> clap::Command,
    /// The command line itself, the program's name first.
    pub line: Vec<OsString>,
}

impl Program {
    /// Reads what is embedded.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn context(&self) -> Result<Context, Error> {
        let migrator = Migrator::new(self.embedded.set()?)
            .release(self.release)
            .observer(Arc::clone(&self.terminal))
            .cancellation(&self.cancellation)
            .environment(std::env::var("MIGRATOR_ENV").ok().filter(|name| !name.is_empty()));
        Ok(Context { migrator, terminal: Arc::clone(&self.terminal), database_url: self.database_url.clone() })
    }
}

/// What a command works with.
#[derive(Clone)]
pub(crate) struct Context {
    /// Does the work.
    pub migrator: Migrator,
    /// What the person sees; it is the migrator's observer.
    pub terminal: Arc<Terminal>,
    /// The URL that was given.
    pub database_url: Option<String>,
}

impl Context {
    /// Where to connect.
    pub(crate) fn target(&self) -> Result<ConnectionTarget, Error> {
        ConnectionTarget::resolve(self.database_url.as_deref(), &Environment::of_process())
    }

    /// Connects and reads what a plan depends on; writes nothing.
    pub(crate) async fn connect(&self) -> Result<Session, Error> {
        self.connect_within(store::LONGEST_WAIT).await
    }

    /// The same for a command that waits at most so long for others.
    pub(crate) async fn connect_within(&self, wait: Duration) -> Result<Session, Error> {
        self.connect_reading(Extent::Plan(self.migrator.embedded()), wait).await
    }

    /// The same for a command that needs more of the history.
    pub(crate) async fn connect_reading(&self, extent: Extent, wait: Duration) -> Result<Session, Error> {
        self.migrator.connect_reading(&self.target()?, extent, wait).await
    }
}
