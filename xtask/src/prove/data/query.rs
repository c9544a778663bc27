//! One statement of a test, and what came back.

use futures_util::TryStreamExt as _;
use tokio_postgres::{Client, SimpleQueryMessage};

/// So many rows of an answer are kept.
const KEPT: usize = 1_000;

/// The rows of one statement, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Returned {
    /// The names of the columns; empty: the statement returns no rows.
    pub(super) columns: Vec<String>,
    /// The first rows; `None` is NULL.
    pub(super) rows: Vec<Vec<Option<String>>>,
    /// How many there are.
    pub(super) count: usize,
}

/// Runs one statement.
///
/// # Errors
/// What the server refuses, a lost connection.
pub(super) async fn run(client: &Client, sql: &str) -> Result<Returned, tokio_postgres::Error> {
    let mut stream = Box::pin(client.simple_query_raw(sql).await?);
    let mut returned = Returned::default();
    while let Some(message) = stream.try_next().await? {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                returned.columns = columns.iter().map(|column| column.name().to_owned()).collect();
            }
            SimpleQueryMessage::Row(row) => {
                returned.count += 1;
                if returned.rows.len() < KEPT {
                    let value = |column| row.get(column).map(str::to_owned);
                    returned.rows.push((0..row.len()).map(value).collect());
                }
            }
            _ => {}
        }
    }
    Ok(returned)
}
