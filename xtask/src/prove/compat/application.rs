//! A session as the application has it: its role, and the settings that the role and the database give it. It can write nothing.

use migrator_engine::Error;
use migrator_engine::client::{Connection, failed, identifier, literal, query};

use crate::developer::Context;

/// Holds in every session that judges: what is asked for is planned once, without values, and ends.
const OURS: &str = "SET default_transaction_read_only = on; SET plan_cache_mode = force_generic_plan; SET statement_timeout = '10s'; \
                    SET lock_timeout = '1s'; SET max_parallel_workers_per_gather = 0; SET client_min_messages = error; \
                    SET idle_in_transaction_session_timeout = 0";

/// Opens a session that has the settings of the application, and its role where one is named.
///
/// # Errors
/// No connection; there is no such role.
pub(super) async fn open(context: &Context, role: Option<&str>) -> Result<Connection, Error> {
    let connection = settled(context, role).await?;
    if let Some(role) = role {
        let statement = format!("SET SESSION AUTHORIZATION {}", identifier(role));
        let become_it = connection.client().batch_execute(&statement).await;
        become_it.map_err(|error| failed("becoming the role of [release]", error))?;
        for (_, value) in settings(&connection, Some(role)).await?.iter().filter(|(name, _)| name == "role") {
            // `ALTER ROLE app SET role = other`; where that is refused, it is refused to the application too.
            let _ = connection.client().batch_execute(&format!("SET ROLE {}", literal(value))).await;
        }
    }
    ours(&connection).await?;
    Ok(connection)
}

/// The same without becoming the role: for what no application asks for.
///
/// # Errors
/// As for [`open`].
pub(super) async fn open_as_owner(context: &Context, role: Option<&str>) -> Result<Connection, Error> {
    let connection = settled(context, role).await?;
    ours(&connection).await?;
    Ok(connection)
}

async fn ours(connection: &Connection) -> Result<(), Error> {
    connection.client().batch_execute(OURS).await.map_err(|error| failed("preparing the session", error))
}

async fn settled(context: &Context, role: Option<&str>) -> Result<Connection, Error> {
    let connection = context.migrator.open(&context.target).await?;
    if let Some(role) = role {
        let known = format!("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = {}", literal(role));
        if query(connection.client(), "looking for the role of [release]", &known).await?.is_empty() {
            let message =
                format!("the role `{role}` of [release] in db/migrator.toml does not exist after the migrations");
            return Err(Error::other(message).help(
                "create it in a migration: a throwaway server has no other roles; or remove `role` from [release]",
            ));
        }
    }
    let settings = settings(&connection, role).await?;
    connection.client().batch_execute("RESET ALL").await.map_err(|error| failed("preparing the session", error))?;
    for (name, value) in settings.iter().filter(|(name, _)| !matches!(&**name, "role" | "session_authorization")) {
        // What can be set only when a session starts, or not at all any more, has no effect on what a query means.
        let statement = format!("SELECT pg_catalog.set_config({}, {}, false)", literal(name), literal(value));
        let _ = connection.client().batch_execute(&statement).await;
    }
    Ok(connection)
}

/// What `ALTER DATABASE .. SET` and `ALTER ROLE .. SET` say, the more particular after the more general.
async fn settings(connection: &Connection, role: Option<&str>) -> Result<Vec<(String, String)>, Error> {
    let role = role.map_or_else(|| "''".to_owned(), literal);
    let statement = format!(
        "SELECT split_part(line, '=', 1), substr(line, strpos(line, '=') + 1) FROM pg_db_role_setting s, unnest(s.setconfig) line \
         WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) \
         AND (s.setrole = 0 OR s.setrole = (SELECT oid FROM pg_roles WHERE rolname = {role})) \
         ORDER BY s.setrole = 0 DESC, s.setdatabase = 0 DESC"
    );
    let rows = query(connection.client(), "reading the settings of the application", &statement).await?;
    let text = |row: &tokio_postgres::SimpleQueryRow, column: usize| row.get(column).unwrap_or_default().to_owned();
    Ok(rows.iter().map(|row| (text(row, 0), text(row, 1))).collect())
}
