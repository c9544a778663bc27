//! Opens a session: connects, learns what the server is, passes its notices on.

use std::future::poll_fn;
use std::sync::Arc;

use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{AsyncMessage, Client, NoTls, SimpleQueryMessage, SimpleQueryRow};

use crate::error::{Error, Exit};
use crate::sql::{SessionSettings, session};
use crate::target::ConnectionTarget;

/// Receives the server's notices and warnings as they arrive.
pub(crate) type NoticeSink = Arc<dyn Fn(&DbError) + Send + Sync>;

/// An open session.
pub(crate) struct Connection {
    /// The client half; the other half runs as a task of the runtime.
    pub client: Client,
    /// What the server says about itself.
    pub server: Server,
}

/// What the server says about itself and this session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Server {
    /// `server_version`: `15.18 (Debian 15.18-0+deb12u1)`.
    pub version: String,
    /// `server_version_num`.
    pub version_number: i32,
    /// The database.
    pub database: String,
    /// The user who acts.
    pub user: String,
    /// The process of this session on the server.
    pub backend_pid: i32,
    /// True: a standby, which nothing can be written to.
    pub is_standby: bool,
}

/// Connects.
///
/// # Errors
/// Exit code 6 with the server's own words, and never a password.
pub(crate) async fn connect(
    target: &ConnectionTarget,
    release: &str,
    notices: NoticeSink,
) -> Result<Connection, Error> {
    let mut config = target.config().clone();
    if config.get_application_name().is_none() {
        config.application_name(format!("migrator {release}"));
    }
    let (client, mut connection) = config.connect(NoTls).await.map_err(|error| refused(target, &error))?;
    tokio::spawn(async move {
        // The task ends with the session; what ended it reaches the client as the error of its request.
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notice(notice) = message {
                // The answers before it are with their readers already: they run first, so that the notice is shown
                // under what was running when it was raised.
                tokio::task::yield_now().await;
                notices(&notice);
            }
        }
    });
    Ok(Connection { client, server: Server::default() })
}

impl Connection {
    /// Puts the role's defaults out of force; only for a session that is ours alone.
    ///
    /// # Errors
    /// The server's refusal, a lost connection.
    pub(crate) async fn set_up(&self, settings: &SessionSettings) -> Result<(), Error> {
        let text = session(settings);
        let done = patiently(async || self.client.batch_execute(&text).await).await;
        done.map_err(|error| failed("setting up the session", &error))
    }
}

/// The rows of a simple query; column values are text.
pub(crate) fn rows(messages: Vec<SimpleQueryMessage>) -> Vec<SimpleQueryRow> {
    let row = |message| if let SimpleQueryMessage::Row(row) = message { Some(row) } else { None };
    messages.into_iter().filter_map(row).collect()
}

/// How often a statement of ours is begun again that the role's own `statement_timeout` has cut short: on a busy machine
/// even a millisecond's work can take longer than a millisecond.
const TRIES: u32 = 10;

/// The rows of a query of ours that may be repeated; `doing` is for the message: "taking the lock".
///
/// # Errors
/// The server's refusal, a lost connection.
pub(crate) async fn query(client: &Client, doing: &str, statement: &str) -> Result<Vec<SimpleQueryRow>, Error> {
    let answer = patiently(async || client.simple_query(statement).await).await;
    answer.map(rows).map_err(|error| failed(doing, &error))
}

/// Does something again while the role's own `statement_timeout` cuts it short.
///
/// # Errors
/// Those of the last try.
pub(crate) async fn patiently<T>(
    mut work: impl AsyncFnMut() -> Result<T, tokio_postgres::Error>,
) -> Result<T, tokio_postgres::Error> {
    let mut tries = 1;
    loop {
        match work().await {
            Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) && tries < TRIES => tries += 1,
            outcome => return outcome,
        }
    }
}

/// A query of ours that failed outside any migration.
pub(crate) fn failed(doing: &str, error: &tokio_postgres::Error) -> Error {
    let Some(server) = error.as_db_error() else {
        return Error::new(Exit::NoConnection, format!("the connection was lost while {doing}: {}", said(error)))
            .help("run `migrator status` to see what has been done, then run the command again");
    };
    let exit = if *server.code() == SqlState::INSUFFICIENT_PRIVILEGE { Exit::Refused } else { Exit::Other };
    let error = Error::new(exit, format!("the server refused {doing}: {}", said(error)));
    match (server.hint(), exit) {
        (Some(hint), _) => error.help(hint),
        (None, Exit::Refused) => error.help("grant the right to the migrator's user, or connect as the owner"),
        (None, _) => error,
    }
}

/// The server's message with its SQLSTATE; else the innermost message of the chain: the client's outer ones repeat
/// themselves.
pub(crate) fn said(error: &tokio_postgres::Error) -> String {
    if let Some(server) = error.as_db_error() {
        return format!("{} [{}]", server.message(), server.code().code());
    }
    let mut source: &dyn std::error::Error = error;
    while let Some(next) = source.source() {
        source = next;
    }
    source.to_string()
}

fn refused(target: &ConnectionTarget, error: &tokio_postgres::Error) -> Error {
    let message = Error::new(Exit::NoConnection, format!("cannot connect to `{target}`: {}", said(error)));
    match error.code() {
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => {
            message.help("create the database first (`createdb`, or `cargo xtask migrate create` in development)")
        }
        Some(code) if *code == SqlState::INVALID_PASSWORD => message
            .help("the password comes from the URL, PGPASSWORD or the password file; look at the server's pg_hba.conf"),
        Some(code) if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => message
            .help("the server does not let this user in from here without TLS or at all: look at its pg_hba.conf"),
        Some(code) if *code == SqlState::TOO_MANY_CONNECTIONS => {
            message.help("wait until others have gone, then try again")
        }
        Some(code) if *code == SqlState::CANNOT_CONNECT_NOW => {
            message.help("the server is starting or stopping: try again")
        }
        Some(_) => message,
        None => message.help("is the server running, and are host and port right?"),
    }
}
