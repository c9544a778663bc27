//! What the commands share: the migrator, the terminal, where to connect.

use std::sync::Arc;
use std::time::Duration;

use crate::conninfo::{ConnectionTarget, Environment};
use crate::error::Error;
use crate::migrator::Migrator;
use crate::output::Terminal;
use crate::session::Session;

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

    /// Connects and reads the history; writes nothing.
    pub(crate) async fn connect(&self) -> Result<Session, Error> {
        self.migrator.connect(&self.target()?).await
    }

    /// The same for a command that waits at most so long for others.
    pub(crate) async fn connect_within(&self, wait: Duration) -> Result<Session, Error> {
        self.migrator.connect_within(&self.target()?, wait).await
    }
}
