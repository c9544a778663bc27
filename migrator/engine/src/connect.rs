//! Opens a session: connects, learns what the server is, passes its notices on.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use crate::conninfo::ssl::SslMode;
use crate::conninfo::{ConnectionTarget, Host, SessionAttributes};
use crate::error::{Error, ErrorKind};
use crate::planted::planted;
use crate::sql::{self, Limits, SessionSettings, session};
use crate::tls::{self, Canceller};
use crate::words;
use attempt::Refusal;
pub(crate) use notices::NoticeSink;

mod attempt;
mod backend;
mod notices;

/// An open session.
#[non_exhaustive]
pub struct Connection {
    /// The client half; the other half runs as a task of the runtime.
    pub(crate) client: Client,
    /// Stops what it runs.
    pub(crate) cancel: Canceller,
    /// The server that answered.
    pub(crate) host: Host,
    /// What the server says about itself.
    pub(crate) server: Server,
    /// Its major release: known from connecting on, when nothing has been read yet; 0: it did not say.
    pub(crate) major: i32,
    /// Whether it was opened with a `statement_timeout`, which every query of ours overrides.
    pub(crate) limits_statements: bool,
    /// The process on the server that the session was told when it was opened.
    pub(crate) told_pid: Option<i32>,
}

/// What the server says about itself and this session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Server {
    /// `server_version`: `15.18 (Debian 15.18-0+deb12u1)`.
    pub version: String,
    /// `server_version_num`.
    pub version_number: i32,
    /// The database.
    pub database: String,
    /// The user who acts.
    pub user: String,
    /// The database's OID.
    pub(crate) oid: String,
    /// The server's system identifier, if this role may read it.
    pub(crate) system: Option<String>,
    /// The process of this session on the server.
    pub backend_pid: i32,
    /// True: a standby, which is read-only.
    pub is_standby: bool,
    /// The history's table as the server calls it, if it exists.
    pub(crate) state_table: Option<String>,
    /// Whether the schema of the history exists.
    pub(crate) has_schema: bool,
    /// Where there is no history: tables of other histories, one a line.
    pub(crate) elsewhere: Option<String>,
    /// The limits that the role, the database and the connection set.
    pub(crate) limits: Arc<Limits>,
}

/// Why there is no connection.
pub(crate) enum Trouble {
    /// The server is unreachable, starting or full: another try may succeed.
    Passing(Error),
    /// A wrong password, an untrusted certificate: it does not pass by itself.
    Lasting(Error),
}

/// Connects to the first suitable server of the target.
///
/// # Errors
/// Exit code 6 with the server's own words, and never a password.
pub(crate) async fn connect(
    target: &ConnectionTarget,
    release: &str,
    notices: NoticeSink,
) -> Result<Connection, Error> {
    dial(target, release, notices).await.map_err(|trouble| match trouble {
        Trouble::Passing(error) | Trouble::Lasting(error) => error,
    })
}

/// The same; the error says whether another try may succeed.
///
/// # Errors
/// Same as for [`connect`].
pub(crate) async fn dial(target: &ConnectionTarget, release: &str, notices: NoticeSink) -> Result<Connection, Trouble> {
    let encrypts = target.ssl.mode != SslMode::Disable && !target.hosts().iter().all(Host::is_socket);
    let tls = encrypts.then(|| tls::connector(&target.ssl)).transpose().map_err(Trouble::Lasting)?;
    let wanted = match target.session {
        SessionAttributes::PreferStandby => &[SessionAttributes::Standby, SessionAttributes::Any][..],
        ref attributes => std::slice::from_ref(attributes),
    };
    let mut refused: Vec<(String, Error)> = Vec::new();
    for attributes in wanted {
        for host in target.hosts() {
            let error = match attempt::open(target, host, tls.as_ref(), release, notices.clone()).await {
                Ok((client, cancel, major)) => {
                    let told_pid = backend::told(&cancel.token).await;
                    match unsuitable(&client, *attributes).await.map_err(Trouble::Passing)? {
                        None => {
                            return Ok(Connection {
                                client,
                                cancel,
                                host: host.clone(),
                                server: Server::default(),
                                major,
                                limits_statements: limits_statements(target),
                                told_pid,
                            });
                        }
                        Some(sentence) => {
                            refusal(target, sentence, "list the other servers too, or connect to the right one")
                        }
                    }
                }
                // A server that knows the user and rejects it ends the search, as with libpq: the next one would reject it too.
                Err(Refusal::Client(error)) if is_lasting(&error) => {
                    return Err(Trouble::Lasting(unreachable(target, error)));
                }
                Err(Refusal::Client(error)) => unreachable(target, error),
                Err(Refusal::TimedOut(limit)) => refusal(
                    target,
                    &format!("no answer within {}", words::duration(limit)),
                    "check the host, the port and the firewall; `connect_timeout` sets the limit",
                ),
            };
            refused.push((host.to_string(), error));
        }
    }
    let several = refused.len() > 1;
    let Some((_, mut last)) = refused.pop() else {
        return Err(Trouble::Lasting(refusal(target, "no host is given", "set a host")));
    };
    if several {
        for (host, error) in refused {
            last = last.note(format!("{host}: {}", error.kind().cause()));
        }
    }
    Err(Trouble::Passing(last))
}

/// Whether the connection states how long a statement may run.
fn limits_statements(target: &ConnectionTarget) -> bool {
    target.options.as_deref().is_some_and(|options| options.contains("statement_timeout"))
}

/// Why this server is not what `target_session_attrs` asks for.
async fn unsuitable(client: &Client, wanted: SessionAttributes) -> Result<Option<&'static str>, Error> {
    if wanted == SessionAttributes::Any {
        return Ok(None);
    }
    let statement = "SELECT pg_catalog.pg_is_in_recovery()::pg_catalog.int4 AS standby, pg_catalog.current_setting('transaction_read_only') AS read_only";
    let rows = query(client, "asking what kind of server it is", statement).await?;
    let is = |column: &str, value: &str| rows.first().and_then(|row| text(row, column)).as_deref() == Some(value);
    let (standby, read_only) = (is("standby", "1"), is("read_only", "on"));
    Ok(match wanted {
        SessionAttributes::ReadWrite | SessionAttributes::Primary if standby => Some("this server is a standby"),
        SessionAttributes::ReadWrite if read_only => Some("this server is read-only"),
        SessionAttributes::ReadOnly if !read_only => Some("this server is not read-only"),
        SessionAttributes::Standby if !standby => Some("this server is not a standby"),
        _ => None,
    })
}

impl Connection {
    /// Whether nothing is in between that gives one session several processes of the server: a pooler tells its clients numbers of
    /// its own when they connect, as they get a process only with their first query.
    pub(crate) fn is_direct(&self) -> bool {
        planted("pooler-unseen") || self.told_pid == Some(self.server.backend_pid)
    }

    /// Overrides the role's defaults; only for a session that is ours alone.
    ///
    /// # Errors
    /// The server's refusal, a lost connection.
    pub(crate) async fn set_up(&self, settings: &SessionSettings) -> Result<(), Error> {
        let text = session(settings);
        let done = patiently(async || {
            let done = self.client.batch_execute(&text).await;
            if done.is_err() {
                // It is one transaction, and failed as a whole.
                let _ = self.client.batch_execute("ROLLBACK").await;
            }
            done
        })
        .await;
        done.map_err(|error| failed("setting up the session", error))
    }
}

/// The rows of a simple query; column values are text.
pub fn rows(messages: Vec<SimpleQueryMessage>) -> Vec<SimpleQueryRow> {
    let row = |message| if let SimpleQueryMessage::Row(row) = message { Some(row) } else { None };
    messages.into_iter().filter_map(row).collect()
}

/// How often a statement of ours is retried that the role's own `statement_timeout` has cut short: on a busy machine
/// even a millisecond's work can take longer than a millisecond.
const TRIES: u32 = 10;

/// The rows of a query of ours that may be repeated; `doing` is for the message: "taking the lock".
///
/// # Errors
/// The server's refusal, a lost connection.
pub async fn query(client: &Client, doing: &str, statement: &str) -> Result<Vec<SimpleQueryRow>, Error> {
    let answering = patiently(async || bounded(client, statement).await);
    let Ok(answer) = tokio::time::timeout(ANSWER, answering).await else { return Err(no_answer(doing, ANSWER)) };
    let (rows, is_whole) = answer.map_err(|error| failed(doing, error))?;
    if is_whole {
        return Ok(rows);
    }
    Err(Error::other(format!("the server's answer while {doing} is larger than {} MB", MOST_BYTES >> 20)))
}

/// The rows of one statement of ours, in a message and so in a transaction of its own: nothing that another user has put
/// into a schema of `search_path` affects it.
///
/// # Errors
/// The errors of the client.
pub(crate) async fn ours(client: &Client, statement: &str) -> Result<Vec<SimpleQueryRow>, tokio_postgres::Error> {
    bounded(client, statement).await.map(|(rows, _)| rows)
}

/// The same, and whether these are all rows: no server can exhaust the memory of this machine.
async fn bounded(client: &Client, statement: &str) -> Result<(Vec<SimpleQueryRow>, bool), tokio_postgres::Error> {
    let mut stream = std::pin::pin!(client.simple_query_raw(&sql::ours(statement)).await?);
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(message) = stream.try_next().await? {
        let SimpleQueryMessage::Row(row) = message else { continue };
        bytes += (0..row.len()).filter_map(|column| row.get(column)).map(str::len).sum::<usize>() + 64;
        if bytes > MOST_BYTES {
            return Ok((rows, false));
        }
        rows.push(row);
    }
    Ok((rows, true))
}

/// How much of an answer to a query of ours is read, in bytes of its values.
const MOST_BYTES: usize = 256 << 20;

/// How long the server may take to answer a query of ours: the schema of tens of thousands of tables takes seconds.
const ANSWER: Duration = Duration::from_secs(120);

/// A server that accepts the connection and does not answer.
pub(crate) fn no_answer(doing: &str, limit: Duration) -> Error {
    ErrorKind::NoAnswer { doing: doing.to_owned(), limit }.into()
}

/// A column of a row that may lack it.
pub(crate) fn text(row: &SimpleQueryRow, column: &str) -> Option<String> {
    row.try_get(column).ok().flatten().map(str::to_owned)
}

/// A column of a row as a number; `None`, if it is not one.
pub(crate) fn number<N: std::str::FromStr>(row: &SimpleQueryRow, column: &str) -> Option<N> {
    row.try_get(column).ok().flatten()?.parse().ok()
}

/// Retries something while the role's own `statement_timeout` cuts it short.
///
/// # Errors
/// The error of the last try.
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

/// A statement of ours that failed outside any migration, as an error; `doing` is for the message: "taking the lock".
pub fn failed(doing: &str, error: tokio_postgres::Error) -> Error {
    refused(doing, &error).caused_by(error)
}

fn refused(doing: &str, error: &tokio_postgres::Error) -> Error {
    let (doing, reason) = (doing.to_owned(), said(error));
    // An error that ends the session does not answer the query.
    let Some(server) = error.as_db_error().filter(|_| !is_lost(error)) else {
        return ErrorKind::Lost { doing, reason }.into();
    };
    let is_denied = *server.code() == SqlState::INSUFFICIENT_PRIVILEGE;
    if is_denied && server.message().contains("row-level security") {
        return Error::refused(format!("row-level security hides rows from this user while {doing}: {reason}"))
            .help("connect as the owner of the history tables, run `ALTER TABLE ... NO FORCE ROW LEVEL SECURITY`, or give the user BYPASSRLS");
    }
    let error = Error::from(ErrorKind::Server { doing, reason, is_denied });
    match server.hint() {
        Some(hint) => error.help(hint),
        None if is_denied => error.help("grant the privilege to the migrator's user, or connect as the owner"),
        None => error,
    }
}

/// Whether the session is gone, with or without a last word of the server: what it was doing is as unknown after a fatal
/// error as with a cut cable.
pub(crate) fn is_lost(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_none_or(|server| matches!(server.severity(), "FATAL" | "PANIC"))
}

/// The server's message with its SQLSTATE; else the innermost message of the chain: the client's outer ones repeat
/// themselves.
pub fn said(error: &tokio_postgres::Error) -> String {
    if let Some(server) = error.as_db_error() {
        return format!("{} [{}]", server.message(), server.code().code());
    }
    let mut source: &dyn std::error::Error = error;
    while let Some(next) = source.source() {
        source = next;
    }
    source.to_string()
}

/// What does not pass by itself: the password, the certificates, the server's pg_hba.conf.
fn is_lasting(error: &tokio_postgres::Error) -> bool {
    let codes = [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION];
    error.code().is_some_and(|code| codes.contains(code)) || tls::explain(error).is_some() || lacks_password(error)
}

fn lacks_password(error: &tokio_postgres::Error) -> bool {
    said(error).contains("password missing")
}

fn refusal(target: &ConnectionTarget, reason: &str, help: &str) -> Error {
    Error::from(ErrorKind::Connect { target: target.to_string(), reason: reason.to_owned() }).help(help)
}

/// The error for a connection that could not be made.
fn unreachable(target: &ConnectionTarget, error: tokio_postgres::Error) -> Error {
    described(target, &error).caused_by(error)
}

fn described(target: &ConnectionTarget, error: &tokio_postgres::Error) -> Error {
    if let Some((reason, help)) = tls::explain(error) {
        return refusal(target, &reason, help);
    }
    if let Some(name) = error.as_db_error().and_then(|server| target.setting_in(server.message())) {
        let help = "a parameter that libpq does not know is passed to the server as a session setting: correct it, or remove it";
        return refusal(target, &said(error), help).note(format!("`{name}` is a parameter of the database URL"));
    }
    let help = match error.code() {
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => {
            "create the database first (`createdb`, or `cargo xtask migrate create` in development)"
        }
        Some(code) if *code == SqlState::INVALID_PASSWORD => {
            "the password comes from the URL, the service file, PGPASSWORD or the password file; also check the server's pg_hba.conf"
        }
        Some(code) if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "the server does not accept this user from this host or with this `sslmode`: check its pg_hba.conf"
        }
        Some(code) if *code == SqlState::TOO_MANY_CONNECTIONS => "wait until other sessions have ended, then try again",
        Some(code) if *code == SqlState::CANNOT_CONNECT_NOW => {
            "the server is starting or stopping: try again, or run `migrator wait`"
        }
        Some(_) => "check the server's log",
        None => match said(error) {
            text if text.contains("does not support TLS") => {
                "the server has `ssl` off; migrator does not fall back to plaintext where `sslmode` demands encryption"
            }
            _ if lacks_password(error) => {
                "the server asks for a password: set it in the URL, PGPASSWORD or the password file"
            }
            _ => "check that the server is running and that the host and port are correct",
        },
    };
    refusal(target, &said(error), help)
}
