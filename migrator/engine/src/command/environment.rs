//! `environment`: which environment this database is, as recorded in its own event log.

use clap::Subcommand;

use super::context::Context;
use super::wait_lock::Wait;
use crate::error::{Error, Exit};
use crate::operation::environment::{self, EnvironmentOptions};
use crate::output::{is_json, json, result};

/// The arguments of `environment`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator environment\nExample: migrator environment set production")]
pub(crate) struct Args {
    /// Without a subcommand, show the environment.
    #[command(subcommand)]
    pub action: Option<Action>,
}

impl Args {
    /// Whether it writes into the database.
    pub(crate) fn changes(&self) -> bool {
        self.action.is_some()
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Record the environment in the database.
    Set(Set),
}

/// The arguments of `environment set`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator environment set production")]
pub(crate) struct Set {
    /// Name of the environment: lowercase letters, digits, `-` and `_`.
    #[arg(value_parser = name)]
    pub name: String,
    /// How long to wait for another migrator.
    #[command(flatten)]
    pub wait: Wait,
}

fn name(text: &str) -> Result<String, String> {
    if environment::is_name(text) { Ok(text.to_owned()) } else { Err(environment::NAME.to_owned()) }
}

/// Shows or records.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let session = context.connect().await?;
    let Some(Action::Set(set)) = &args.action else {
        if is_json() {
            let from = match (session.history().environment(), session.environment()) {
                (Some(_), _) => Some("database"),
                (None, Some(_)) => Some("MIGRATOR_ENV"),
                (None, None) => None,
            };
            json(&serde_json::json!({
                "database": session.server().database, "environment": session.environment(), "from": from,
            }));
        }
        result(&match (session.history().environment(), session.environment()) {
            (Some(recorded), _) => recorded.to_owned(),
            (None, Some(from_variable)) => {
                format!("{from_variable} (from MIGRATOR_ENV; the database records none)")
            }
            (None, None) => "none recorded".to_owned(),
        });
        return Ok(Exit::Done);
    };
    let options = EnvironmentOptions { wait_lock: set.wait.wait_lock };
    let report = session.set_environment(&set.name, &options).await?;
    if is_json() {
        json(&serde_json::json!({
            "database": report.database, "environment": set.name, "from": "database", "has_policy": report.has_policy,
        }));
    }
    result(&format!("database `{}` is now marked as `{}`", report.database, set.name));
    if !report.has_policy {
        let name = &set.name;
        context
            .terminal
            .warn(&format!("this binary has no policy for `{name}`: see [environments] in db/migrator.toml"));
    }
    Ok(Exit::Done)
}
