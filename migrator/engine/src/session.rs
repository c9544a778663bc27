//! An open session, before and after it holds the migration lock.

mod taking;

use std::time::{Duration, Instant};

use crate::apply::{self, Beside, Executor, Known};
use crate::connect::{Connection, Server, connect};
use crate::conninfo::ConnectionTarget;
use crate::embedded::{Embedded, Script};
use crate::error::{Error, ErrorKind};
use crate::event::{Applied, Event};
use crate::facts::Facts;
use crate::history::History;
use crate::migrator::Migrator;
use crate::peers::Holder;
use crate::plan::Plan;
use crate::sql::{Run, Tables};
use crate::store::Extent;
use crate::{lock, store};
use taking::{at_once, one_by_one};

/// An open session and what the history said at its start.
///
/// Operations that read borrow it. Operations that write consume it, and give the migration lock back at the end. Connecting again
/// costs two round trips.
pub struct Session {
    pub(crate) migrator: Migrator,
    pub(crate) connection: Connection,
    pub(crate) target: ConnectionTarget,
    pub(crate) tables: Tables,
    pub(crate) history: History,
    /// How much of it was read.
    pub(crate) extent: Extent,
}

impl Migrator {
    /// Connects and reads the history: every row of the state table, and what decides of the event log. Writes nothing.
    ///
    /// # Errors
    /// No connection; a history that cannot be read or trusted.
    pub async fn connect(&self, target: &ConnectionTarget) -> Result<Session, Error> {
        self.connect_within(target, store::LONGEST_WAIT).await
    }

    /// The same, waiting for at most `wait`, and 30 seconds, while another session locks the history's tables exclusively.
    ///
    /// # Errors
    /// Same as for [`Migrator::connect`].
    pub async fn connect_within(&self, target: &ConnectionTarget, wait: Duration) -> Result<Session, Error> {
        self.connect_reading(target, Extent::Rows, wait).await
    }

    /// The same, reading so much of the history.
    ///
    /// # Errors
    /// Same as for [`Migrator::connect`].
    pub(crate) async fn connect_reading(
        &self,
        target: &ConnectionTarget,
        extent: Extent,
        wait: Duration,
    ) -> Result<Session, Error> {
        for warning in &target.warnings {
            self.tell(Event::Warning(warning));
        }
        let tables = Tables::new(&self.embedded.settings);
        let begun = Instant::now();
        let mut connection = connect(target, self.release.version, self.notices()).await?;
        self.tell(Event::Connected {
            target: &target.to_string(),
            host: &connection.host.to_string(),
            took: begun.elapsed(),
            sslmode: target.ssl.mode.word(),
        });
        let history = store::read(&mut connection, &tables, extent, wait.min(store::LONGEST_WAIT)).await?;
        self.tell(Event::HistoryRead {
            table: &tables.state,
            applied: history.applied.len(),
            events: history.events.len(),
        });
        Ok(Session {
            migrator: self.clone().on_road_of(&history),
            connection,
            target: target.clone(),
            tables,
            history,
            extent,
        })
    }
}

impl Session {
    /// The history when the session was opened.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// What is compiled in, as this database meets it: where a baseline stands for earlier migrations, and the database has begun
    /// with these, it goes on with them.
    pub fn embedded(&self) -> &'static Embedded {
        self.migrator.embedded
    }

    /// What the server says about itself and this session.
    pub fn server(&self) -> &Server {
        &self.connection.server
    }

    /// The client of the session, for queries of your own.
    pub fn client(&self) -> &tokio_postgres::Client {
        &self.connection.client
    }

    /// The environment that the database records, otherwise the migrator's.
    pub fn environment(&self) -> Option<String> {
        self.migrator.environment_of(&self.history)
    }

    /// The command that records what another tool has applied, where there is its history and none of ours: `up` refuses then.
    pub(crate) fn recording_command(&self) -> Option<String> {
        store::recording_command(&self.history)
    }

    /// The facts of the live schema.
    ///
    /// # Errors
    /// A lost connection; an object that another session is changing; a catalog that the role may not read.
    pub async fn facts(&self) -> Result<Facts, Error> {
        Facts::read(&self.connection, &self.tables).await
    }

    /// Reads the whole history, unless that has been done.
    ///
    /// # Errors
    /// A lost connection.
    pub(crate) async fn demand_whole(&mut self) -> Result<(), Error> {
        if !matches!(self.extent, Extent::Whole) {
            self.extent = Extent::Whole;
            self.history = store::read(&mut self.connection, &self.tables, self.extent, store::LONGEST_WAIT).await?;
            self.migrator = self.migrator.clone().on_road_of(&self.history);
        }
        Ok(())
    }

    /// The session that holds the migration lock at this moment, if one does.
    ///
    /// # Errors
    /// A lost connection.
    pub async fn holder(&self) -> Result<Option<Holder>, Error> {
        lock::holder(&self.connection, &self.tables).await
    }

    /// What another migrator does, if there is one: `is running, pid 4711 (...)`, `has changed the history meanwhile`.
    pub(crate) async fn another(&self) -> Result<Option<(String, Option<Holder>)>, Error> {
        if let Some(holder) = self.holder().await? {
            return Ok(Some((format!("is running, {holder}"), Some(holder))));
        }
        // It may have finished between our reading and our question.
        let (_, now) = store::look(&self.connection, &self.tables, self.extent, store::LONGEST_WAIT).await?;
        let is_other = (&now.applied, now.newest_event) != (&self.history.applied, self.history.newest_event);
        Ok(is_other.then(|| ("has changed the history meanwhile".to_owned(), None)))
    }

    /// Judges a plan that was made without the lock: a statement whose outcome is unknown may be running at this moment, and what
    /// does not fit may fit when the other migrator has finished.
    pub(crate) async fn unless_it_runs(&self, plan: Result<Plan, Error>) -> Result<Plan, Error> {
        let Err(error) = plan else { return plan };
        if !matches!(error.kind(), ErrorKind::InDoubt { .. } | ErrorKind::Diverged { .. }) {
            return Err(error);
        }
        let Some((other, holder)) = self.another().await? else { return Err(error) };
        Err(Error::locked(format!("cannot plan now: another migrator {other}"))
            .help("wait until it has finished; `migrator status` shows the statement that it is running")
            .held_by(holder))
    }

    /// Warns of what makes the history doubtful: other roles that can write to it, another history in the same database.
    pub(crate) fn warn_of_others(&self) {
        self.warn_of_writers();
        if let Err(error) = store::refuse_elsewhere(&self.history, &self.tables) {
            self.tell(Event::Warning(&error.to_string()));
        }
    }

    /// Warns of other roles that can write to the history.
    pub(crate) fn warn_of_writers(&self) {
        for (table, writers) in &self.history.writers {
            let allowed = &*self.migrator.embedded.settings.history_writers;
            let others: Vec<_> = writers.iter().filter(|writer| !allowed.iter().any(|role| role == *writer)).collect();
            let Some(first) = others.first() else { continue };
            let names = others.iter().map(|writer| format!("`{writer}`")).collect::<Vec<_>>().join(", ");
            self.tell(Event::Warning(&format!(
                "{names} can write to the history in `{table}`: run `REVOKE ALL ON {table} FROM {first}`, or list the role under `writers` in [history] of db/migrator.toml"
            )));
        }
    }

    /// Tells the observer where an operation is going to write.
    pub(crate) fn announce(&self) {
        let server = &self.connection.server;
        self.tell(Event::WritesTo {
            host: &self.connection.host.to_string(),
            database: &server.database,
            user: &server.user,
            version: server.version.split(' ').next().unwrap_or_default(),
            environment: self.environment().as_deref(),
        });
    }

    pub(crate) fn tell(&self, event: Event<'_>) {
        self.migrator.tell(event);
    }

    /// Takes the lock and reads the history again: what was planned before may have been done by another migrator. Waits for at most
    /// `wait`.
    ///
    /// # Errors
    /// Another migrator holds the lock; a standby; a transaction pooler; a lost connection.
    pub async fn lock(self, wait: Duration) -> Result<Locked, Error> {
        let Session { migrator, mut connection, target, tables, extent, .. } = self;
        if connection.server.is_standby {
            let message = format!("cannot write to `{target}`: the server is a standby");
            return Err(Error::refused(message).help("connect to the primary"));
        }
        let release = migrator.release.version;
        let monitor = match connection.is_direct() {
            true => None,
            false => Some(lock::refuse_pooler(&connection, &target, release).await?),
        };
        // Both sessions are ours alone, so they may be set up from here on.
        let settings = apply::settings_of_ours(&migrator, &connection);
        if let Some(monitor) = &monitor {
            monitor.set_up(&settings).await?;
        }
        let begun = Instant::now();
        let extent = extent.under_lock(migrator.embedded);
        let history = match at_once(&connection, &tables, &settings, extent, wait).await {
            Some(history) => history,
            None => one_by_one(&migrator, &mut connection, &tables, &settings, extent, wait).await,
        };
        let history = match history {
            Ok((server, history)) => {
                connection.server = server;
                history
            }
            Err(error) => {
                lock::release(&connection).await;
                return Err(error);
            }
        };
        // Another migrator may have begun meanwhile.
        let migrator = migrator.on_road_of(&history);
        let pid = connection.server.backend_pid;
        migrator.tell(Event::Locked { key: tables.lock_key, waited: begun.elapsed(), pid });
        let executor = Executor {
            armed: migrator.cancellation.arm(pid, connection.cancel.clone()),
            run: Run::new(release, pid),
            monitor: monitor.into(),
            known: Known::default(),
            migrator,
            connection,
            target,
            tables,
            one_by_one: false,
        };
        Ok(Locked { executor, history })
    }

    /// Does `work` under the lock, and gives the lock back however it ends: the next migrator need not wait until the server has
    /// noticed that this session is over.
    ///
    /// # Errors
    /// Same as for [`Session::lock`]; those of `work`.
    pub(crate) async fn locked<T>(
        self,
        wait: Duration,
        work: impl AsyncFnOnce(&mut Locked) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut locked = self.lock(wait).await?;
        let outcome = work(&mut locked).await;
        locked.release().await;
        outcome
    }
}

/// A session that holds the migration lock, for what no operation does: plans of your own, queries between two steps.
pub struct Locked {
    pub(crate) executor: Executor,
    pub(crate) history: History,
}

impl Locked {
    /// The history when it was last read.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Reads the history again, with the whole event log.
    ///
    /// # Errors
    /// A lost connection.
    pub async fn read_history(&mut self) -> Result<&History, Error> {
        self.read(Extent::Whole).await
    }

    /// Reads so much of the history again.
    ///
    /// # Errors
    /// A lost connection.
    pub(crate) async fn read(&mut self, extent: Extent) -> Result<&History, Error> {
        let Executor { connection, tables, .. } = &mut self.executor;
        self.history = store::read(connection, tables, extent, store::LONGEST_WAIT).await?;
        Ok(&self.history)
    }

    /// Creates the history tables, or what they lack, also beside another history.
    ///
    /// # Errors
    /// Missing rights, a lost connection.
    pub async fn create_history(&self) -> Result<(), Error> {
        self.executor.prepare(&self.history, Beside::Allowed).await
    }

    /// Carries out a plan, which has to fit the current history; returns the steps that this run has done.
    ///
    /// # Errors
    /// The first step that fails.
    pub async fn apply(&self, plan: &Plan) -> Result<Vec<Applied>, Error> {
        apply::apply(&self.executor, plan).await
    }

    /// Runs a seed in one transaction, with its event.
    ///
    /// # Errors
    /// What the server refused, a lost connection.
    pub async fn seed(&self, script: &'static Script) -> Result<(), Error> {
        apply::seed(&self.executor, script).await
    }

    /// The facts of the live schema.
    ///
    /// # Errors
    /// Same as for [`Session::facts`].
    pub async fn facts(&self) -> Result<Facts, Error> {
        Facts::read(&self.executor.connection, &self.executor.tables).await
    }

    /// What the server says about itself and this session.
    pub fn server(&self) -> &Server {
        &self.executor.connection.server
    }

    /// The client of the session that holds the lock.
    pub fn client(&self) -> &tokio_postgres::Client {
        &self.executor.connection.client
    }

    /// The client of a second session, which sees what the first one waits for; it is opened here if it is not yet.
    ///
    /// # Errors
    /// No connection.
    pub async fn monitor(&self) -> Result<&tokio_postgres::Client, Error> {
        self.executor.monitor().await
    }

    /// Gives the lock back and ends both sessions.
    pub async fn release(self) {
        self.executor.finish().await;
    }
}
