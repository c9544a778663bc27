//! One migrator at a time: a session lock, taken by polling.
//!
//! A blocking `pg_advisory_lock` would make another session's CREATE INDEX CONCURRENTLY wait for us while we wait for
//! it: the server calls that a deadlock and kills one of them. Polling outside a transaction never does.

use std::time::{Duration, Instant};

use crate::connect::{Connection, NoticeSink, connect, number, query, text};
use crate::conninfo::ConnectionTarget;
use crate::error::Error;
use crate::peers::Holder;
use crate::sql::{Tables, lock_condition, take_lock};

/// Takes the lock on this session, waiting for at most `deadline`; `waiting` is told who holds it and how long this
/// has waited, about once a second.
///
/// # Errors
/// Exit code 5 with the holder after the deadline, 6 if the connection is lost.
pub(crate) async fn acquire(
    connection: &Connection,
    tables: &Tables,
    deadline: Duration,
    mut waiting: impl FnMut(&Holder, Duration),
) -> Result<(), Error> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        if attempt(connection, tables).await? {
            return Ok(());
        }
        let holder = holder(connection, tables).await?;
        let waited = begun.elapsed();
        if waited >= deadline {
            let who = holder.as_ref().map_or_else(|| "another session".to_owned(), Holder::to_string);
            return Err(Error::locked(format!("cannot take the migration lock on `{}` within {deadline:?}: held by {who}", connection.server.database),
            )
            .help("wait for that migrator, or raise --wait-lock; if it hangs, end it with `SELECT pg_terminate_backend(pid)`")
            .held_by(holder));
        }
        if let Some(holder) = holder {
            waiting(&holder, waited);
        }
        tokio::time::sleep(pause.min(deadline.saturating_sub(waited))).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

/// Takes the lock on this session if it is free.
///
/// # Errors
/// The server's refusal, a lost connection.
pub(crate) async fn attempt(connection: &Connection, tables: &Tables) -> Result<bool, Error> {
    let statement = format!("SELECT ({})::pg_catalog.int4 AS taken", take_lock(tables.lock_key));
    let rows = query(&connection.client, "taking the migration lock", &statement).await?;
    Ok(rows.first().and_then(|row| text(row, "taken")).as_deref() == Some("1"))
}

/// The session that holds the lock, or that held it at that moment; `None`: it was free.
///
/// # Errors
/// A lost connection.
pub(crate) async fn holder(connection: &Connection, tables: &Tables) -> Result<Option<Holder>, Error> {
    let statement = format!(
        "SELECT l.pid, a.usename, a.application_name, pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS since \
         FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid WHERE l.granted AND {} LIMIT 1",
        lock_condition(tables.lock_key)
    );
    let rows = query(&connection.client, "asking who holds the lock", &statement).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let column = |name| text(row, name).filter(|text| !text.is_empty());
    Ok(Some(Holder {
        pid: number(row, "pid"),
        user: column("usename"),
        application: column("application_name"),
        since: column("since"),
        doing: None,
    }))
}

/// How long to wait for the answer: long enough to write the question, and for a server nearby.
const RELEASE: Duration = Duration::from_millis(2);

/// Gives the lock back in a session that ends here: a server that is far away hears of it before it hears of the session's end, and no
/// one waits for its answer.
pub(crate) async fn release(connection: &Connection) {
    let unlock = connection.client.simple_query("SELECT pg_catalog.pg_advisory_unlock_all()");
    let _ = tokio::time::timeout(RELEASE, unlock).await;
}

/// Refuses a transaction pooler: where one backend serves two sessions of ours, neither keeps its state. The second session
/// is returned: it watches the first.
///
/// # Errors
/// Exit code 8; 6 if the second connection cannot be made.
pub(crate) async fn refuse_pooler(
    connection: &Connection,
    target: &ConnectionTarget,
    release: &str,
) -> Result<Connection, Error> {
    let silent: NoticeSink = std::sync::Arc::new(|_| {});
    let second = connect(target, release, silent).await?;
    let first = connection.server.backend_pid.to_string();
    for _ in 0..2 {
        // One after the other: a pooler gives the backend that has just become free to the next query.
        let (ours, theirs) = (pid(&connection.client).await?, pid(&second.client).await?);
        if ours == theirs || ours.as_deref() != Some(&first) {
            let message = "the connection goes through a transaction pooler, which cannot hold the migration lock";
            let direct = server_behind(&connection.client).await?;
            return Err(Error::refused(message)
                .help(format!("connect directly to the server at {direct}, or through a pool in session mode")));
        }
    }
    Ok(second)
}

/// Where the server itself listens, as it says: `10.0.0.7:5432`.
async fn server_behind(client: &tokio_postgres::Client) -> Result<String, Error> {
    let statement = "SELECT coalesce(pg_catalog.host(pg_catalog.inet_server_addr()), 'its socket') || ':' || pg_catalog.current_setting('port') AS at";
    let rows = query(client, "asking where the server is", statement).await?;
    Ok(rows.first().and_then(|row| text(row, "at")).unwrap_or_default())
}

async fn pid(client: &tokio_postgres::Client) -> Result<Option<String>, Error> {
    let rows = query(client, "looking for a connection pooler", "SELECT pg_catalog.pg_backend_pid() AS pid").await?;
    Ok(rows.first().and_then(|row| text(row, "pid")))
}
