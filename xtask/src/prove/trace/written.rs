//! What a name in a statement means, under the migration's search path.

use tokio_postgres::{Client, Error};

use super::question::{NAME, Oid, oid, text};
use super::state::ask;
use migrator_engine::client::{literal, rows};

/// The qualified name of a relation as it is written in a statement; as it is written, if there is none.
pub(super) async fn name_of(client: &Client, written: &str) -> Result<String, Error> {
    let name = match oid_of(client, written).await? {
        Some(oid) => name(client, oid).await?,
        None => None,
    };
    Ok(name.unwrap_or_else(|| written.to_owned()))
}

/// The name of the table of an index as it is written in a statement.
pub(super) async fn table_of(client: &Client, index: &str) -> Result<String, Error> {
    let name = match table_oid_of(client, index).await? {
        Some(oid) => name(client, oid).await?,
        None => None,
    };
    Ok(name.unwrap_or_else(|| format!("the table of {index}")))
}

/// The relation that is written; `None`: there is none.
pub(super) async fn oid_of(client: &Client, written: &str) -> Result<Option<Oid>, Error> {
    let means = format!("SELECT pg_catalog.to_regclass({})::pg_catalog.oid AS oid", literal(written));
    let found = rows(client.simple_query(&means).await?);
    Ok(found.first().filter(|row| text(row, "oid").is_some()).map(oid))
}

/// The table of the index that is written; `None`: there is none.
pub(super) async fn table_oid_of(client: &Client, index: &str) -> Result<Option<Oid>, Error> {
    let Some(index) = oid_of(client, index).await? else { return Ok(None) };
    let table = format!("SELECT indrelid::text AS oid FROM pg_catalog.pg_index WHERE indexrelid = {index}");
    Ok(ask(client, &table).await?.first().map(oid))
}

async fn name(client: &Client, oid: Oid) -> Result<Option<String>, Error> {
    let named = format!(
        "SELECT {NAME} AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = {oid}"
    );
    Ok(ask(client, &named).await?.first().and_then(|row| text(row, "name")).map(str::to_owned))
}
