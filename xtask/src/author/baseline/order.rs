//! The order in which statements run: that of the dump, but that functions whose bodies the server checks come after what they name.

use anyhow::{Result, bail};
use migrator_engine::client::said;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// Statements in an order that a server has taken.
#[derive(Debug, Default)]
pub(crate) struct Ordered {
    pub(crate) statements: Vec<String>,
    /// It took them only without looking into the bodies of functions.
    pub(crate) unchecked: bool,
}

/// Runs the statements on an empty database, each when its turn comes and what it names is there.
///
/// # Errors
/// Statements that the server does not take, whatever comes before them.
pub(crate) async fn order(client: &Client, statements: Vec<String>) -> Result<Ordered> {
    let mut ordered = Ordered::default();
    let mut waiting = Vec::new();
    for statement in statements {
        match client.batch_execute(&statement).await {
            Ok(()) => ordered.statements.push(statement),
            Err(error) if is_early(&error) => {
                // It may need one of those that wait, or one of them may need it.
                waiting.push((statement, said(&error)));
                run_waiting(client, &mut ordered, &mut waiting).await;
            }
            Err(error) => bail!("{}: {}", shown(&statement), said(&error)),
        }
    }
    if !waiting.is_empty() {
        let off = "SET check_function_bodies = off";
        let is_function =
            |statement: &str| statement.starts_with("CREATE FUNCTION") || statement.starts_with("CREATE PROCEDURE");
        ordered.unchecked =
            waiting.iter().any(|(statement, _)| is_function(statement)) && client.batch_execute(off).await.is_ok();
        run_waiting(client, &mut ordered, &mut waiting).await;
    }
    if waiting.is_empty() {
        return Ok(ordered);
    }
    let lines: Vec<String> =
        waiting.iter().map(|(statement, reason)| format!("{}: {reason}", shown(statement))).collect();
    bail!("{}", lines.join("\n"))
}

/// Runs those that wait until none of them goes any more; each keeps the reason why it waits.
async fn run_waiting(client: &Client, ordered: &mut Ordered, waiting: &mut Vec<(String, String)>) {
    loop {
        let before = waiting.len();
        for (statement, _) in std::mem::take(waiting) {
            match client.batch_execute(&statement).await {
                Ok(()) => ordered.statements.push(statement),
                Err(error) => waiting.push((statement, said(&error))),
            }
        }
        if waiting.is_empty() || waiting.len() == before {
            return;
        }
    }
}

/// Whether something that the statement names may only be missing yet.
fn is_early(error: &tokio_postgres::Error) -> bool {
    let missing = [
        SqlState::UNDEFINED_TABLE,
        SqlState::UNDEFINED_COLUMN,
        SqlState::UNDEFINED_FUNCTION,
        SqlState::UNDEFINED_OBJECT,
        SqlState::INVALID_SCHEMA_NAME,
        SqlState::INVALID_FUNCTION_DEFINITION,
        SqlState::WRONG_OBJECT_TYPE,
    ];
    error.code().is_some_and(|code| missing.contains(code))
}

/// Its first line, which names what it makes.
fn shown(statement: &str) -> String {
    let line = statement.lines().find(|line| !line.starts_with("--")).unwrap_or(statement);
    format!("`{}`", line.trim_end_matches([' ', '(', ';']))
}
