//! SQL functions whose body is a text: the server reads it again only when one is called.
//!
//! Bodies that are kept parsed (`BEGIN ATOMIC`) and views are the server's own business: it lets no one drop what they use. Bodies in
//! PL/pgSQL are not read by any validator.

use std::collections::BTreeMap;

use futures_util::future::join;
use futures_util::stream::{self, StreamExt as _};
use migrator_engine::Error;
use migrator_engine::client::{Connection, failed, literal, query};

use super::description::{Description, Refusal, Standing};

/// So many are in flight at once.
const IN_FLIGHT: usize = 64;

struct Function {
    oid: String,
    signature: String,
    /// Its own, if it has one.
    search_path: Option<String>,
}

/// What the server's validator says of each, by signature. Nothing is executed, and nothing is created.
///
/// # Errors
/// A lost connection.
pub(super) async fn survey(connection: &Connection) -> Result<BTreeMap<String, Standing>, Error> {
    let rows = query(connection.client(), "reading the functions", include_str!("functions.sql")).await?;
    let function = |row: &tokio_postgres::SimpleQueryRow| Function {
        oid: row.get("oid").unwrap_or_default().to_owned(),
        signature: row.get("signature").unwrap_or_default().to_owned(),
        search_path: row.get("search_path").map(str::to_owned),
    };
    let functions: Vec<Function> = rows.iter().map(function).collect();
    let mut found = BTreeMap::new();
    let mut validated = stream::iter(&functions).map(|function| validate(connection, function)).buffered(IN_FLIGHT);
    while let Some(validated) = validated.next().await {
        let (signature, standing) = validated?;
        found.insert(signature, standing);
    }
    Ok(found)
}

async fn validate(connection: &Connection, function: &Function) -> Result<(String, Standing), Error> {
    let path = function
        .search_path
        .as_ref()
        .map(|path| format!("SELECT pg_catalog.set_config('search_path', {}, true); ", literal(path)));
    let message = format!(
        "BEGIN READ ONLY; SET LOCAL check_function_bodies = on; {}SELECT pg_catalog.fmgr_sql_validator({})",
        path.unwrap_or_default(),
        function.oid
    );
    let client = connection.client();
    // Both are sent before either is answered, so that the next one's transaction is its own.
    let (validated, _) = join(client.batch_execute(&message), client.batch_execute("ROLLBACK")).await;
    let standing = match validated {
        Ok(()) => Standing::Works(Description::default()),
        Err(error) => match error.as_db_error() {
            Some(server) => Standing::Refused(Refusal::of(server)),
            None => return Err(failed("validating the functions", error)),
        },
    };
    Ok((function.signature.clone(), standing))
}
