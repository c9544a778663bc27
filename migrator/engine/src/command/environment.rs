//! `environment`: which environment this database is. The database says so itself, in its event log.

use clap::Subcommand;

use crate::command::{Beside, Context, Wait};
use crate::connect::failed;
use crate::error::{Error, Exit};
use crate::output::result;
use crate::sql::NewEvent;

/// The arguments of `environment`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator environment\nExample: migrator environment set production")]
pub(crate) struct Args {
    /// What to do; shows the environment by default.
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
    /// Record it.
    Set(Set),
}

/// The arguments of `environment set`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator environment set production")]
pub(crate) struct Set {
    /// Lowercase letters, digits, `-` and `_`.
    #[arg(value_parser = name)]
    pub name: String,
    /// How long to wait for another migrator.
    #[command(flatten)]
    pub wait: Wait,
}

fn name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !text.is_empty() && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("use lowercase letters, digits, `-` and `_`".to_owned())
    }
}

/// Shows or records.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let session = context.open().await?;
    let Some(Action::Set(set)) = &args.action else {
        let name = context.environment(&session.history);
        result(&match (session.history.environment(), name) {
            (Some(recorded), _) => recorded.to_owned(),
            (None, Some(from_variable)) => {
                format!("{from_variable} (from MIGRATOR_ENV; the database has recorded none)")
            }
            (None, None) => "none recorded".to_owned(),
        });
        return Ok(Exit::Done);
    };
    context.announce(&session);
    let (executor, history) = context.lock(session, set.wait.wait_lock).await?;
    executor.prepare(&history, Beside::Refused).await?;
    let event = NewEvent {
        action: "environment",
        name: Some(&set.name),
        outcome: "done",
        duration_ms: Some(0),
        ..NewEvent::default()
    };
    executor.record(&event).await.map_err(|error| failed("recording the environment", &error))?;
    let database = executor.connection.server.database.clone();
    executor.finish().await;
    result(&format!("`{database}` is now `{}`", set.name));
    if !context.embedded.settings.environments.iter().any(|policy| policy.name == set.name) {
        context
            .progress
            .warn(&format!("this binary has no policy for `{}`: see [environments] in db/migrator.toml", set.name));
    }
    Ok(Exit::Done)
}
