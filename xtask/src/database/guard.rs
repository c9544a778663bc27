//! What `drop` and `reset` ask for before they destroy anything.

use crate::developer::Context;
use crate::maintenance::{exists, is_cluster_of};
use migrator_engine::client::Connection;
use migrator_engine::output::confirm;
use migrator_engine::{ConnectionTarget, Error, Silent};

/// What `drop` and `reset` ask for before they destroy anything.
#[derive(Debug, Clone, clap::Args)]
pub struct Guard {
    /// The name of the database, required outside the workspace's own PostgreSQL
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// Do not ask for confirmation
    #[arg(long)]
    pub yes: bool,
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
            .help("check which server you are connected to"));
        }
        None if !is_cluster_of(connection, context.own.as_deref()).await? => {
            return Err(Error::refused(format!(
                "cannot {command} `{target}`: it is not on this workspace's own PostgreSQL"
            ))
            .help(format!("to go on, type its name: `--database {database}`")));
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
