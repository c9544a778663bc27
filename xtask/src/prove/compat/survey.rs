//! What a server says of queries, none of which it runs.
//!
//! Each is prepared, which parses and describes it, and then planned as it was prepared: PostgreSQL finds only then that the index of an ON CONFLICT is gone, or
//! that the role lacks a privilege. Planning may evaluate functions that are declared immutable or stable: it does so in a read-only
//! transaction that is rolled back. Many are in flight at once.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::join;
use futures_util::stream::{self, StreamExt as _};
use migrator_engine::Error;
use migrator_engine::client::{failed, identifier, query};
use migrator_sql::lex;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow, Statement};

use super::alike::TypeName;
use super::catalog::Catalog;
use super::description::{Column, Description, Refusal, Standing};
use super::plan;

/// So many are in flight at once.
const IN_FLIGHT: usize = 64;

/// What has a plan.
const PLANNED: [&str; 8] = ["select", "insert", "update", "delete", "merge", "with", "values", "table"];

/// What the server says of each query, in their order.
///
/// # Errors
/// A lost connection.
pub(super) async fn survey(client: &Client, texts: &[&str]) -> Result<Vec<Standing>, Error> {
    let prepared: Vec<_> =
        stream::iter(texts).map(|text| prepare(client, text, &[])).buffered(IN_FLIGHT).collect().await;
    let mut described = Vec::with_capacity(texts.len());
    for outcome in prepared {
        described.push(outcome?);
    }
    let job = |(number, (text, outcome)): (usize, (&&'_ str, &Result<Statement, Refusal>))| {
        let arguments = outcome.as_ref().ok().map(|statement| statement.params().len());
        (number, arguments.filter(|_| can_be_planned(text)))
    };
    let jobs: Vec<_> = texts.iter().zip(&described).enumerate().map(job).collect();
    let names = names(client).await?;
    let planning = |(number, arguments): (usize, Option<usize>)| plan_of(client, names.get(texts[number]), arguments);
    let plans: Vec<_> = stream::iter(jobs).map(planning).buffered(IN_FLIGHT).collect().await;
    let mut known = None;
    let mut standings = Vec::with_capacity(texts.len());
    for (outcome, plan) in described.into_iter().zip(plans) {
        standings.push(match (outcome, plan?) {
            (Err(refusal), _) | (Ok(_), Planned::Refused(refusal)) => Standing::Refused(refusal),
            (Ok(statement), Planned::Not) => Standing::Works(description(client, &statement, None, &mut known).await?),
            (Ok(statement), Planned::As(plan)) => {
                Standing::Works(description(client, &statement, Some(&plan), &mut known).await?)
            }
        });
    }
    Ok(standings)
}

/// Whether the server takes a query from a client that names the types of its parameters itself.
///
/// # Errors
/// A lost connection.
pub(super) async fn takes(client: &Client, text: &str, parameters: &[Type]) -> Result<bool, Error> {
    Ok(prepare(client, text, parameters).await?.is_ok())
}

/// Whether the column of this index cannot be null in the result, whatever is in the tables: the query has a condition that no NULL meets.
///
/// # Errors
/// A lost connection.
pub(super) async fn is_never_null(client: &Client, text: &str, columns: usize, index: usize) -> Result<bool, Error> {
    let list: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
    let text = text.trim_end().trim_end_matches(';');
    // The planner compares a condition with itself only where it is told to.
    let asked = format!("SELECT 1 FROM (\n{text}\n) AS asked ({}) WHERE c{index} IS NULL", list.join(", "));
    let Ok(statement) = prepare(client, &asked, &[]).await? else { return Ok(false) };
    let names = names(client).await?;
    let Some(name) = names.get(&asked) else { return Ok(false) };
    let planned = explain(client, "SET LOCAL constraint_exclusion = on; ", name, statement.params().len()).await?;
    Ok(planned.is_ok_and(|plan| plan::is_empty(&plan)))
}

async fn prepare(client: &Client, text: &str, parameters: &[Type]) -> Result<Result<Statement, Refusal>, Error> {
    match client.prepare_typed(text, parameters).await {
        Ok(statement) => Ok(Ok(statement)),
        Err(error) => refusal(error).map(Err),
    }
}

/// # Errors
/// The connection is lost: that says nothing of the query.
fn refusal(error: tokio_postgres::Error) -> Result<Refusal, Error> {
    if let Some(server) = error.as_db_error() {
        return Ok(Refusal::of(server));
    }
    if error.is_closed() {
        return Err(failed("judging the queries", error));
    }
    // A text that the protocol cannot carry.
    let message = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
    Ok(Refusal { code: String::new(), message })
}

/// What came of planning a query.
enum Planned {
    /// It has no plan, or none without values.
    Not,
    /// As the server writes a plan.
    As(String),
    Refused(Refusal),
}

/// Where the first word is that of a statement that is planned.
fn can_be_planned(text: &str) -> bool {
    let tokens = lex(text).tokens;
    let first = tokens.iter().map(|token| &text[token.range()]).find(|word| *word != "(");
    first.is_some_and(|word| PLANNED.iter().any(|known| known.eq_ignore_ascii_case(word)))
}

/// What the session calls the statements that it has prepared, by their text.
async fn names(client: &Client) -> Result<HashMap<String, String>, Error> {
    let statement = "SELECT statement, name FROM pg_catalog.pg_prepared_statements";
    let rows = query(client, "reading the prepared statements", statement).await?;
    let text = |row: &SimpleQueryRow, column: usize| row.get(column).unwrap_or_default().to_owned();
    Ok(rows.iter().map(|row| (text(row, 0), text(row, 1))).collect())
}

/// Plans a query that the server has prepared already under this name, and so is one statement. `arguments`: the number of its parameters;
/// `None`: it is not to be planned.
async fn plan_of(client: &Client, name: Option<&String>, arguments: Option<usize>) -> Result<Planned, Error> {
    let (Some(name), Some(arguments)) = (name, arguments) else { return Ok(Planned::Not) };
    Ok(match explain(client, "", name, arguments).await? {
        Ok(plan) => Planned::As(plan),
        Err(refusal) if is_without_values(&refusal.code) => Planned::Not,
        Err(refusal) => Planned::Refused(refusal),
    })
}

/// The plan of a prepared statement in a transaction of its own, which begins with `set`.
async fn explain(client: &Client, set: &str, name: &str, arguments: usize) -> Result<Result<String, Refusal>, Error> {
    let nulls = match arguments {
        0 => String::new(),
        several => format!("({})", vec!["NULL"; several].join(", ")),
    };
    let name = identifier(name);
    let message = format!("BEGIN READ ONLY; {set}EXPLAIN (VERBOSE, FORMAT JSON, COSTS OFF) EXECUTE {name}{nulls}");
    // Both are sent before either is answered, so that the next one's transaction is its own.
    let (planned, _) = join(client.simple_query(&message), client.simple_query("ROLLBACK")).await;
    let messages = match planned {
        Ok(messages) => messages,
        Err(error) => return refusal(error).map(Err),
    };
    let lines = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(Ok(lines.collect()))
}

/// What says nothing of the query: a domain that takes no NULL refuses ours, planning takes too long, `EXPLAIN` takes no such statement.
fn is_without_values(code: &str) -> bool {
    code.starts_with("23") || ["57014", "55P03", "42601"].contains(&code)
}

async fn description(
    client: &Client,
    statement: &Statement,
    text: Option<&str>,
    known: &mut Option<Catalog>,
) -> Result<Description, Error> {
    let plan = text.and_then(plan::read);
    let nulls = plan.as_ref().map(plan::nulls).unwrap_or_default();
    let is_of_table = statement.columns().iter().any(|column| column.table_oid().is_some());
    if known.is_none() && (is_of_table || !nulls.is_empty()) {
        *known = Some(Catalog::read(client).await?);
    }
    let nulls: Vec<_> =
        nulls.into_iter().filter(|null| known.as_ref().is_none_or(|known| !known.is_dropped(null))).collect();
    let outer = plan.as_ref().map(plan::outer).unwrap_or_default();
    let column = |(index, column): (usize, &tokio_postgres::Column)| Column {
        name: column.name().to_owned(),
        is: TypeName::of(column.type_()),
        not_null: known.as_ref().and_then(|known| known.not_null(column.table_oid()?, column.column_id()?)),
        outer: outer.get(index).copied().unwrap_or_default(),
    };
    let columns = statement.columns().iter().enumerate().map(column).collect();
    let missing: BTreeMap<_, _> =
        nulls.iter().filter_map(|null| known.as_ref()?.required(null)).map(|key| (key, ())).collect();
    Ok(Description {
        parameters: statement.params().iter().map(TypeName::of).collect(),
        // A type that only this database knows has another number in the next.
        types: statement.params().iter().map(|of| Type::from_oid(of.oid()).unwrap_or(Type::UNKNOWN)).collect(),
        columns,
        missing: missing.into_keys().collect(),
        nulls,
        is_planned: text.is_some(),
        has_whole_rows: text.is_some_and(plan::has_whole_rows),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_planned_is_known_by_its_first_word() {
        for (text, planned) in [
            ("SELECT 1", true),
            ("-- why\n/* and */ with x as (select 1) table x", true),
            ("((select 1) union values (2))", true),
            ("LISTEN x", false),
            ("COPY t FROM STDIN", false),
            ("", false),
        ] {
            assert_eq!(can_be_planned(text), planned, "{text}");
        }
    }
}
