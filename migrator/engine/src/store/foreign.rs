//! Another tool's history: where it is, and its rows, read in the transaction in which ours is written.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio_postgres::error::SqlState;
use tokio_postgres::{SimpleQueryMessage, SimpleQueryStream};

use super::creation::{created, creation, missing};
use super::standing;
use crate::adopt::{ForeignHistory, Row};
use crate::connect::{Connection, failed, no_answer, ours, patiently, query, text};
use crate::error::Error;
use crate::history::History;
use crate::sql::{OURS, Run, SessionSettings, Tables, fence, identifier, literal, session};
use crate::words;

/// How much of the other history is read, in bytes of its values: hundreds of thousands of rows.
const MOST_BYTES: usize = 64 << 20;

/// How long the server may take beyond the time that it waits for a lock.
const GRACE: Duration = Duration::from_secs(60);

/// How many candidates are looked at: a database of many tenants may have one in each schema.
const MOST_CANDIDATES: usize = 100;

/// A table that may hold another tool's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The schema's plain name.
    pub(crate) schema: String,
    /// The table's plain name.
    pub(crate) table: String,
    /// The names of its columns.
    pub(crate) columns: Vec<String>,
    /// Qualified, quoted as the server does where that is necessary.
    pub(crate) shown: String,
}

impl Candidate {
    /// Qualified and quoted.
    pub(crate) fn quoted(&self) -> String {
        format!("{}.{}", identifier(&self.schema), identifier(&self.table))
    }
}

/// What a table is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// Any of these, in lower case; with a schema where that is part of the name.
    Usual(&'static [&'static str]),
    /// The schema, if one was given, and the table.
    Exactly(Option<String>, String),
}

/// The tables of those names. Nothing of them is read: another user may have made them.
///
/// # Errors
/// A lost connection.
pub(crate) async fn candidates(connection: &Connection, named: &Named) -> Result<Vec<Candidate>, Error> {
    let condition = match named {
        Named::Usual(names) => {
            let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
            format!("lower(n.nspname || '.' || c.relname) IN ({0}) OR lower(c.relname) IN ({0})", names.join(", "))
        }
        Named::Exactly(schema, table) => {
            let schema = schema.as_ref().map(|schema| format!(" AND n.nspname = {}", literal(schema)));
            format!("c.relname = {}{}", literal(table), schema.unwrap_or_default())
        }
    };
    let statement = format!(
        "SELECT n.nspname AS schema, c.relname AS name, c.oid::regclass::text AS shown, \
         (SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_(temp|toast)' AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
         AND ({condition}) ORDER BY 1, 2 LIMIT {MOST_CANDIDATES}"
    );
    let rows = query(&connection.client, "looking for the other history", &statement).await?;
    let column = |row: &_, name| text(row, name).unwrap_or_default();
    let candidate = |row| Candidate {
        schema: column(row, "schema"),
        table: column(row, "name"),
        shown: column(row, "shown"),
        columns: column(row, "columns").split(' ').map(str::to_owned).collect(),
    };
    Ok(rows.iter().map(candidate).collect())
}

/// Which table is read, of which tool, and how long another session may hold it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    /// The tool's history.
    pub(crate) history: &'static ForeignHistory,
    /// The table.
    pub(crate) table: &'a Candidate,
    /// How long to wait for sessions that are using it.
    pub(crate) wait: Duration,
}

/// Reads the rows and changes nothing, the session neither.
///
/// # Errors
/// A lost connection, missing rights, a table that cannot be trusted, no answer in time.
pub(crate) async fn look(connection: &Connection, source: Source<'_>) -> Result<Vec<Row>, Error> {
    let message =
        format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n{}", reading(source, connection, "ACCESS SHARE"));
    let once = async || {
        let stream = connection.client.simple_query_raw(&message).await?;
        // On its way before the answer is back: the session may belong to a pooler.
        let end = connection.client.simple_query_raw("ROLLBACK").await?;
        let answer = take(stream, 0, source).await;
        let mut end = std::pin::pin!(end);
        while end.try_next().await?.is_some() {}
        answer
    };
    let answer = limited(source, patiently(once)).await?;
    judged(answer, connection, source).await
}

/// Begins the transaction: after the fence, locks the table against writers, judges it and reads it. The transaction is open then,
/// for [`finish`] or [`abandon`]; after an error it is not.
///
/// # Errors
/// As of [`look`].
pub(crate) async fn begin(
    connection: &Connection,
    tables: &Tables,
    run: &Run,
    settings: &SessionSettings,
    source: Source<'_>,
) -> Result<Vec<Row>, Error> {
    let fence = fence(tables, run, std::iter::empty());
    let message = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n{};\n{}",
        fence.join(";\n"),
        reading(source, connection, "SHARE")
    );
    let outcome = limited(source, async {
        // The second message is parsed after the first has run.
        let reset = session(settings);
        let (reset, stream) = futures_util::future::join(
            connection.client.batch_execute(&reset),
            connection.client.simple_query_raw(&message),
        )
        .await;
        reset?;
        take(stream?, fence.len(), source).await
    })
    .await;
    if !matches!(outcome, Ok(Answer::Rows(_))) {
        abandon(connection).await;
    }
    judged(outcome?, connection, source).await
}

/// Ends the transaction, and nothing of it remains.
pub(crate) async fn abandon(connection: &Connection) {
    // If the connection is gone there is none.
    let _ = connection.client.batch_execute("ROLLBACK").await;
}

/// Creates our tables, or what they lack, runs the statements, and commits, all in the transaction that [`begin`] has begun.
///
/// # Errors
/// The server's refusal, a lost connection, a table of ours that cannot be trusted.
pub(crate) async fn finish(
    connection: &Connection,
    tables: &Tables,
    history: &History,
    statements: &str,
) -> Result<(), Error> {
    let outcome = write(connection, tables, history, statements).await;
    if outcome.is_err() {
        abandon(connection).await;
    }
    outcome
}

async fn write(connection: &Connection, tables: &Tables, history: &History, statements: &str) -> Result<(), Error> {
    let doing = "recording the migrations";
    let client = &connection.client;
    let mut rest = String::new();
    if !history.complete {
        let presence = client.simple_query(&tables.presence()).await.map_err(|error| failed(doing, error))?;
        let missing = missing(presence);
        let creation = creation(tables, history, missing);
        let answer =
            client.simple_query(&creation).await.map_err(|error| failed("creating the history tables", error))?;
        let created = created(tables, missing, answer);
        if let Some(refusal) = created.refusal {
            return Err(refusal);
        }
        rest = created.rest.iter().map(|statement| format!("{statement};\n")).collect();
    }
    client.batch_execute(&format!("{rest}{statements};\nCOMMIT")).await.map_err(|error| failed(doing, error))
}

/// What is sent after `BEGIN`: it stops at a table that cannot be trusted, before anything of it is read.
fn reading(source: Source<'_>, connection: &Connection, mode: &str) -> String {
    let table = source.table.quoted();
    let [question, guard] = standing::guarded_table(&table);
    let ForeignHistory { select, order, .. } = source.history;
    let mut text = format!(
        "{};\n{};\nSET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;\n",
        OURS[0], OURS[1]
    );
    if connection.major >= 17 {
        text.push_str("SET LOCAL transaction_timeout = 0;\n");
    }
    let wait = source.wait.as_millis().max(1);
    text.push_str(&format!(
        "SET LOCAL lock_timeout = {wait};\nLOCK TABLE {table} IN {mode} MODE;\n{question};\n{guard};\nSELECT {select} FROM {table} AS t ORDER BY {order}"
    ));
    text
}

/// What the message has answered.
enum Answer {
    Rows(Vec<Row>),
    /// The guard has stopped it.
    Unbelieved(Error),
    /// It is larger than any history.
    TooLarge,
    /// The role lacks a right.
    Denied(tokio_postgres::Error),
    /// Another session is using the table.
    Locked,
    /// Anything else that the server says.
    Refused(tokio_postgres::Error),
}

/// Reads the answer; `before`: how many results come first.
async fn take(stream: SimpleQueryStream, before: usize, source: Source<'_>) -> Result<Answer, tokio_postgres::Error> {
    let mut stream = std::pin::pin!(stream);
    let (mut results, mut bytes) = (0, 0);
    let (mut rows, mut standing) = (Vec::new(), None);
    loop {
        match stream.try_next().await {
            Ok(Some(SimpleQueryMessage::RowDescription(_))) => results += 1,
            Ok(Some(SimpleQueryMessage::Row(row))) if results == before + 1 => standing = Some(row),
            Ok(Some(SimpleQueryMessage::Row(row))) if results == before + 3 => {
                bytes += (0..row.len()).filter_map(|column| row.get(column)).map(str::len).sum::<usize>() + 64;
                if bytes > MOST_BYTES {
                    return Ok(Answer::TooLarge);
                }
                rows.push(Row {
                    source: text(&row, "source"),
                    name: text(&row, "name"),
                    checksum: text(&row, "checksum"),
                    state: text(&row, "state"),
                });
            }
            Ok(Some(_)) => {}
            Ok(None) => return Ok(Answer::Rows(rows)),
            Err(error) if results == before + 2 && error.code() == Some(&SqlState::DIVISION_BY_ZERO) => {
                let judged = standing.map(|row| standing::of_foreign(&source.table.quoted(), &row).believed());
                return Ok(match judged {
                    Some(Err(refusal)) => Answer::Unbelieved(refusal),
                    _ => Answer::Refused(error),
                });
            }
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => return Ok(Answer::Denied(error)),
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => return Ok(Answer::Locked),
            Err(error) if error.as_db_error().is_some() && error.code() != Some(&SqlState::QUERY_CANCELED) => {
                return Ok(Answer::Refused(error));
            }
            Err(error) => return Err(error),
        }
    }
}

/// The answer, or the sentence for what was in the way.
async fn judged(answer: Answer, connection: &Connection, source: Source<'_>) -> Result<Vec<Row>, Error> {
    let shown = &source.table.shown;
    match answer {
        Answer::Rows(rows) => Ok(rows),
        Answer::Unbelieved(refusal) => Err(refusal),
        Answer::TooLarge => Err(Error::other(format!("the table `{shown}` is larger than {} MB", MOST_BYTES >> 20))
            .help("check that it is a history")),
        Answer::Denied(error) => Err(denied(connection, source).caused_by(error)),
        Answer::Locked => Err(locked(connection, source).await),
        Answer::Refused(error) if error.code() == Some(&SqlState::WRONG_OBJECT_TYPE) => {
            Err(Error::refused(format!("`{shown}` is not an ordinary table: what it says is not believed"))
                .help("pass the table of the tool with `--table`"))
        }
        Answer::Refused(error) if is_of_types(&error) => {
            let title = source.history.tool.title();
            Err(Error::usage(format!("`{shown}` is not a history of {title}: its columns have other types"))
                .caused_by(error)
                .help("pass the right table with `--table`"))
        }
        Answer::Refused(error) => Err(failed(&format!("reading `{shown}`"), error)),
    }
}

/// Whether the server could not apply a function or an operator of ours to a column.
fn is_of_types(error: &tokio_postgres::Error) -> bool {
    [SqlState::UNDEFINED_FUNCTION, SqlState::DATATYPE_MISMATCH, SqlState::CANNOT_COERCE]
        .iter()
        .any(|code| error.code() == Some(code))
}

fn denied(connection: &Connection, source: Source<'_>) -> Error {
    let Candidate { shown, schema, .. } = source.table;
    let (user, schema) = (identifier(&connection.server.user), identifier(schema));
    let title = source.history.tool.title();
    Error::refused(format!("this user may not read the history of {title} in `{shown}`"))
        .note(format!("UPDATE is needed for the lock that keeps {title} from running meanwhile; nothing is updated"))
        .help(format!(
            "have its owner run `GRANT USAGE ON SCHEMA {schema} TO {user}; GRANT SELECT, UPDATE ON {shown} TO {user}`"
        ))
}

/// Another session is using the table: most likely the tool itself.
async fn locked(connection: &Connection, source: Source<'_>) -> Error {
    let statement = format!(
        "SELECT format('pid %s (%s, %s)', a.pid, a.usename, coalesce(nullif(a.application_name, ''), 'no application name')) AS holder \
         FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
         WHERE l.granted AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'ShareLock') AND l.relation = to_regclass({}) LIMIT 1",
        literal(&source.table.quoted())
    );
    let rows = ours(&connection.client, &statement).await.unwrap_or_default();
    let holder = rows.first().and_then(|row| text(row, "holder")).unwrap_or_else(|| "another session".to_owned());
    Error::locked(format!(
        "cannot read `{}` within {}: locked by {holder}",
        source.table.shown,
        words::duration(source.wait)
    ))
    .help(format!("wait until {} has finished, or end that session", source.history.tool.title()))
}

/// Waits for an answer as long as the lock may take, and what reading takes.
async fn limited<T>(
    source: Source<'_>,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Error> {
    let limit = source.wait + GRACE;
    let doing = format!("reading `{}`", source.table.shown);
    match tokio::time::timeout(limit, work).await {
        Ok(outcome) => outcome.map_err(|error| failed(&doing, error)),
        Err(_) => Err(no_answer(&doing, limit)),
    }
}
