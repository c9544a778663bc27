//! Reads the history tables, and writes to them outside migrations.

mod creation;
mod downs;
mod elsewhere;
pub(crate) mod foreign;
mod question;
mod read;
mod standing;

pub(crate) use creation::{at_once as creation_at_once, create};
pub(crate) use downs::{foreign_writer, read_downs};
pub(crate) use elsewhere::{command as recording_command, refuse as refuse_elsewhere};
pub(crate) use question::Extent;
pub(crate) use read::{LONGEST_WAIT, look, read};

use crate::connect::{Connection, rows};
use crate::sql::{Run, SessionSettings, Tables, fence, is_text, ours, session};

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
    let [reset, message] = writing(tables, run, settings, statements);
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

/// The reset of the session, and statements of ours in one transaction, after the fence.
pub(crate) fn writing(tables: &Tables, run: &Run, settings: &SessionSettings, statements: &str) -> [String; 2] {
    let fence = fence(tables, run, std::iter::empty()).join(";\n");
    let message = format!("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n{fence};\n{};\nCOMMIT", ours(statements));
    [session(settings), message]
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
