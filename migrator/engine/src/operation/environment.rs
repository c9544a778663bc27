//! `environment`: which environment this database is, as recorded in its own event log.

use std::time::Duration;

use super::options::{WAIT_LOCK, options};
use crate::apply::Beside;
use crate::connect::failed;
use crate::error::Error;
use crate::session::{Locked, Session};
use crate::sql::NewEvent;

options! {
    /// Options of [`Session::set_environment`].
    EnvironmentOptions {
        /// How long to wait for another migrator; 15 minutes by default.
        wait_lock: Duration = WAIT_LOCK,
    }
}

/// The result of [`Session::set_environment`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EnvironmentReport {
    /// The database.
    pub database: String,
    /// Whether the embedded settings have a policy for the environment.
    pub has_policy: bool,
}

/// Whether it is a valid name of an environment.
pub(crate) fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    !text.is_empty() && text.chars().all(fits)
}

/// The rule for names.
pub(crate) const NAME: &str = "use lowercase letters, digits, `-` and `_`";

/// Records the environment.
pub(crate) async fn set(
    session: Session,
    name: &str,
    options: &EnvironmentOptions,
) -> Result<EnvironmentReport, Error> {
    if !is_name(name) {
        return Err(Error::usage(format!("invalid environment name `{name}`")).help(NAME));
    }
    session.announce();
    session.locked(options.wait_lock, async |locked| record(locked, name).await).await
}

async fn record(locked: &Locked, name: &str) -> Result<EnvironmentReport, Error> {
    let Locked { executor, history } = locked;
    executor.prepare(history, Beside::Refused).await?;
    let event = NewEvent {
        action: "environment",
        name: Some(name),
        outcome: "done",
        duration_ms: Some(0),
        ..NewEvent::default()
    };
    executor.record(&event).await.map_err(|error| failed("recording the environment", error))?;
    let database = executor.connection.server.database.clone();
    let has_policy = executor.migrator.embedded.settings.environments.iter().any(|policy| policy.name == name);
    Ok(EnvironmentReport { database, has_policy })
}
