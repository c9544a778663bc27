//! What the commands share: connecting, locking, the environment's policy.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::apply::Executor;
use crate::connect::{Connection, NoticeSink, connect};
use crate::conninfo::{ConnectionTarget, Environment};
use crate::embedded::{Embedded, Migration, Release};
use crate::error::{Error, Exit};
use crate::history::History;
use crate::interrupt::Interrupt;
use crate::output::Progress;
use crate::plan::Plan;
use crate::sql::{Run, SessionSettings, Tables};
use crate::{lock, output, store};

/// What a command works with.
#[derive(Clone)]
pub(crate) struct Context {
    /// What is inside the binary.
    pub embedded: &'static Embedded,
    /// Which binary it is.
    pub release: Release,
    /// What the watcher sees.
    pub progress: Arc<Progress>,
    /// Whether somebody wants us to stop.
    pub interrupt: Arc<Interrupt>,
    /// The URL that was given.
    pub database_url: Option<String>,
    /// A target that is known already.
    pub target: Option<ConnectionTarget>,
}

/// Whether a history may be begun beside another one in the same database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// The person has said so.
    Allowed,
    /// It may be the history of these very migrations: everything would run a second time.
    Refused,
}

/// An open session and what the history said at its start.
pub(crate) struct Session {
    /// The session.
    pub connection: Connection,
    /// Where it goes.
    pub target: ConnectionTarget,
    /// Where the history is.
    pub tables: Tables,
    /// What it said.
    pub history: History,
}

impl Session {
    /// What another migrator does, if there is one: `is at work, pid 4711 (...)`, `has changed the history meanwhile`.
    ///
    /// # Errors
    /// A lost connection.
    pub(crate) async fn another(&self) -> Result<Option<String>, Error> {
        let holder = lock::holder(&self.connection, &self.tables).await?;
        if !holder.is_empty() {
            return Ok(Some(format!("is at work, {holder}")));
        }
        // It may have finished between our reading and our question.
        let (_, now) = store::look(&self.connection, &self.tables, store::LONGEST_WAIT).await?;
        let is_other = (&now.applied, &now.events) != (&self.history.applied, &self.history.events);
        Ok(is_other.then(|| "has changed the history meanwhile".to_owned()))
    }
}

impl Context {
    /// Where to connect.
    pub(crate) fn target(&self) -> Result<ConnectionTarget, Error> {
        match &self.target {
            Some(target) => Ok(target.clone()),
            None => ConnectionTarget::resolve(self.database_url.as_deref(), &Environment::of_process()),
        }
    }

    /// Connects and reads the history; writes nothing.
    pub(crate) async fn open(&self) -> Result<Session, Error> {
        self.open_within(store::LONGEST_WAIT).await
    }

    /// The same for a command that waits at most so long for others.
    pub(crate) async fn open_within(&self, wait: Duration) -> Result<Session, Error> {
        let target = self.target()?;
        for warning in &target.warnings {
            self.progress.warn(warning);
        }
        let tables = Tables::new(&self.embedded.settings);
        let begun = Instant::now();
        let mut connection = connect(&target, self.release.version, self.notices()).await?;
        let took = output::duration(begun.elapsed());
        let mode = target.ssl.mode.word();
        self.progress.detail(&format!("connected to {target} at {} in {took}, sslmode {mode}", connection.host));
        let history = store::read(&mut connection, &tables, wait.min(store::LONGEST_WAIT)).await?;
        self.progress.detail(&format!(
            "the history in {}: {} applied, {} events",
            tables.state,
            history.applied.len(),
            history.events.len()
        ));
        Ok(Session { connection, target, tables, history })
    }

    /// Where the server's notices go.
    pub(crate) fn notices(&self) -> NoticeSink {
        let watcher = Arc::clone(&self.progress);
        Arc::new(move |notice| watcher.notice(notice))
    }

    /// What a plan without the lock came to: a statement whose end is not known may be running at this moment, and what does not fit
    /// may fit when the other migrator has finished.
    pub(crate) async fn unless_it_runs(&self, session: &Session, plan: Result<Plan, Error>) -> Result<Plan, Error> {
        let Err(error) = plan else { return plan };
        if !matches!(error.exit(), Exit::InDoubt | Exit::Diverged) {
            return Err(error);
        }
        let Some(other) = session.another().await? else { return Err(error) };
        Err(Error::new(Exit::Locked, format!("nothing can be planned now: another migrator {other}"))
            .help("wait until it has finished; `migrator status` shows the statement that it runs"))
    }

    /// Says what makes the history doubtful: others who can write to it, another one in the same database.
    pub(crate) fn warn_of_others(&self, session: &Session) {
        self.warn_of_writers(session);
        if let Err(error) = store::refuse_elsewhere(&session.history, &session.tables) {
            self.progress.warn(&error.to_string());
        }
    }

    /// Says who else can write to the history.
    pub(crate) fn warn_of_writers(&self, session: &Session) {
        for (table, writers) in &session.history.writers {
            let allowed = self.embedded.settings.history_writers;
            let others: Vec<_> = writers.iter().filter(|writer| !allowed.contains(&writer.as_str())).collect();
            let Some(first) = others.first() else { continue };
            let names = others.iter().map(|writer| format!("`{writer}`")).collect::<Vec<_>>().join(", ");
            self.progress.warn(&format!(
                "{names} can write to the history in `{table}`: run `REVOKE ALL ON {table} FROM {first}`, or list the role under `writers` in [history] of db/migrator.toml"
            ));
        }
    }

    /// Says where a writing command is going to write.
    pub(crate) fn announce(&self, session: &Session) {
        let server = &session.connection.server;
        let environment = self.environment(&session.history);
        let version = server.version.split(' ').next().unwrap_or_default();
        self.progress.say(&format!(
            "{} · database {} · user {} · PostgreSQL {version}{}",
            session.connection.host,
            server.database,
            server.user,
            environment.map(|name| format!(" · environment {name}")).unwrap_or_default()
        ));
    }

    /// Says that a newer release has been here.
    pub(crate) fn warn_ahead(&self, ahead: &[String]) {
        if !ahead.is_empty() {
            self.progress.warn(&format!(
                "a newer release has migrated this database: it has {}, which this binary does not know; repeatables are left alone",
                output::list(ahead)
            ));
        }
    }

    /// The environment that the database says it is, else the one that `MIGRATOR_ENV` says.
    pub(crate) fn environment(&self, history: &History) -> Option<String> {
        let of_process = || std::env::var("MIGRATOR_ENV").ok().filter(|name| !name.is_empty());
        history.environment().map(str::to_owned).or_else(of_process)
    }

    /// The policy of the database's environment.
    pub(crate) fn policy(&self, history: &History) -> Option<&'static crate::embedded::Environment> {
        let name = self.environment(history)?;
        self.embedded.settings.environments.iter().find(|policy| policy.name == name)
    }

    /// Takes the lock and reads the history again: what was planned before may have been done by another migrator.
    pub(crate) async fn lock(&self, session: Session, wait: Duration) -> Result<(Executor, History), Error> {
        let Session { mut connection, target, tables, .. } = session;
        if connection.server.is_standby {
            let message = format!("cannot write to `{target}`: the server is a standby");
            return Err(Error::new(Exit::Refused, message).help("connect to the primary"));
        }
        let monitor = lock::refuse_pooler(&connection, &target, self.release.version).await?;
        let waiting = |holder: &str| self.progress.say(&format!("waiting for the migration lock: held by {holder}"));
        // Both sessions are ours alone: from here on they may be set up.
        let settings = SessionSettings {
            lock_timeout_ms: Some(self.embedded.settings.lock_timeout_ms),
            statement_timeout_ms: Some(0),
            server_version: connection.server.version_number,
            limits: Arc::clone(&connection.server.limits),
        };
        monitor.set_up(&settings).await?;
        let begun = Instant::now();
        // Both at once: the server does the one after the other.
        let taken = lock::acquire(&connection, &tables, wait, waiting);
        let (ready, taken) = futures_util::future::join(connection.set_up(&settings), taken).await;
        ready?;
        match taken {
            // Setting up was cut short and done again; meanwhile nothing else could be asked.
            Err(error) if error.exit() == Exit::Other => lock::acquire(&connection, &tables, wait, waiting).await?,
            taken => taken?,
        }
        let waited = output::duration(begun.elapsed());
        self.progress.detail(&format!(
            "the lock {} taken after {waited} by pid {}",
            tables.lock_key, connection.server.backend_pid
        ));
        let history = store::read(&mut connection, &tables, wait.min(store::LONGEST_WAIT)).await?;
        self.interrupt.arm(connection.server.backend_pid, connection.cancel.clone());
        let executor = Executor {
            connection,
            monitor,
            notices: self.notices(),
            target,
            tables,
            run: Run::new(self.release.version),
            settings: &self.embedded.settings,
            progress: Arc::clone(&self.progress),
            interrupt: Arc::clone(&self.interrupt),
            one_by_one: false,
        };
        Ok((executor, history))
    }

    /// The migration of that version.
    pub(crate) fn migration(&self, version: i64) -> Result<&'static Migration, Error> {
        let found = self.embedded.migrations.iter().find(|migration| migration.number == version);
        found.ok_or_else(|| {
            Error::new(Exit::Usage, format!("there is no migration {version} in this binary"))
                .help("`migrator list` shows those that are")
        })
    }
}

impl Executor {
    /// Creates the history tables, or what they lack.
    ///
    /// # Errors
    /// Another history in this database; missing rights, a lost connection.
    pub(crate) async fn prepare(&self, history: &History, beside: Beside) -> Result<(), Error> {
        if history.complete {
            return Ok(());
        }
        if beside == Beside::Refused {
            store::refuse_elsewhere(history, &self.tables)?;
        }
        store::create(&self.connection, &self.tables, &self.run, &self.session(None), history).await
    }

    /// Gives the lock back: the next migrator need not wait until the server has noticed that this session is over.
    pub(crate) async fn finish(self) {
        self.interrupt.disarm(self.connection.server.backend_pid);
        lock::release(&self.connection, &self.tables).await;
    }
}
