//! Reads the server, the session and the history in one round trip; writes nothing.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio_postgres::error::SqlState;
use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};

use super::elsewhere;
use super::standing::{self, Standing};
use crate::connect::{Connection, Server, failed, no_answer, number, ours, patiently, text};
use crate::error::Error;
use crate::history::{AppliedMigration, Event, History};
use crate::sql::{EVENT_COLUMNS, Limits, OURS, STATE_COLUMNS, Tables, first_word, identifier, literal};
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
pub(crate) async fn read(connection: &mut Connection, tables: &Tables, wait: Duration) -> Result<History, Error> {
    let (server, history) = look(connection, tables, wait).await?;
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
pub(crate) async fn look(connection: &Connection, tables: &Tables, wait: Duration) -> Result<(Server, History), Error> {
    let limit = wait + GRACE;
    let reading = async {
        let (server, history) = read_tables(connection, tables, wait, true).await?;
        if history.exists || server.state_table.is_none() {
            return Ok((server, history));
        }
        // Another tool has no event log.
        read_tables(connection, tables, wait, false).await
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
    events: bool,
) -> Result<(Server, History), Error> {
    let outcome = patiently(async || read_once(connection, tables, wait, events).await).await;
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
    events: bool,
) -> Result<(Server, Result<History, Error>), tokio_postgres::Error> {
    // Nothing of the session is changed: it may belong to a pooler, which gives it to another client. The locks come before the
    // snapshot, so that what is judged is what is read; one snapshot, so that both tables tell of the same moment.
    let mut before = vec!["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned()];
    before.extend(OURS.map(str::to_owned));
    before.push("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0".to_owned());
    if connection.major >= 17 {
        before.push("SET LOCAL transaction_timeout = 0".to_owned());
    }
    before.push(format!("SET LOCAL lock_timeout = {}", wait.as_millis().max(1)));
    let locked = if events { format!("{}, {}", tables.state, tables.events) } else { tables.state.clone() };
    before.push(format!("LOCK TABLE {locked} IN ACCESS SHARE MODE"));
    let before = before.join(";\n");
    let [question, guard] = standing::guarded(tables);
    // Another tool writes no event: only the time tells that it came later.
    let since = if events {
        format!(
            "(to_jsonb(t) ->> 'checksum') IS NULL AND (to_jsonb(t) ->> 'applied_at')::timestamptz > \
             (SELECT at FROM {} WHERE action = 'repeatable' AND outcome = 'done' ORDER BY id DESC LIMIT 1)",
            tables.events
        )
    } else {
        "false".to_owned()
    };
    let state = format!(
        "SELECT *, {since} AS since, to_char(timezone('UTC', (to_jsonb(t) ->> 'applied_at')::timestamptz), 'YYYY-MM-DD HH24:MI:SS') AS applied_at_utc FROM {} t",
        tables.state
    );
    let log = if events {
        format!(
            ";\nSELECT id, run_id, action, version, name, checksum, attempt, statement, statement_checksum, outcome, detail \
             FROM {} WHERE action <> 'seed' ORDER BY id",
            tables.events
        )
    } else {
        String::new()
    };
    // One message: it stops at the first table that does not exist or that cannot be trusted, before anything of it is read.
    let message = format!("{before};\n{question};\n{guard};\n{state}{log}");
    let stream = Box::pin(connection.client.simple_query_raw(&message).await?);
    // On its way before the answer is back: the transaction ends here, also when it has failed.
    let end = Box::pin(connection.client.simple_query_raw(&about(tables)).await?);
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
        Ok(None) => Ok(answer.history(events)),
    };
    Ok((server, history))
}

fn is_missing(error: &tokio_postgres::Error) -> bool {
    let codes = [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME];
    error.code().is_some_and(|code| codes.contains(code))
}

/// What the server and the session are; ends the transaction before it.
fn about(tables: &Tables) -> String {
    let state = literal(&tables.state);
    format!(
        "ROLLBACK;\nBEGIN READ ONLY;\n{path};\n{security};\nSET LOCAL statement_timeout = 0;\n\
         SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS number, \
         current_database() AS database, session_user AS user, pg_backend_pid() AS pid, \
         version() AS product, pg_is_in_recovery()::int AS standby, to_regclass({state}) AS state, to_regnamespace({schema}) IS NOT NULL AS schema, \
         CASE WHEN to_regclass({state}) IS NULL THEN ({elsewhere}) END AS elsewhere, \
         (SELECT string_agg(name, ' ' ORDER BY name) FROM pg_settings WHERE context = 'user' AND vartype = 'integer' \
           AND min_val = '0' AND name ~ '^[a-z_]+_timeout$') AS timeouts, \
         (SELECT string_agg(name, ' ') FROM pg_settings WHERE source = 'client') AS explicit;\nROLLBACK",
        path = OURS[0],
        security = OURS[1],
        schema = literal(&identifier(&tables.schema)),
        elsewhere = elsewhere::question(tables),
    )
}

type Stream = std::pin::Pin<Box<tokio_postgres::SimpleQueryStream>>;

/// Reads what the server says about itself; the limits that the connection was opened with are known from the first time.
async fn server(mut stream: Stream, before: &Server, limits_statements: bool) -> Result<Server, tokio_postgres::Error> {
    let mut server = before.clone();
    while let Some(message) = stream.try_next().await? {
        let SimpleQueryMessage::Row(row) = message else { continue };
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
            backend_pid: number(&row, "pid").unwrap_or(0),
            is_standby: number(&row, "standby") == Some(1),
            state_table: text(&row, "state"),
            has_schema: text(&row, "schema").as_deref() == Some("t"),
            elsewhere: text(&row, "elsewhere"),
            limits: Arc::clone(&before.limits),
        };
        // Later ours are among them.
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
    applied: Vec<AppliedMigration>,
    events: Vec<Event>,
    newest_event: i64,
    changed_elsewhere: bool,
    bytes: usize,
}

/// The results that have rows, in order.
const STANDING: usize = 1;
const GUARD: usize = 2;
const STATE: usize = 3;

impl Answer {
    /// Reads the rows; `Some`: they are not a history of ours.
    async fn take(&mut self, mut stream: Stream, tables: &Tables) -> Result<Option<Error>, tokio_postgres::Error> {
        let mut refusal = None;
        while let Some(message) = stream.try_next().await? {
            match message {
                SimpleQueryMessage::RowDescription(columns) => {
                    self.results += 1;
                    if self.results == STATE {
                        let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
                        let is_of_rails = self.standings[0].as_ref().is_some_and(|state| state.is_of_rails);
                        refusal = elsewhere::foreign(tables, &names, is_of_rails);
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
            GUARD => {}
            STATE => {
                self.changed_elsewhere |= row.try_get("since").ok().flatten() == Some("t");
                self.applied.push(applied(row));
            }
            _ => {
                self.newest_event = number(row, "id").unwrap_or(0).max(self.newest_event);
                self.events.push(event(row));
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

    fn history(self, events: bool) -> History {
        let [state, log] = self.standings;
        let has_all = |standing: &Option<Standing>, columns: &[&str]| {
            standing.as_ref().is_some_and(|standing| columns.iter().all(|column| standing.has(first_word(column))))
        };
        let behind = log.as_ref().and_then(|log| log.sequence.clone()).filter(|(_, last)| *last < self.newest_event);
        History {
            exists: true,
            complete: events && has_all(&state, &STATE_COLUMNS) && has_all(&log, &EVENT_COLUMNS) && behind.is_none(),
            sequence_behind: behind.map(|(sequence, _)| (sequence, self.newest_event)),
            has_recorded_downs: log.as_ref().is_some_and(|log| log.has("down_block")),
            writers: [state, log]
                .into_iter()
                .flatten()
                .map(|table| (table.table, table.writers))
                .filter(|(_, w)| !w.is_empty())
                .collect(),
            changed_elsewhere: self.changed_elsewhere,
            applied: self.applied,
            events: self.events,
            ..History::default()
        }
    }
}

fn too_large(tables: &Tables) -> Error {
    Error::other(format!("the history in `{}` is larger than {} MB", tables.state, MOST_BYTES >> 20))
        .help("find out what fills it; in the event log you may delete rows of `seed` and `repeatable` that are older than the newest")
}

fn applied(row: &SimpleQueryRow) -> AppliedMigration {
    AppliedMigration {
        version: text(row, "version").unwrap_or_default(),
        name: text(row, "name"),
        checksum: text(row, "checksum"),
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
