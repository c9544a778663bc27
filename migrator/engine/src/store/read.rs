//! Reads the server, the session and the history in one round trip; writes nothing.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio_postgres::error::SqlState;
use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};

use super::elsewhere;
use super::question::{self, Expected, Extent, STANDING, STATE};
use super::standing::{self, Standing};
use crate::connect::{Connection, Server, failed, no_answer, number, ours, patiently, text};
use crate::embedded::Text;
use crate::error::Error;
use crate::history::{AppliedMigration, Event, History, Identity, Log};
use crate::sql::{EVENT_COLUMNS, Limits, STATE_COLUMNS, Tables, first_word, literal};
use crate::words;

/// How much of a history is read, in bytes of its values: hundreds of thousands of rows.
const MOST_BYTES: usize = 256 << 20;

/// How long a command waits for a session that locks the history's tables exclusively.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How long the server may take beyond the time that it waits for a lock.
const GRACE: Duration = Duration::from_secs(10);

/// Reads it; `wait` is how long another session may lock one of the tables exclusively.
///
/// # Errors
/// A lost connection, missing rights, a table that cannot be trusted or is not ours, a server that is not PostgreSQL 13
/// or later, no answer in time.
pub(crate) async fn read(
    connection: &mut Connection,
    tables: &Tables,
    extent: Extent,
    wait: Duration,
) -> Result<History, Error> {
    let (server, history) = look(connection, tables, extent, wait).await?;
    if server.version_number != 0 {
        connection.major = server.version_number / 10_000;
    }
    connection.server = server;
    Ok(history)
}

/// The same, with what the server says about itself beside it.
///
/// # Errors
/// Same as for [`read`].
pub(crate) async fn look(
    connection: &Connection,
    tables: &Tables,
    extent: Extent,
    wait: Duration,
) -> Result<(Server, History), Error> {
    let limit = wait + GRACE;
    let reading = async {
        let (server, history) = read_tables(connection, tables, wait, extent, true).await?;
        if history.exists || server.state_table.is_none() {
            return Ok((server, history));
        }
        // Another tool has no event log.
        read_tables(connection, tables, wait, extent, false).await
    };
    match tokio::time::timeout(limit, reading).await {
        Ok(outcome) => outcome,
        Err(_) => Err(no_answer("reading the history", limit)),
    }
}

async fn read_tables(
    connection: &Connection,
    tables: &Tables,
    wait: Duration,
    extent: Extent,
    has_log: bool,
) -> Result<(Server, History), Error> {
    let outcome = patiently(async || read_once(connection, tables, wait, extent, has_log).await).await;
    match outcome {
        Ok((server, history)) => {
            refuse_server(&server)?;
            Ok((server, history?))
        }
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
            Err(locked(connection, tables, wait).await)
        }
        Err(error) if error.code() == Some(&SqlState::WRONG_OBJECT_TYPE) => Err(standing::no_table(tables)),
        Err(error) => Err(failed("reading the history", error)),
    }
}

/// Another session locks one of the tables exclusively.
async fn locked(connection: &Connection, tables: &Tables, wait: Duration) -> Error {
    let statement = format!(
        "SELECT format('pid %s (%s, %s)', a.pid, a.usename, coalesce(nullif(a.application_name, ''), 'no application name')) AS holder \
         FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
         WHERE l.granted AND l.mode = 'AccessExclusiveLock' AND l.relation IN (to_regclass({}), to_regclass({})) LIMIT 1",
        literal(&tables.state),
        literal(&tables.events)
    );
    let rows = ours(&connection.client, &statement).await.unwrap_or_default();
    let holder = rows.first().and_then(|row| text(row, "holder")).unwrap_or_else(|| "another session".to_owned());
    Error::locked(format!(
        "cannot read the history in `{}` within {}: locked by {holder}",
        tables.state,
        words::duration(wait)
    ))
    .help("wait until that session has ended its transaction, or end it with `SELECT pg_terminate_backend(pid)`")
}

/// The outer error is the server's, the inner one ours.
async fn read_once(
    connection: &Connection,
    tables: &Tables,
    wait: Duration,
    extent: Extent,
    has_log: bool,
) -> Result<(Server, Result<History, Error>), tokio_postgres::Error> {
    let expected = if let Extent::Plan(set) = extent { Some(Expected::of(set)) } else { None };
    let message = question::reading(connection.major, tables, wait, extent, expected.as_ref(), has_log);
    let stream = Box::pin(connection.client.simple_query_raw(&message).await?);
    // On its way before the answer is back: the transaction ends here, also when it has failed.
    let about = question::about(tables, connection.server.backend_pid == 0);
    let end = Box::pin(connection.client.simple_query_raw(&about).await?);
    let mut answer = Answer::default();
    let outcome = answer.take(stream, tables).await;
    let server = server(end, &connection.server, connection.limits_statements).await?;
    let history = match outcome {
        Err(error) if answer.is_unbelieved(&error) => answer.refusal(tables),
        // The schema or a table does not exist: nothing has ever been applied.
        Err(error) if is_missing(&error) => Ok(History { elsewhere: server.elsewhere.clone(), ..History::default() }),
        // What the server is matters more than what it says about a statement it does not know.
        Err(error) => match refuse_server(&server) {
            Err(refusal) => Err(refusal),
            Ok(()) => return Err(error),
        },
        Ok(Some(refusal)) => Err(refusal),
        Ok(None) => Ok(answer.history(expected.as_ref(), has_log)),
    };
    let identity = Identity { name: server.database.clone(), oid: server.oid.clone(), system: server.system.clone() };
    let history = history.map(|history| History { identity: Some(identity), ..history });
    Ok((server, history))
}

fn is_missing(error: &tokio_postgres::Error) -> bool {
    let codes = [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME];
    error.code().is_some_and(|code| codes.contains(code))
}

type Stream = std::pin::Pin<Box<tokio_postgres::SimpleQueryStream>>;

/// Reads what the server says about itself; the limits that the connection was opened with are known from the first time.
async fn server(mut stream: Stream, before: &Server, limits_statements: bool) -> Result<Server, tokio_postgres::Error> {
    let mut server = before.clone();
    let mut is_told = false;
    loop {
        let message = match stream.try_next().await {
            Ok(Some(message)) => message,
            Ok(None) => break,
            // What is not PostgreSQL may not know the question which database it is, and is refused anyway.
            Err(error) if is_told && error.code().is_some() => break,
            Err(error) => return Err(error),
        };
        let SimpleQueryMessage::Row(row) = message else { continue };
        if is_told {
            (server.oid, server.system) = (text(&row, "oid").unwrap_or_default(), text(&row, "system"));
            continue;
        }
        is_told = true;
        let mut version = text(&row, "version").unwrap_or_default();
        let product = text(&row, "product").unwrap_or_default();
        if !product.starts_with("PostgreSQL") {
            // What is not PostgreSQL says so only here.
            version = product;
        }
        let words = |column| -> Vec<String> {
            text(&row, column).map(|all| all.split(' ').map(str::to_owned).collect()).unwrap_or_default()
        };
        server = Server {
            version,
            version_number: number(&row, "number").unwrap_or(0),
            database: text(&row, "database").unwrap_or_default(),
            user: text(&row, "user").unwrap_or_default(),
            oid: before.oid.clone(),
            system: before.system.clone(),
            backend_pid: number(&row, "pid").unwrap_or(0),
            is_standby: number(&row, "standby") == Some(1),
            state_table: text(&row, "state"),
            has_schema: text(&row, "schema").as_deref() == Some("t"),
            elsewhere: text(&row, "elsewhere"),
            limits: Arc::clone(&before.limits),
        };
        // Asked only the first time: later ours are among them.
        if before.backend_pid == 0 {
            let mut explicit = words("explicit");
            explicit.extend(limits_statements.then(|| "statement_timeout".to_owned()));
            server.limits = Arc::new(Limits { timeouts: words("timeouts"), explicit });
        }
    }
    Ok(server)
}

fn refuse_server(server: &Server) -> Result<(), Error> {
    for (mark, product) in [("CockroachDB", "CockroachDB"), ("-YB-", "YugabyteDB")] {
        if server.version.contains(mark) {
            let message = format!("the server is {product}: its advisory locks cannot be relied upon");
            return Err(Error::refused(message).help("migrator works with PostgreSQL 13 and later"));
        }
    }
    if server.version_number != 0 && server.version_number < 130_000 {
        let message = format!("the server is PostgreSQL {}, which is too old", server.version);
        return Err(Error::refused(message).help("migrator works with PostgreSQL 13 and later"));
    }
    Ok(())
}

/// What the message has answered so far.
#[derive(Default)]
struct Answer {
    /// How many statements had a result with rows.
    results: usize,
    standings: [Option<Standing>; 2],
    /// How many rows the state table has, where they are those of the set.
    known: Option<usize>,
    applied: Vec<AppliedMigration>,
    events: Vec<Event>,
    log: Log,
    newest_event: i64,
    head: (i64, Option<String>),
    changed_elsewhere: bool,
    bytes: usize,
}

impl Answer {
    /// Reads the rows; `Some`: they are not a history of ours.
    async fn take(&mut self, mut stream: Stream, tables: &Tables) -> Result<Option<Error>, tokio_postgres::Error> {
        let mut refusal = None;
        while let Some(message) = stream.try_next().await? {
            match message {
                SimpleQueryMessage::RowDescription(_) => {
                    self.results += 1;
                    if let (STATE, Some(state)) = (self.results, &self.standings[0]) {
                        let names: Vec<&str> = state.columns.iter().map(String::as_str).collect();
                        refusal = elsewhere::foreign(tables, &names, state.is_of_rails);
                    }
                }
                SimpleQueryMessage::Row(row) => {
                    self.bytes += (0..row.len()).filter_map(|column| row.get(column)).map(str::len).sum::<usize>() + 64;
                    if self.bytes > MOST_BYTES {
                        return Ok(Some(too_large(tables)));
                    }
                    self.row(tables, &row);
                }
                _ => {}
            }
        }
        Ok(refusal)
    }

    fn row(&mut self, tables: &Tables, row: &SimpleQueryRow) {
        match self.results {
            STANDING => {
                let (is_state, standing) = standing::of_row(tables, row);
                self.standings[usize::from(!is_state)] = Some(standing);
            }
            STATE if is(row, "known") => self.known = number(row, "count"),
            STATE => self.applied.extend(is(row, "is_row").then(|| applied(row))),
            _ => {
                self.newest_event = number(row, "newest").unwrap_or(0);
                self.head = (number(row, "head").unwrap_or(0), text(row, "head_run"));
                self.changed_elsewhere = is(row, "applied_elsewhere");
                if is(row, "indexed") {
                    self.log = Log::Deciding { removed_elsewhere: is(row, "removed_elsewhere") };
                }
                // Without any event that was asked for, the rest of the row is empty.
                self.events.extend(number::<i64>(row, "id").map(|_| event(row)));
            }
        }
    }

    /// The guard has stopped the message.
    fn is_unbelieved(&self, error: &tokio_postgres::Error) -> bool {
        self.results < STATE && error.code() == Some(&SqlState::DIVISION_BY_ZERO)
    }

    fn refusal(&self, tables: &Tables) -> Result<History, Error> {
        for standing in self.standings.iter().flatten() {
            standing.believed()?;
        }
        Err(standing::no_table(tables))
    }

    fn history(self, expected: Option<&Expected>, has_log: bool) -> History {
        let [state, log] = self.standings;
        let has_all = |standing: &Option<Standing>, columns: &[&str]| {
            standing.as_ref().is_some_and(|standing| columns.iter().all(|column| standing.has(first_word(column))))
        };
        let is_whole = has_log && has_all(&state, &STATE_COLUMNS) && has_all(&log, &EVENT_COLUMNS);
        let behind = log.as_ref().and_then(|log| log.sequence.clone()).filter(|(_, last)| *last < self.newest_event);
        History {
            exists: true,
            complete: is_whole && behind.is_none() && !log.as_ref().is_some_and(|log| log.lacks_index),
            sequence_behind: behind.map(|(sequence, _)| (sequence, self.newest_event)),
            has_recorded_downs: log.as_ref().is_some_and(|log| log.has("down_block")),
            writers: [state, log]
                .into_iter()
                .flatten()
                .map(|table| (table.table, table.writers))
                .filter(|(_, w)| !w.is_empty())
                .collect(),
            changed_elsewhere: self.changed_elsewhere,
            applied: match (self.known, expected) {
                (Some(count), Some(expected)) => expected.rows(count),
                _ => self.applied,
            },
            events: self.events,
            log: self.log,
            newest_event: self.newest_event,
            head: self.head,
            ..History::default()
        }
    }
}

/// Whether a column of a row is true.
fn is(row: &SimpleQueryRow, column: &str) -> bool {
    row.try_get(column).ok().flatten() == Some("t")
}

fn too_large(tables: &Tables) -> Error {
    Error::other(format!("the history in `{}` is larger than {} MB", tables.state, MOST_BYTES >> 20))
        .help("find out what fills it; in the event log you may delete rows of `seed` and `repeatable` that are older than the newest")
}

fn applied(row: &SimpleQueryRow) -> AppliedMigration {
    AppliedMigration {
        version: text(row, "version").unwrap_or_default().into(),
        name: text(row, "name"),
        checksum: text(row, "checksum").map(Text::from),
        applied_at: text(row, "applied_at_utc"),
        applied_by: text(row, "applied_by"),
        execution_ms: number(row, "execution_ms"),
        release: text(row, "release"),
    }
}

fn event(row: &SimpleQueryRow) -> Event {
    Event {
        run_id: text(row, "run_id").unwrap_or_default(),
        action: text(row, "action").unwrap_or_default(),
        version: text(row, "version"),
        name: text(row, "name"),
        checksum: text(row, "checksum"),
        attempt: number(row, "attempt"),
        statement: number(row, "statement"),
        statement_checksum: text(row, "statement_checksum"),
        outcome: text(row, "outcome").unwrap_or_default(),
        detail: text(row, "detail"),
    }
}
