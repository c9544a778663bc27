//! Reads the facts of a live schema.

use crate::connect::{Connection, failed, query};
use crate::error::{Error, ErrorKind};
use crate::facts::{Fact, Facts, catalog};
use crate::sql::Tables;

impl Facts {
    /// Reads the schema at one moment; writes nothing, and leaves the session as it was.
    ///
    /// # Errors
    /// A lost connection, or an object that another session is changing at this moment, or a catalog that the role may not read.
    pub(crate) async fn read(connection: &Connection, tables: &Tables) -> Result<Facts, Error> {
        let doing = "reading the schema";
        let client = &connection.client;
        client.batch_execute(catalog::BEGIN).await.map_err(|error| failed(doing, error))?;
        let answer = query(client, doing, &catalog::query(connection.major, tables)).await;
        // Ends the transaction also when the question has failed.
        let ended = client.batch_execute("ROLLBACK").await;
        let rows = answer.map_err(|error| match error.kind() {
            ErrorKind::Server { is_denied: true, .. } | ErrorKind::Refused { .. } => {
                error.note("nothing was compared: the schema could not be read completely")
            }
            _ => error,
        })?;
        ended.map_err(|error| failed(doing, error))?;
        let text = |row: &tokio_postgres::SimpleQueryRow, column| row.get(column).unwrap_or_default().to_owned();
        let fact =
            |row| Fact { object: text(row, 0), kind: text(row, 1), part: text(row, 2), definition: text(row, 3) };
        Ok(rows.iter().map(fact).collect())
    }
}
