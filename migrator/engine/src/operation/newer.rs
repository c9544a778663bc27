//! Whether this binary can roll back what a newer release has applied; writes nothing.

use serde_json::{Value, json};

use super::down;
use crate::error::{Error, ErrorKind};
use crate::plan::{self, Divergence, Obstacle, State, Target};
use crate::session::Session;
use crate::store;
use crate::words::list;

/// The answer of [`Session::rollback_of_newer`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewerRollback {
    /// The versions that only a newer release knows, ascending.
    pub versions: Vec<String>,
    /// The version that `down --to` would leave in place; `0`: none.
    pub to: String,
    /// Why it cannot, and the way out; `None`: it can.
    pub obstacle: Option<String>,
}

impl NewerRollback {
    /// The answer as a sentence.
    pub fn sentence(&self) -> String {
        let versions = list(&self.versions);
        match &self.obstacle {
            None => {
                format!("{versions} can be rolled back with the recorded down blocks: `migrator down --to {}`", self.to)
            }
            Some(why) => format!("{versions} cannot be rolled back by this binary: {why}"),
        }
    }

    /// The same for programs.
    pub(crate) fn json(&self) -> Value {
        json!({ "versions": self.versions, "to": self.to, "possible": self.obstacle.is_none(), "reason": self.obstacle })
    }
}

pub(super) async fn run(session: &Session) -> Result<Option<NewerRollback>, Error> {
    let Session { migrator, connection, tables, .. } = session;
    let (set, mut history) = (migrator.embedded, session.history.clone());
    let survey = plan::survey(set, &history);
    let versions = survey.ahead();
    if versions.is_empty() {
        return Ok(None);
    }
    let stays = |entry: &&plan::Entry| entry.applied.is_some() && entry.state != State::Ahead;
    let below = survey.entries.iter().rev().find(stays);
    let to = below.map_or_else(|| "0".to_owned(), |entry| entry.version.to_string());
    let obstacle = match store::foreign_writer(tables, &history, &set.settings.history_writers) {
        Some(other) => Some(format!("`{other}` can write to the log that holds its down blocks")),
        None => match down::read_recorded(migrator, connection, tables, &mut history).await {
            Ok(()) => plan::down(set, &history, Target::Steps(versions.len())).err().map(why),
            Err(error) if matches!(error.kind(), ErrorKind::Refused { .. }) => Some(error.to_string()),
            Err(error) => return Err(error),
        },
    };
    let policy = migrator.policy(&history).filter(|policy| !policy.down);
    let forbidden = policy.map(|policy| format!("`down` is forbidden in the environment `{}`", policy.name));
    Ok(Some(NewerRollback { versions, to, obstacle: forbidden.or(obstacle) }))
}

fn why(obstacle: Obstacle) -> String {
    match obstacle {
        Obstacle::Diverged(places) => {
            let said: Vec<String> =
                places.iter().map(Divergence::describe).map(|(what, help)| format!("{what} ({help})")).collect();
            said.join("; ")
        }
        obstacle => Error::from(obstacle).to_string(),
    }
}
