//! The state of a block's session: recorded with each statement, and compared before an interrupted block continues.
//!
//! `SET` is replayed, but a function may have changed the path or the role: what comes next would run somewhere else.

use super::block::Run;
use crate::apply::failure::{Failure, Place};
use crate::connect::{rows, text};
use crate::sql::{is_text, ours, session_state};
use crate::units::Unit;

impl Run<'_> {
    /// The state of the session as it is now.
    pub(super) async fn session_state(&self) -> Result<String, Failure> {
        let connection = &self.executor.connection;
        let statement = format!("SELECT {} AS state", session_state(&connection.server.limits));
        let answer =
            connection.client.simple_query(&statement).await.map_err(|error| Failure::new(error, Place::Own))?;
        Ok(rows(answer).first().and_then(|row| text(row, "state")).unwrap_or_default())
    }

    /// Refuses to continue in a session that differs from the one the last statement left; `next` is what would be run.
    pub(super) async fn compare_session(&self, next: Option<&Unit>) -> Result<(), Failure> {
        let (migration, direction) = (self.migration, self.direction);
        let statement = format!(
            "SELECT session FROM {} WHERE {} AND attempt = {} AND statement IS NOT NULL AND outcome = 'done' \
             AND action IN ('{}', 'resolve') ORDER BY id DESC LIMIT 1",
            self.executor.tables.events,
            is_text("version", &migration.version),
            self.attempt,
            direction.word()
        );
        let own = |error| Failure::new(error, Place::Own);
        let answer = self.executor.connection.client.simple_query(&ours(&statement)).await.map_err(own)?;
        // An older release has recorded none, and neither does a `resolve`.
        let Some(then) = rows(answer).first().and_then(|row| text(row, "session")) else { return Ok(()) };
        let now = self.session_state().await?;
        if then == now {
            return Ok(());
        }
        let differences = then.lines().zip(now.lines()).filter(|(then, now)| then != now);
        let differences = differences.map(|(then, now)| format!("it was `{then}`, it is `{now}`")).collect();
        let number = next.map_or(self.block.statements.len(), |unit| unit.number);
        Err(Failure::in_another_session(differences, (number, self.block.statements.len())))
    }

    /// Records how a unit has really left the session, if it is not as it was before.
    pub(super) async fn correct_session(&self, before: &str) -> Result<(), Failure> {
        let now = self.session_state().await?;
        if now == before {
            return Ok(());
        }
        let events = &self.executor.tables.events;
        let statement = format!(
            "UPDATE {events} SET session = {} WHERE id = (SELECT max(id) FROM {events})",
            crate::sql::literal(&now)
        );
        let client = &self.executor.connection.client;
        let message = format!(
            "BEGIN; SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL ROLE NONE; {}; COMMIT",
            ours(&statement)
        );
        client.batch_execute(&message).await.map_err(|error| Failure::new(error, Place::Recording))
    }
}
