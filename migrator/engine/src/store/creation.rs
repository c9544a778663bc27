//! Creates the history tables, in a transaction of its own or in one that is open.

use tokio_postgres::SimpleQueryMessage;

use super::standing;
use crate::connect::{Connection, failed, rows};
use crate::error::Error;
use crate::history::History;
use crate::sql::{CreatedObjects, Run, SessionSettings, Tables, fence, ours, session, set_sequence};

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
                let rest: String = answer.rest.iter().map(|statement| format!("{statement};\n")).collect();
                let ended = client.batch_execute(&format!("{rest}COMMIT")).await;
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

/// One message that creates the tables where nothing of them is there: it fails, and creates nothing, where it finds one all the same,
/// or where what it makes is not this role's alone, as with default privileges that open it to others.
pub(crate) fn at_once(tables: &Tables, run: &Run, with_schema: bool, with_index: bool) -> String {
    let fence = fence(tables, run, std::iter::empty()).join(";\n");
    let creation = ours(&tables.create_new(with_schema));
    let guard = standing::guarded_new(tables, with_schema);
    let index = if with_index { format!("{};\n", tables.create_index()) } else { String::new() };
    format!("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n{fence};\n{creation}{guard};\n{index}COMMIT")
}

/// What the creation of the tables has found, while its transaction is open.
#[derive(Default)]
pub(super) struct Created {
    /// What follows where the tables can be trusted: statements that revoke what default privileges have granted to others, and the
    /// index.
    pub(super) rest: Vec<String>,
    /// A table that existed already and cannot be trusted.
    pub(super) refusal: Option<Error>,
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
    Ok(created(tables, missing, client.simple_query(&message).await?))
}

/// What is missing, from the answer to [`Tables::presence`].
pub(super) fn missing(answer: Vec<SimpleQueryMessage>) -> CreatedObjects {
    let there = rows(answer);
    let is_there = |name: &str| there.first().and_then(|row| row.get(name)) == Some("t");
    let [state, events, schema, index] = ["state", "events", "schema", "index"].map(|name| !is_there(name));
    CreatedObjects { state, events, schema, index }
}

/// The statements that create the tables in an open transaction; [`created`] reads their answer.
pub(super) fn creation(tables: &Tables, history: &History, missing: CreatedObjects) -> String {
    let heal =
        history.sequence_behind.as_ref().map(|(sequence, newest)| set_sequence(sequence, *newest)).unwrap_or_default();
    // `IF NOT EXISTS` says so in a notice each time, which would only be noise.
    let create = format!("SET LOCAL client_min_messages = warning;\n{}{heal}", tables.create(missing));
    let [question, _] = standing::guarded(tables);
    format!("{};\n{question};\n{}", ours(&create), tables.open_to_others(missing))
}

/// What the answer to [`creation`] says.
pub(super) fn created(tables: &Tables, missing: CreatedObjects, answer: Vec<SimpleQueryMessage>) -> Created {
    let mut found =
        Created { rest: missing.index.then(|| tables.create_index()).into_iter().collect(), ..Created::default() };
    for row in rows(answer) {
        if let Some(revoke) = row.try_get("revoke").ok().flatten() {
            found.rest.push(revoke.to_owned());
        } else if row.try_get("is_state").is_ok() {
            let (_, standing) = standing::of_row(tables, &row);
            found.refusal = found.refusal.or(standing.believed().err());
        }
    }
    found
}
