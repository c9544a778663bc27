//! What a run works with: the migrator, the sessions, where the history is.

use std::sync::Arc;

use tokio_postgres::Client;

use super::known::Known;
use super::monitor::Monitor;
use crate::cancel::Armed;
use crate::connect::Connection;
use crate::conninfo::ConnectionTarget;
use crate::embedded::{Block, Settings};
use crate::error::Error;
use crate::event::Event;
use crate::history::History;
use crate::migrator::Migrator;
use crate::plan::Step;
use crate::sql::{NewEvent, Run, SessionSettings, Tables, insert_event};
use crate::{lock, store};

/// From so many steps on, a new log's index is created after them: one row in it costs more than the same row while it is built.
const INDEX_AFTER: usize = 500;

/// Whether a history may be begun beside another one in the same database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// The caller has allowed it.
    Allowed,
    /// The other one may be the history of these very migrations: everything would run a second time.
    Refused,
}

/// Everything that a run needs: a session that holds the lock, and what to write into the history.
pub(crate) struct Executor {
    /// What is embedded, who listens, and whether the work is to stop.
    pub(crate) migrator: Migrator,
    /// The session.
    pub(crate) connection: Connection,
    /// A second session: it sees what blocks the first, and makes its commits durable while it is busy.
    pub(crate) monitor: Monitor,
    /// What is known of the session.
    pub(crate) known: Known,
    /// Where both are connected to, to check what is true once they are lost.
    pub(crate) target: ConnectionTarget,
    /// Where the history is.
    pub(crate) tables: Tables,
    /// Who runs.
    pub(crate) run: Run,
    /// While this lives, a cancellation reaches what the session runs.
    pub(crate) armed: Armed,
    /// True: one message at a time, each commit durable before the next is sent.
    pub(crate) one_by_one: bool,
}

impl Executor {
    /// Tells who listens.
    pub(crate) fn tell(&self, event: Event<'_>) {
        self.migrator.tell(event);
    }

    /// The session's settings for a block, or for statements of our own.
    pub(crate) fn session(&self, block: Option<&Block>) -> SessionSettings {
        let server = &self.connection.server;
        // The migration's own limit wins over the connection's, and that over the one in db/migrator.toml.
        let limit = |name: &str, own: Option<u64>, of_settings: u64| match own {
            None if server.limits.is_explicit(name) => None,
            own => Some(own.unwrap_or(of_settings)),
        };
        let Settings { lock_timeout_ms, statement_timeout_ms, .. } = self.migrator.embedded.settings;
        SessionSettings {
            lock_timeout_ms: limit(
                "lock_timeout",
                block.and_then(|block| block.options.lock_timeout_ms),
                lock_timeout_ms,
            ),
            statement_timeout_ms: limit(
                "statement_timeout",
                block.and_then(|block| block.options.statement_timeout_ms),
                statement_timeout_ms,
            ),
            server_version: server.version_number,
            limits: Arc::clone(&server.limits),
        }
    }

    /// Writes an event in a transaction of its own.
    ///
    /// # Errors
    /// The server's refusal, a lost connection.
    pub(crate) async fn record(&self, event: &NewEvent<'_>) -> Result<(), tokio_postgres::Error> {
        self.write(&insert_event(&self.tables, &self.run, event)).await
    }

    /// Runs statements of ours in one transaction, after the fence, in a clean session.
    ///
    /// # Errors
    /// The server's refusal, a lost connection; the session is never left inside a transaction.
    pub(crate) async fn write(&self, statements: &str) -> Result<(), tokio_postgres::Error> {
        self.known.forget();
        store::write(&self.connection, &self.tables, &self.run, &self.session(None), statements).await
    }

    /// Creates the history tables, or what they lack.
    ///
    /// # Errors
    /// Another history in this database; missing rights, a lost connection.
    pub(crate) async fn prepare(&self, history: &History, beside: Beside) -> Result<(), Error> {
        if history.complete {
            return Ok(());
        }
        self.refuse_elsewhere(history, beside)?;
        self.create(history).await
    }

    fn refuse_elsewhere(&self, history: &History, beside: Beside) -> Result<(), Error> {
        match beside {
            Beside::Allowed => Ok(()),
            Beside::Refused => store::refuse_elsewhere(history, &self.tables),
        }
    }

    /// The same ahead of so many steps; a history of which nothing is there yet is created in the turn of the first one.
    ///
    /// # Errors
    /// Same as for [`Executor::prepare`].
    pub(crate) async fn prepare_with_steps(
        &self,
        history: &History,
        beside: Beside,
        steps: usize,
    ) -> Result<(), Error> {
        let server = &self.connection.server;
        if history.complete || history.exists || server.state_table.is_some() {
            return self.prepare(history, beside).await;
        }
        self.refuse_elsewhere(history, beside)?;
        let index_is_due = steps >= INDEX_AFTER;
        let creation = store::creation_at_once(&self.tables, &self.run, !server.has_schema, !index_is_due);
        let mut known = self.known.get();
        (known.creation, known.tables_are_new, known.index_is_due) = (Some(creation), true, index_is_due);
        Ok(())
    }

    /// Creates what is to be created before a step that cannot take it along, or after that has failed.
    ///
    /// # Errors
    /// Same as for [`Executor::prepare`].
    pub(super) async fn create_unless_sent(&self, next: &Step) -> Result<(), Error> {
        let is_due = self.known.takes_creation(next.is_transactional());
        if is_due { self.create(&History::default()).await } else { Ok(()) }
    }

    /// What creates the log's index where that was left until the steps are done: the reset of the session, and a transaction.
    pub(super) fn index_if_due(&self) -> Option<[String; 2]> {
        let is_due = std::mem::take(&mut self.known.get().index_is_due);
        is_due.then(|| {
            self.known.forget();
            store::writing(&self.tables, &self.run, &self.session(None), &self.tables.create_index())
        })
    }

    /// Says that the log has no index yet: reading it takes longer, and the next run creates it.
    pub(super) fn tell_of_index(&self, cause: &str) {
        self.tell(Event::Warning(&format!("the event log has no index yet ({cause}); the next run creates it")));
    }

    /// The client of the second session, which is opened here if it is not yet.
    ///
    /// # Errors
    /// No connection.
    pub(crate) async fn monitor(&self) -> Result<&Client, Error> {
        self.monitor.client(&self.migrator, &self.target, &ours(&self.migrator, &self.connection)).await
    }

    /// The same for who can do without: none for a while after a connection could not be made.
    pub(super) async fn monitor_if_possible(&self) -> Option<&Client> {
        if self.monitor.has_just_failed() {
            return None;
        }
        let client = self.monitor().await.ok();
        self.monitor.note(client.is_some());
        client
    }

    async fn create(&self, history: &History) -> Result<(), Error> {
        self.known.forget();
        store::create(&self.connection, &self.tables, &self.run, &self.session(None), history).await
    }

    /// Gives the lock back: the next migrator need not wait until the server has noticed that this session is over.
    pub(crate) async fn finish(self) {
        drop(self.armed);
        lock::release(&self.connection).await;
    }
}

/// The settings of a session of this migrator that runs statements of ours alone.
pub(crate) fn ours(migrator: &Migrator, connection: &Connection) -> SessionSettings {
    SessionSettings {
        lock_timeout_ms: Some(migrator.embedded.settings.lock_timeout_ms),
        statement_timeout_ms: Some(0),
        server_version: connection.server.version_number,
        limits: Arc::clone(&connection.server.limits),
    }
}
