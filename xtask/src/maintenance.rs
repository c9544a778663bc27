//! Whole databases of a server, from its maintenance database.

use std::path::Path;

use crate::developer::Context;
use migrator_engine::client::{Connection, failed, identifier, literal, query};
use migrator_engine::{ConnectionTarget, Error};

/// Connects to the server's maintenance database.
pub(crate) async fn connect(context: &Context, target: &ConnectionTarget) -> Result<Connection, Error> {
    context.migrator.open(&target.with_database("postgres")).await
}

/// Whether the target's database is there.
pub(crate) async fn exists(connection: &Connection, target: &ConnectionTarget) -> Result<bool, Error> {
    let statement = format!("SELECT 1 FROM pg_catalog.pg_database WHERE datname = {}", literal(target.database()));
    Ok(!query(connection.client(), "looking for the database", &statement).await?.is_empty())
}

/// Creates the target's database.
pub(crate) async fn create(connection: &Connection, target: &ConnectionTarget) -> Result<(), Error> {
    let statement = format!("CREATE DATABASE {}", identifier(target.database()));
    connection.client().batch_execute(&statement).await.map_err(|error| failed("creating the database", error))
}

/// Creates the context's database where it does not exist; true: it did not.
///
/// # Errors
/// No connection, or the server refuses.
pub(crate) async fn create_missing(context: &Context) -> Result<bool, Error> {
    let connection = connect(context, &context.target).await?;
    let is_missing = !exists(&connection, &context.target).await?;
    if is_missing {
        create(&connection, &context.target).await?;
    }
    Ok(is_missing)
}

/// Creates the target's database as a copy of another one, in which there is no session.
pub(crate) async fn copy(
    connection: &Connection,
    template: &ConnectionTarget,
    target: &ConnectionTarget,
    server_version: i32,
) -> Result<(), Error> {
    let (template, name) = (identifier(template.database()), identifier(target.database()));
    // Older ones know no other way; the default of newer ones writes every block to the log.
    let strategy = if server_version >= 150_000 { " STRATEGY file_copy" } else { "" };
    let statement = format!("CREATE DATABASE {name} TEMPLATE {template}{strategy}");
    connection.client().batch_execute(&statement).await.map_err(|error| failed("copying a database", error))
}

/// A comment in the statement that drops a database, by which `dist` finds it in a binary: no one writes it into a migration.
pub(crate) const MARK: &str = "/* migrator-xtask drops */";

/// Drops the target's database, ending the sessions that are in it.
pub(crate) async fn drop(connection: &Connection, target: &ConnectionTarget) -> Result<(), Error> {
    let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE) {MARK}", identifier(target.database()));
    connection.client().batch_execute(&statement).await.map_err(|error| failed("dropping the database", error))
}

/// The user of this session.
pub(crate) async fn user(connection: &Connection) -> Result<String, Error> {
    let rows = query(connection.client(), "asking who this is", "SELECT session_user AS name").await?;
    Ok(rows.first().and_then(|row| row.get("name")).unwrap_or_default().to_owned())
}

/// Whether the server is the one with that data directory: a tunnel to production is "local" too.
pub(crate) async fn is_cluster_of(connection: &Connection, own: Option<&Path>) -> Result<bool, Error> {
    let Some(own) = own else { return Ok(false) };
    // Without the right to ask there is no proof.
    let doing = "reading the data directory";
    let Ok(rows) = query(connection.client(), doing, "SHOW data_directory").await else { return Ok(false) };
    let Some(theirs) = rows.first().and_then(|row| row.get(0)) else { return Ok(false) };
    let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    Ok(canonical(own) == canonical(theirs.as_ref()))
}
