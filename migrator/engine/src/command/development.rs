//! What `create`, `drop` and `reset` share: the maintenance connection and the guards. Never in a shipped binary.

use crate::client::{Connection, failed, identifier, literal, query};
use crate::command::Context;
use crate::conninfo::ConnectionTarget;
use crate::error::Error;
use crate::event::Silent;
use crate::output::confirm;

/// What `drop` and `reset` ask for before they destroy anything.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Guard {
    /// The database's name, typed out: needed for anything but the workspace's own cluster.
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

/// Connects to the server's maintenance database.
pub(crate) async fn maintenance(context: &Context, target: &ConnectionTarget) -> Result<Connection, Error> {
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

/// Drops the target's database, ending the sessions that are in it.
pub(crate) async fn drop(connection: &Connection, target: &ConnectionTarget) -> Result<(), Error> {
    let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", identifier(target.database()));
    connection.client().batch_execute(&statement).await.map_err(|error| failed("dropping the database", error))
}

/// Lets only those through who may destroy this database; returns without an error only then.
pub(crate) async fn permit(
    context: &Context,
    connection: &Connection,
    target: &ConnectionTarget,
    guard: &Guard,
    command: &str,
) -> Result<(), Error> {
    let database = target.database();
    if exists(connection, target).await? {
        refuse_production(context, target, command).await?;
    }
    match &guard.database {
        Some(typed) if typed != database => {
            return Err(Error::usage(format!(
                "cannot {command}: `--database {typed}` is not the database of the URL, `{database}`"
            ))
            .help("check which server you are on before you go on"));
        }
        None if !is_cluster_of(connection, "MIGRATOR_WORKSPACE_DATA_DIRECTORY").await? => {
            return Err(Error::refused(format!(
                "cannot {command} `{target}`: it is not in this workspace's own cluster"
            ))
            .help(format!("if you really mean it, type its name: `--database {database}`")));
        }
        _ => {}
    }
    if guard.yes {
        return Ok(());
    }
    let consequence = format!("all data in `{database}` on {} will be lost", target.servers());
    match confirm(&format!("{command}: {consequence}. Go on?")) {
        Some(true) => Ok(()),
        Some(false) => Err(Error::usage(format!("cannot {command}: the answer was no"))),
        None => Err(Error::usage(format!("cannot {command}: {consequence}, and there is no terminal to ask"))
            .help("pass --yes")),
    }
}

/// The user of this session.
pub(crate) async fn user(connection: &Connection) -> Result<String, Error> {
    let rows = query(connection.client(), "asking who this is", "SELECT session_user AS name").await?;
    Ok(rows.first().and_then(|row| row.get("name")).unwrap_or_default().to_owned())
}

/// Whether the server is the one whose data directory the variable of the environment names: a tunnel to production is "local" too.
pub(crate) async fn is_cluster_of(connection: &Connection, variable: &str) -> Result<bool, Error> {
    let Some(own) = std::env::var_os(variable) else { return Ok(false) };
    // Without the right to ask there is no proof.
    let doing = "asking for the data directory";
    let Ok(rows) = query(connection.client(), doing, "SHOW data_directory").await else { return Ok(false) };
    let Some(theirs) = rows.first().and_then(|row| row.get(0)) else { return Ok(false) };
    let canonical = |path: &std::path::Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    Ok(canonical(own.as_ref()) == canonical(theirs.as_ref()))
}

/// A database that says that it is production is never dropped, whatever is typed.
async fn refuse_production(context: &Context, target: &ConnectionTarget, command: &str) -> Result<(), Error> {
    let session = context.migrator.clone().observer(Silent).connect(target).await?;
    match session.environment() {
        Some(name) if name == "production" => Err(Error::refused(format!(
            "cannot {command} `{target}`: it is marked as production"
        ))
        .help("no flag overrides this; if the mark is wrong, `migrator environment set NAME` corrects it first")),
        _ => Ok(()),
    }
}
