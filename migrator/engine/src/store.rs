//! Reads the history tables, and writes to them outside migrations.

use futures_util::TryStreamExt as _;
use tokio_postgres::error::SqlState;
use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};

use crate::connect::{Connection, Server, failed, patiently};
use crate::error::{Error, Exit};
use crate::history::{AppliedMigration, Event, History};
use crate::sql::{NewEvent, OURS, Run, STATE_COLUMNS, SessionSettings, Tables, fence, insert_event, ours, session};

/// Reads who we are, where we are and what has been applied, in one round trip; writes nothing.
///
/// # Errors
/// A lost connection, missing rights, a table of that name that is not ours, a server that is not PostgreSQL 13 or later.
pub(crate) async fn read(connection: &mut Connection, tables: &Tables) -> Result<History, Error> {
    let outcome = patiently(async || read_once(connection, tables).await).await;
    refuse_server(&connection.server)?;
    outcome.map_err(|error| failed("reading the history", &error))?
}

/// The outer error is the server's, the inner one ours.
async fn read_once(
    connection: &mut Connection,
    tables: &Tables,
) -> Result<Result<History, Error>, tokio_postgres::Error> {
    // Nothing of the session is changed: it may belong to a pooler, who gives it to somebody else. One snapshot, so that
    // both tables tell of the same moment.
    let before = [
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        OURS[0],
        OURS[1],
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL idle_in_transaction_session_timeout = 0",
    ];
    // One message: it stops at the first table that does not exist, with the results before it delivered.
    let message = format!(
        "{};\
         SELECT pg_catalog.current_setting('server_version') AS version, pg_catalog.current_setting('server_version_num') AS number, \
         pg_catalog.current_database() AS database, session_user AS user, pg_catalog.pg_backend_pid() AS pid, \
         pg_catalog.version() AS product, pg_catalog.pg_is_in_recovery()::int AS standby;\
         SELECT *, pg_catalog.to_char(pg_catalog.timezone('UTC', (pg_catalog.to_jsonb(t) OPERATOR(pg_catalog.->>) 'applied_at')::timestamptz), 'YYYY-MM-DD HH24:MI:SS') AS applied_at_utc FROM {} t;\
         SELECT run_id, action, version, name, checksum, attempt, statement, statement_checksum, outcome, detail FROM {} WHERE action <> 'seed' ORDER BY id",
        before.join(";"),
        tables.state,
        tables.events
    );
    let (about, state) = (before.len(), before.len() + 1);
    let mut history = History::default();
    let (mut completed, mut state_complete) = (0, false);
    let mut stream = Box::pin(connection.client.simple_query_raw(&message).await?);
    // On its way before the answer is back: the transaction ends here, also when it has failed.
    let mut end = Box::pin(connection.client.simple_query_raw("ROLLBACK").await?);
    let outcome = loop {
        match stream.try_next().await {
            Ok(Some(SimpleQueryMessage::RowDescription(columns))) if completed == state => {
                history.exists = true;
                let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
                if let Some(error) = foreign(tables, &names) {
                    break Ok(Err(error));
                }
                state_complete = STATE_COLUMNS.iter().all(|column| names.contains(&first_word(column)));
            }
            Ok(Some(SimpleQueryMessage::RowDescription(_))) if completed > state => history.complete = state_complete,
            Ok(Some(SimpleQueryMessage::Row(row))) if completed == about => connection.server = server(&row),
            Ok(Some(SimpleQueryMessage::Row(row))) if completed == state => history.applied.push(applied(&row)),
            Ok(Some(SimpleQueryMessage::Row(row))) => history.events.push(event(&row)),
            Ok(Some(SimpleQueryMessage::CommandComplete(_))) => completed += 1,
            Ok(Some(_)) => {}
            Ok(None) => break Ok(Ok(history)),
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) && completed > about => {
                break Ok(Ok(history));
            }
            Err(error) => break Err(error),
        }
    };
    while end.try_next().await?.is_some() {}
    outcome
}

/// The name in a column's definition.
fn first_word(definition: &str) -> &str {
    definition.split(' ').next().unwrap_or_default()
}

/// Sentences for a table of our name with somebody else's columns.
fn foreign(tables: &Tables, columns: &[&str]) -> Option<Error> {
    let owner = if columns.contains(&"dirty") {
        "golang-migrate"
    } else if columns.contains(&"inserted_at") {
        "Ecto"
    } else if !columns.contains(&"version") {
        "another tool: it has no column `version`"
    } else {
        return None;
    };
    let message = format!("the table `{}` belongs to {owner}", tables.state);
    Some(Error::new(Exit::Diverged, message).help("set another `table` or `schema` under [history] in db/migrator.toml, and record with `stamp` what has been applied"))
}

fn refuse_server(server: &Server) -> Result<(), Error> {
    for (mark, product) in [("CockroachDB", "CockroachDB"), ("-YB-", "YugabyteDB")] {
        if server.version.contains(mark) {
            let message = format!("the server is {product}: its advisory locks cannot be relied upon");
            return Err(Error::new(Exit::Refused, message).help("migrator works with PostgreSQL 13 and later"));
        }
    }
    if server.version_number != 0 && server.version_number < 130_000 {
        let message = format!("the server is PostgreSQL {}, which is too old", server.version);
        return Err(Error::new(Exit::Refused, message).help("migrator works with PostgreSQL 13 and later"));
    }
    Ok(())
}

fn text(row: &SimpleQueryRow, column: &str) -> Option<String> {
    row.try_get(column).ok().flatten().map(str::to_owned)
}

fn number<N: std::str::FromStr>(row: &SimpleQueryRow, column: &str) -> Option<N> {
    row.try_get(column).ok().flatten()?.parse().ok()
}

fn server(row: &SimpleQueryRow) -> Server {
    let mut version = text(row, "version").unwrap_or_default();
    let product = text(row, "product").unwrap_or_default();
    if !product.starts_with("PostgreSQL") {
        // What is not PostgreSQL says so only here.
        version = product;
    }
    Server {
        version,
        version_number: number(row, "number").unwrap_or(0),
        database: text(row, "database").unwrap_or_default(),
        user: text(row, "user").unwrap_or_default(),
        backend_pid: number(row, "pid").unwrap_or(0),
        is_standby: number(row, "standby") == Some(1),
    }
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

/// Creates the tables, or the columns that they lack.
///
/// # Errors
/// Missing rights, a lost connection.
pub(crate) async fn create(
    connection: &Connection,
    tables: &Tables,
    run: &Run,
    settings: SessionSettings,
) -> Result<(), Error> {
    // `IF NOT EXISTS` says so in a notice each time: nobody needs to read that.
    let statements = format!("SET LOCAL client_min_messages = warning;\n{}", tables.create());
    write(connection, tables, run, settings, &statements)
        .await
        .map_err(|error| failed("creating the history tables", &error))
}

/// Writes an event in a transaction of its own.
///
/// # Errors
/// The server's refusal, a lost connection.
pub(crate) async fn record(
    connection: &Connection,
    tables: &Tables,
    settings: SessionSettings,
    run: &Run,
    event: &NewEvent<'_>,
) -> Result<(), tokio_postgres::Error> {
    write(connection, tables, run, settings, &insert_event(tables, run, event)).await
}

/// Runs statements of ours in one transaction, behind the fence, in a clean session.
///
/// # Errors
/// The server's refusal, a lost connection; the session is never left inside a transaction.
pub(crate) async fn write(
    connection: &Connection,
    tables: &Tables,
    run: &Run,
    settings: SessionSettings,
    statements: &str,
) -> Result<(), tokio_postgres::Error> {
    let fence = fence(tables, run, std::iter::empty()).join(";\n");
    let reset = session(&settings);
    let message = format!("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n{fence};\n{};\nCOMMIT", ours(statements));
    // Both are sent at once; the second is parsed after the first has run.
    let (reset, written) =
        futures_util::future::join(connection.client.batch_execute(&reset), connection.client.batch_execute(&message))
            .await;
    if let Err(error) = reset.and(written) {
        // The server may be inside the failed transaction; if the connection is gone there is none.
        let _ = connection.client.batch_execute("ROLLBACK").await;
        return Err(error);
    }
    Ok(())
}

/// Makes every commit up to now durable: a synchronous commit that writes to the log flushes everything before it.
///
/// # Errors
/// The server's refusal, a lost connection.
pub(crate) async fn flush(client: &tokio_postgres::Client) -> Result<(), tokio_postgres::Error> {
    client
        .batch_execute(
            "BEGIN READ WRITE; SET LOCAL synchronous_commit = on; \
             SELECT pg_catalog.pg_logical_emit_message(true, 'migrator', ''); COMMIT",
        )
        .await
}
