//! Reads the history tables, and writes to them outside migrations.

mod downs;
mod elsewhere;
pub(crate) mod foreign;
mod read;
mod standing;

pub(crate) use downs::read_downs;
pub(crate) use elsewhere::refuse as refuse_elsewhere;
pub(crate) use read::{LONGEST_WAIT, look, read};

use tokio_postgres::SimpleQueryMessage;

use crate::connect::{Connection, failed, rows};
use crate::error::Error;
use crate::history::History;
use crate::sql::{CreatedObjects, Run, SessionSettings, Tables, fence, is_text, ours, session, set_sequence};

/// Creates the tables, or the columns that they lack; what it creates belongs to its owner alone, whatever the default
/// privileges are.
///
/// # Errors
/// Missing rights, a lost connection, a table of another user that cannot be trusted.
pub(crate) async fn create(
    connection: &Connection,
    tables: &Tables,
    run: &Run,
    settings: &SessionSettings,
    history: &History,
) -> Result<(), Error> {
    let doing = "creating the history tables";
    let client = &connection.client;
    let outcome = begin_creating(connection, tables, run, settings, history).await;
    let outcome = match outcome {
        Err(error) => Err(failed(doing, error)),
        Ok(answer) => match answer.refusal {
            Some(refusal) => Err(refusal),
            None => {
                let revokes: String = answer.revokes.iter().map(|revoke| format!("{revoke};\n")).collect();
                let ended = client.batch_execute(&format!("{revokes}COMMIT")).await;
                ended.map_err(|error| failed(doing, error))
            }
        },
    };
    if outcome.is_err() {
        // The server may be inside the transaction; if the connection is gone there is none.
        let _ = client.batch_execute("ROLLBACK").await;
    }
    outcome
}

/// What the creation of the tables has found, while its transaction is open.
#[derive(Default)]
struct Created {
    /// Statements that revoke what default privileges have granted to others.
    revokes: Vec<String>,
    /// A table that existed already and cannot be trusted.
    refusal: Option<Error>,
}

async fn begin_creating(
    connection: &Connection,
    tables: &Tables,
    run: &Run,
    settings: &SessionSettings,
    history: &History,
) -> Result<Created, tokio_postgres::Error> {
    let client = &connection.client;
    let missing = missing(client.simple_query(&format!("{}; {}", session(settings), ours(&tables.presence()))).await?);
    let fence = fence(tables, run, std::iter::empty()).join(";\n");
    let creation = creation(tables, history, missing);
    let message = format!("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n{fence};\n{creation}");
    Ok(created(tables, client.simple_query(&message).await?))
}

/// What is missing, from the answer to [`Tables::presence`].
fn missing(answer: Vec<SimpleQueryMessage>) -> CreatedObjects {
    let there = rows(answer);
    let is_there = |name: &str| there.first().and_then(|row| row.get(name)) == Some("t");
    CreatedObjects { state: !is_there("state"), events: !is_there("events"), schema: !is_there("schema") }
}

/// The statements that create the tables in an open transaction; [`created`] reads their answer.
fn creation(tables: &Tables, history: &History, missing: CreatedObjects) -> String {
    let heal =
        history.sequence_behind.as_ref().map(|(sequence, newest)| set_sequence(sequence, *newest)).unwrap_or_default();
    // `IF NOT EXISTS` says so in a notice each time, which would only be noise.
    let create = format!("SET LOCAL client_min_messages = warning;\n{}{heal}", tables.create(missing.schema));
    let [question, _] = standing::guarded(tables);
    format!("{};\n{question};\n{}", ours(&create), tables.open_to_others(missing))
}

fn created(tables: &Tables, answer: Vec<SimpleQueryMessage>) -> Created {
    let mut found = Created::default();
    for row in rows(answer) {
        if let Some(revoke) = row.try_get("revoke").ok().flatten() {
            found.revokes.push(revoke.to_owned());
        } else if row.try_get("is_state").is_ok() {
            let (_, standing) = standing::of_row(tables, &row);
            found.refusal = found.refusal.or(standing.believed().err());
        }
    }
    found
}

/// Runs statements of ours in one transaction, after the fence, in a clean session.
///
/// # Errors
/// The server's refusal, a lost connection; the session is never left inside a transaction.
pub(crate) async fn write(
    connection: &Connection,
    tables: &Tables,
    run: &Run,
    settings: &SessionSettings,
    statements: &str,
) -> Result<(), tokio_postgres::Error> {
    let fence = fence(tables, run, std::iter::empty()).join(";\n");
    let reset = session(settings);
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

/// Whether that run has recorded that action as done.
///
/// # Errors
/// The server's refusal, a lost connection.
pub(crate) async fn has_event(
    client: &tokio_postgres::Client,
    tables: &Tables,
    run_id: &str,
    action: &str,
) -> Result<bool, tokio_postgres::Error> {
    let statement = format!(
        "SELECT FROM {} WHERE {} AND {} AND {} LIMIT 1",
        tables.events,
        is_text("run_id", run_id),
        is_text("action", action),
        is_text("outcome", "done")
    );
    Ok(!rows(client.simple_query(&ours(&statement)).await?).is_empty())
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
