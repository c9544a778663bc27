//! Runs the compiled data checks: every row that comes back is a violation.

use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use tokio_postgres::error::ErrorPosition;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use crate::connect::{failed, is_lost, said};
use crate::embedded::{Script, Settings};
use crate::error::{Error, Exit};
use crate::excerpt::{Excerpt, byte_of_character};
use crate::machine::failure;
use crate::words::cell;

/// How many rows of a violation are shown.
const SHOWN: usize = 10;

/// How many characters of a value are shown.
const LONGEST: usize = 60;

/// What one query of a check returned.
#[derive(Debug)]
pub struct Answer {
    script: &'static Script,
    /// Its number in the file, from 1.
    statement: usize,
    finding: Finding,
}

#[derive(Debug)]
enum Finding {
    /// Nothing came back.
    Clean,
    /// These rows are wrong: the names of the columns, the first rows, and how many there are.
    Violated { columns: Vec<String>, rows: Vec<Vec<Option<String>>>, count: u64 },
    /// It could not be run.
    Failed(Error),
}

impl Answer {
    /// Whether the query ran and found nothing.
    pub(crate) fn is_clean(&self) -> bool {
        matches!(self.finding, Finding::Clean)
    }

    /// The exit code that this answer deserves.
    pub(crate) fn exit(&self) -> Exit {
        match self.finding {
            Finding::Clean => Exit::Done,
            Finding::Violated { .. } => Exit::Found,
            Finding::Failed(_) => Exit::Other,
        }
    }
}

/// Runs all of them in one read-only transaction that sees one moment.
///
/// # Errors
/// A lost connection. A check that fails is an answer.
pub(crate) async fn ask(
    client: &Client,
    settings: &Settings,
    scripts: impl Iterator<Item = &'static Script>,
) -> Result<Vec<Answer>, Error> {
    let lost = |error: tokio_postgres::Error| failed("running the checks", error);
    // The session stays unchanged: it may belong to a pooler, and checks may run on a standby.
    let begin = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {}; \
         SET LOCAL lock_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = 0",
        settings.statement_timeout_ms, settings.lock_timeout_ms
    );
    client.batch_execute(&begin).await.map_err(lost)?;
    let mut answers = Vec::new();
    for script in scripts {
        client.batch_execute("SAVEPOINT asked").await.map_err(lost)?;
        let failure = ask_one(client, script, &mut answers).await;
        let Err((error, statement)) = failure else { continue };
        if is_lost(&error) {
            return Err(lost(error));
        }
        answers.push(Answer {
            script,
            statement: statement + 1,
            finding: Finding::Failed(described(script, statement, error)),
        });
        client.batch_execute("ROLLBACK TO SAVEPOINT asked").await.map_err(lost)?;
    }
    client.batch_execute("ROLLBACK").await.map_err(lost)?;
    Ok(answers)
}

/// The error comes with the number of queries that were answered before it.
async fn ask_one(
    client: &Client,
    script: &'static Script,
    answers: &mut Vec<Answer>,
) -> Result<(), (tokio_postgres::Error, usize)> {
    let mut statement = 0;
    let mut stream = Box::pin(client.simple_query_raw(&script.text).await.map_err(|error| (error, 0))?);
    let (mut columns, mut rows, mut count) = (Vec::new(), Vec::new(), 0);
    while let Some(message) = stream.try_next().await.map_err(|error| (error, statement))? {
        match message {
            SimpleQueryMessage::RowDescription(described) => {
                columns = described.iter().map(|column| column.name().to_owned()).collect();
            }
            SimpleQueryMessage::Row(row) => {
                if counts(&columns) && !is_positive(&row) {
                    continue;
                }
                count += 1;
                if rows.len() < SHOWN {
                    rows.push((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect());
                }
            }
            SimpleQueryMessage::CommandComplete(_) => {
                statement += 1;
                let (columns, rows) = (std::mem::take(&mut columns), std::mem::take(&mut rows));
                let finding = if count == 0 { Finding::Clean } else { Finding::Violated { columns, rows, count } };
                answers.push(Answer { script, statement, finding });
                count = 0;
            }
            _ => {}
        }
    }
    Ok(())
}

/// A last column of this name holds a number, and the row is wrong only if it is above 0.
fn counts(columns: &[String]) -> bool {
    columns.last().is_some_and(|name| name == "count")
}

fn is_positive(row: &SimpleQueryRow) -> bool {
    let last = row.len().checked_sub(1).and_then(|last| row.get(last));
    last.is_some_and(|text| text.parse::<f64>().is_ok_and(|number| number > 0.0))
}

fn described(script: &'static Script, statement: usize, error: tokio_postgres::Error) -> Error {
    let byte = match error.as_db_error().and_then(|error| error.position()) {
        Some(ErrorPosition::Original(at)) => byte_of_character(&script.text, (*at as usize).saturating_sub(1)),
        _ => script.statements.get(statement).map_or(0, |statement| statement.range.start),
    };
    let place = Excerpt::new(&script.file, &script.text, byte, said(&error));
    Error::other(format!("check {} cannot be run", script.name)).at(Some(place)).caused_by(error)
}

/// One line per query, and under a violation its first rows.
pub(crate) fn text(answers: &[Answer], color: bool) -> String {
    let mut text = String::new();
    for answer in answers {
        let name = label(answer);
        match &answer.finding {
            Finding::Clean => text.push_str(&format!("ok        {name}\n")),
            Finding::Failed(error) => text.push_str(&format!("failed    {name}\n{}\n", error.render(color))),
            Finding::Violated { columns, rows, count } => {
                text.push_str(&format!("violated  {name}: {count} row{}\n", if *count == 1 { "" } else { "s" }));
                text.push_str(&table(columns, rows));
                if *count > rows.len() as u64 {
                    text.push_str(&format!("          ... {} more\n", count - rows.len() as u64));
                }
            }
        }
    }
    text.push_str(&summary(answers));
    text
}

/// How many there are, and how many are not clean.
pub(crate) fn summary(answers: &[Answer]) -> String {
    let open = answers.iter().filter(|answer| !answer.is_clean()).count();
    match (open, answers.len()) {
        (_, 0) => "there are no checks in this binary".to_owned(),
        (0, 1) => "1 query, no violations".to_owned(),
        (0, all) => format!("{all} queries, no violations"),
        (open, all) => format!("{open} of {all} queries need attention"),
    }
}

/// `orders`, or `orders (2)` where a file has more than one query.
fn label(answer: &Answer) -> String {
    let name = &answer.script.name;
    if answer.script.statements.len() > 1 { format!("{name} ({})", answer.statement) } else { name.to_string() }
}

fn table(columns: &[String], rows: &[Vec<Option<String>>]) -> String {
    let shown = |value: &Option<String>| match value {
        None => "null".to_owned(),
        Some(text) if text.chars().count() > LONGEST => cell(&text.chars().take(LONGEST).collect::<String>()) + "...",
        Some(text) => cell(text),
    };
    let columns: Vec<String> = columns.iter().map(|name| cell(name)).collect();
    let lines: Vec<Vec<String>> =
        std::iter::once(columns).chain(rows.iter().map(|row| row.iter().map(shown).collect())).collect();
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max();
    let mut text = String::new();
    for line in &lines {
        let cells =
            line.iter().enumerate().map(|(column, cell)| format!("{cell:<width$}", width = width(column).unwrap_or(0)));
        text.push_str(format!("          {}", cells.collect::<Vec<_>>().join("  ")).trim_end());
        text.push('\n');
    }
    text
}

/// As JSON.
pub(crate) fn json(answers: &[Answer]) -> Value {
    let answer = |answer: &Answer| {
        let mut value = json!({
            "check": answer.script.name,
            "file": answer.script.file,
            "statement": answer.statement,
            "result": match answer.finding { Finding::Clean => "ok", Finding::Violated { .. } => "violated", Finding::Failed(_) => "failed" },
        });
        match &answer.finding {
            Finding::Violated { columns, rows, count } => {
                value["count"] = json!(count);
                value["columns"] = json!(columns);
                value["first_rows"] = json!(rows);
            }
            Finding::Failed(error) => value["error"] = failure::of(error),
            Finding::Clean => {}
        }
        value
    };
    answers.iter().map(answer).collect()
}
