//! The servers of the suite, and sessions that do not go through the proxy.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use migrator_postgres::{Builder, TemporaryServer};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// A server that may be crashed and started again while others talk to it.
pub(crate) struct Server {
    server: Mutex<TemporaryServer>,
    socket: PathBuf,
    /// The URL of a database without the database.
    url: String,
}

/// The socket of a server, which may be another one later.
pub(crate) type Address = Arc<Mutex<PathBuf>>;

impl Server {
    pub(crate) fn start(settings: Builder) -> Server {
        let server = settings.start().unwrap_or_else(|error| panic!("no PostgreSQL to test against: {error:#}"));
        let socket = server.socket_directory().join(format!(".s.PGSQL.{}", server.port()));
        Server { socket, url: server.url(""), server: Mutex::new(server) }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> Address {
        Arc::new(Mutex::new(self.socket.clone()))
    }

    /// The URL of a database, past any proxy.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("{}{database}", self.url)
    }

    /// Opens a session.
    pub(crate) fn session(&self, database: &str) -> Session {
        Session::open(&self.url(database)).unwrap_or_else(|error| panic!("{database}: {error:?}"))
    }

    /// Stops it at once, as a crash does, and starts it again.
    pub(crate) fn restart(&self) {
        let mut server = self.lock();
        server.crash().unwrap();
        server.start_again().unwrap();
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, TemporaryServer> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name for a database that nobody else uses.
pub(crate) fn database_name() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("c{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A session for statements of the suite.
pub(crate) struct Session {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

/// The columns of a row as text; NULL is `None`.
pub(crate) type Row = Vec<Option<String>>;

impl Session {
    /// Connects.
    pub(crate) fn open(url: &str) -> Result<Session, tokio_postgres::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (client, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls))?;
        runtime.spawn(connection);
        Ok(Session { runtime, client })
    }

    /// Runs SQL and returns the rows of all its statements.
    pub(crate) fn try_rows(&self, sql: &str) -> Result<Vec<Row>, tokio_postgres::Error> {
        let messages = self.runtime.block_on(self.client.simple_query(sql))?;
        let row = |message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
            }
            _ => None,
        };
        Ok(messages.into_iter().filter_map(row).collect())
    }

    /// The same of SQL that cannot fail.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Row> {
        self.try_rows(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    /// The first column of the first row; empty, if there is none.
    pub(crate) fn value(&self, sql: &str) -> String {
        self.rows(sql).into_iter().next().and_then(|row| row.into_iter().next().flatten()).unwrap_or_default()
    }
}
