//! One run of a `transaction:false` block: what its parts share.

use crate::apply::executor::Executor;
use crate::apply::failure::{Failure, Place};
use crate::apply::patience::{Patience, patiently};
use crate::apply::transaction::{Body, rollback};
use crate::embedded::{Block, Migration};
use crate::event::Event;
use crate::history::Direction;
use crate::sql::{NewEvent, capture_session, fence, insert_event, ours};
use crate::units::Unit;

/// One run of a block.
pub(in crate::apply) struct Run<'a> {
    pub(in crate::apply) executor: &'a Executor,
    pub(in crate::apply) migration: &'static Migration,
    pub(in crate::apply) direction: Direction,
    pub(in crate::apply) attempt: i32,
    pub(in crate::apply) block: &'static Block,
}

impl Run<'_> {
    pub(super) fn event_of_migration(&self) -> NewEvent<'static> {
        NewEvent {
            action: self.direction.word(),
            version: Some(&*self.migration.version),
            name: Some(&*self.migration.name),
            checksum: Some(&*self.migration.checksum),
            attempt: Some(self.attempt),
            ..NewEvent::default()
        }
    }

    pub(super) fn event<'u>(&self, unit: &'u Unit, outcome: &'u str) -> NewEvent<'u> {
        NewEvent { statement: Some((unit.number, &unit.checksum)), outcome, ..self.event_of_migration() }
    }

    /// The patience for a statement of this block.
    pub(super) fn patience(&self) -> Patience {
        Patience::new(self.executor)
    }

    /// Retries something of this block while another session holds the locks that it needs.
    pub(super) async fn patiently(&self, work: impl AsyncFnMut() -> Result<(), Failure>) -> Result<(), Failure> {
        patiently(self.executor, &self.migration.label(), self.patience(), work).await
    }

    /// Writes an event without disturbing the block's session.
    pub(super) async fn record(&self, event: &NewEvent<'_>) -> Result<(), Failure> {
        let Executor { tables, run, connection, .. } = self.executor;
        let fence = fence(tables, run, std::iter::empty()).join(";\n");
        let insert = insert_event(tables, run, &NewEvent { with_session: true, ..*event });
        // The block may have changed its role; the event is the migrator's.
        let message = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n{fence};\n{};\nSET LOCAL SESSION AUTHORIZATION DEFAULT; \
             SET LOCAL ROLE NONE; SET LOCAL synchronous_commit = on; {};\nCOMMIT",
            capture_session(&connection.server.limits).join("; "),
            ours(&insert)
        );
        self.patiently(async || {
            let written = connection.client.batch_execute(&message).await;
            if written.is_err() {
                rollback(&connection.client).await;
            }
            written.map_err(|error| Failure::new(error, Place::Recording))
        })
        .await
    }

    pub(super) fn body(&self, unit: &Unit) -> Body {
        let Migration { file, text, .. } = self.migration;
        Body { file, text, range: unit.range.clone(), statements: &self.block.statements }
    }

    /// Tells the observer that a statement is done.
    pub(super) fn reached(&self, unit: &Unit) {
        let (number, of) = (unit.number, self.block.statements.len());
        self.executor.tell(Event::Reached { step: &self.migration.label(), number, of });
    }

    pub(super) fn at(&self, unit: &Unit, mut failure: Failure) -> Failure {
        failure.statement = Some((unit.number, self.block.statements.len()));
        failure
    }
}
