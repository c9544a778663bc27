//! The second session: it sees what blocks the first one, and makes its commits durable while it is busy. Most runs need none.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;
use tokio_postgres::Client;

use super::executor::Executor;
use crate::connect::{Connection, connect};
use crate::error::Error;

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

impl Executor {
    /// The client of the second session, which is opened here if it is not yet.
    ///
    /// # Errors
    /// No connection.
    pub(crate) async fn monitor(&self) -> Result<&Client, Error> {
        // Boxed: it is part of the future of every operation, and large.
        let session = self.monitor.session.get_or_try_init(|| Box::pin(self.open_monitor()));
        session.await.map(|session| &session.client)
    }

    async fn open_monitor(&self) -> Result<Connection, Error> {
        // What the server says in it is nobody's business.
        let silent = std::sync::Arc::new(|_: &_| {});
        let session = connect(&self.target, self.migrator.release.version, silent).await?;
        session.set_up(&self.session_of_ours()).await?;
        Ok(session)
    }

    /// The same for who can do without: none for a while after a connection could not be made.
    pub(super) async fn monitor_if_possible(&self) -> Option<&Client> {
        let failed = || self.monitor.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed().is_some_and(|at| at.elapsed() < PAUSE) {
            return None;
        }
        let client = self.monitor().await.ok();
        *failed() = client.is_none().then(Instant::now);
        client
    }
}
