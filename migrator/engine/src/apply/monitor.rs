//! The second session: it sees what blocks the first one, and makes its commits durable while it is busy. Most runs need none.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;
use tokio_postgres::Client;

use crate::connect::{Connection, connect};
use crate::conninfo::ConnectionTarget;
use crate::error::Error;
use crate::migrator::Migrator;
use crate::sql::SessionSettings;

/// How long after a connection that could not be made another one is tried: the server may be full.
const PAUSE: Duration = Duration::from_secs(10);

/// The second session, opened when it is needed first.
#[derive(Default)]
pub(crate) struct Monitor {
    session: OnceCell<Connection>,
    failed: Mutex<Option<Instant>>,
}

impl From<Option<Connection>> for Monitor {
    fn from(session: Option<Connection>) -> Monitor {
        Monitor { session: OnceCell::new_with(session), ..Monitor::default() }
    }
}

impl Monitor {
    /// Its client. The session is opened here if it is not yet.
    ///
    /// # Errors
    /// No connection.
    pub(super) async fn client(
        &self,
        migrator: &Migrator,
        target: &ConnectionTarget,
        settings: &SessionSettings,
    ) -> Result<&Client, Error> {
        // Boxed: it is part of the future of every operation, and large.
        let session = self.session.get_or_try_init(|| Box::pin(open(migrator, target, settings)));
        session.await.map(|session| &session.client)
    }

    /// Whether it was tried a moment ago, and could not be opened.
    pub(super) fn has_just_failed(&self) -> bool {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|at| at.elapsed() < PAUSE)
    }

    /// Takes note of how a try has ended.
    pub(super) fn note(&self, is_open: bool) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = (!is_open).then(Instant::now);
    }
}

async fn open(migrator: &Migrator, target: &ConnectionTarget, settings: &SessionSettings) -> Result<Connection, Error> {
    // Its notices are not those of a migration.
    let silent = std::sync::Arc::new(|_: &_| {});
    let session = connect(target, migrator.release.version, silent).await?;
    session.set_up(settings).await?;
    Ok(session)
}
