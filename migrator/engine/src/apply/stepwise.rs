//! A `transaction:false` block: statement by statement, each recorded, so that a later run knows what has been done.
//!
//! A statement has a "started" event before it and a "done" event behind it. `BEGIN` ... `COMMIT` is one unit whose event
//! is inside the transaction. `SET` is not recorded but replayed. The block's own session lives for the whole block.

use std::time::Instant;

use super::failure::{Failure, Place};
use super::healing::{self, Next};
use super::message::{delete, insert_up};
use super::transaction::{Body, Durability, Message, rollback, run_alone};
use super::{Executor, Patience, patiently, pause, watch};
use crate::embedded::{Block, Migration, Statement, StatementKind};
use crate::history::{Direction, OpenStatement, Progress};
use crate::sql::{NewEvent, fence, insert_event, ours, session};
use crate::units::{Unit, UnitKind, units};

/// One run of a block.
pub(super) struct Run<'a> {
    pub(super) executor: &'a Executor,
    pub(super) migration: &'static Migration,
    pub(super) direction: Direction,
    pub(super) attempt: i32,
    pub(super) block: &'a Block,
}

impl Run<'_> {
    /// Runs what is left of the block and records the migration.
    ///
    /// # Errors
    /// The first statement that failed.
    pub(super) async fn run(&self, resume: Option<&Progress>) -> Result<(), Failure> {
        let begun = Instant::now();
        let client = &self.executor.connection.client;
        let own = |error| Failure::new(error, Place::Own);
        client.batch_execute(&session(&self.executor.session(Some(self.block)))).await.map_err(own)?;
        let mut skip = resume.map_or(0, |progress| progress.done.len());
        let mut open = resume.and_then(|progress| progress.open.clone());
        for unit in units(self.block) {
            if unit.kind == UnitKind::Session {
                run_alone(client, &self.body(&unit)).await.map_err(|failure| self.at(&unit, failure))?;
                continue;
            }
            if skip > 0 {
                skip -= 1;
                continue;
            }
            if self.executor.interrupt.signal().is_some() {
                return Err(Failure::stopped_before(unit.number, self.block.statements.len()));
            }
            self.unit(&unit, open.take()).await.map_err(|failure| self.at(&unit, failure))?;
        }
        self.finish(begun).await
    }

    async fn unit(&self, unit: &Unit, open: Option<OpenStatement>) -> Result<(), Failure> {
        match unit.kind {
            UnitKind::Session => Ok(()),
            UnitKind::Transaction { begin_end, .. } => {
                let label = self.migration.label();
                patiently(self.executor, &label, async || self.transaction(unit, begin_end).await).await
            }
            UnitKind::Statement(statement) => self.statement(unit, statement, open).await,
        }
    }

    /// `BEGIN` ... `COMMIT`, with its event inside.
    async fn transaction(&self, unit: &Unit, begin_end: usize) -> Result<(), Failure> {
        let Executor { tables, run, connection, .. } = self.executor;
        let begin = &self.migration.text[unit.range.start..begin_end];
        let mut body = self.body(unit);
        // The semicolon behind the opening statement is ours.
        body.range.start = begin_end + self.migration.text[begin_end..].find(';').map_or(0, |at| at + 1);
        let fence = fence(tables, run, std::iter::empty());
        let event = insert_event(tables, run, &self.event(unit, "done"));
        let message = Message::opened_by(begin, fence, body, vec![event], Durability::AtOnce);
        let label = self.migration.label();
        watch::while_running(self.executor, &label, message.send_in_session(&connection.client)).await
    }

    /// started, the statement verbatim, done; again while somebody else holds the locks that it needs.
    async fn statement(
        &self,
        unit: &Unit,
        statement: &Statement,
        mut open: Option<OpenStatement>,
    ) -> Result<(), Failure> {
        let label = self.migration.label();
        let mut patience = Patience::new(self.executor);
        loop {
            let here = (self.migration, self.block);
            if healing::prepare(self.executor, here, statement, open.as_ref()).await? == Next::Done {
                return self.record(&self.event(unit, "done")).await;
            }
            self.record(&self.event(unit, "started")).await?;
            let begun = Instant::now();
            let outcome = watch::while_running(self.executor, &label, self.send(unit, &statement.kind)).await;
            let duration_ms = Some(begun.elapsed().as_millis());
            let Err(mut failure) = outcome else {
                let done = self.record(&NewEvent { duration_ms, ..self.event(unit, "done") }).await;
                // It has run, but that is written nowhere.
                return done.map_err(|failure| Failure { in_doubt: true, ..failure });
            };
            // DO and CALL may have committed a part before they failed: their end stays open until a person decides.
            failure.in_doubt = statement.kind == StatementKind::MayCommit;
            if failure.lost || failure.in_doubt {
                return Err(failure);
            }
            let detail = failure.summary();
            self.record(&NewEvent { detail: Some(&detail), duration_ms, ..self.event(unit, "failed") }).await?;
            if !pause(self.executor, &label, &failure, &mut patience).await {
                return Err(failure);
            }
            let number = i32::try_from(unit.number).unwrap_or(i32::MAX);
            open = Some(OpenStatement { number, checksum: unit.checksum.clone(), failed: true, detail: Some(detail) });
        }
    }

    /// Sends a statement as it is written.
    async fn send(&self, unit: &Unit, kind: &StatementKind) -> Result<(), Failure> {
        let client = &self.executor.connection.client;
        self.executor.progress.detail(&format!("{}: statement {} sent", self.migration.label(), unit.number));
        let body = self.body(unit);
        let sent = run_alone(client, &body);
        if kind.is_concurrent() {
            healing::without_lock_timeout(self.executor, self.block, sent).await
        } else {
            sent.await
        }
    }

    /// The migration's own row and event, in one transaction.
    async fn finish(&self, begun: Instant) -> Result<(), Failure> {
        let Executor { tables, run, .. } = self.executor;
        let took = begun.elapsed().as_millis();
        let state = match self.direction {
            Direction::Up => insert_up(self.executor, self.migration, Some(took)),
            Direction::Down => delete(self.executor, self.migration),
        };
        let event = NewEvent { statement: None, outcome: "done", duration_ms: Some(took), ..self.event_of_migration() };
        let event = insert_event(tables, run, &event);
        let statements = format!("{state};\n{event}");
        patiently(self.executor, &self.migration.label(), async || {
            self.executor.write(&statements).await.map_err(|error| Failure::new(error, Place::Recording))
        })
        .await
    }

    fn event_of_migration(&self) -> NewEvent<'static> {
        NewEvent {
            action: self.direction.word(),
            version: Some(self.migration.version),
            name: Some(self.migration.name),
            checksum: Some(self.migration.checksum),
            attempt: Some(self.attempt),
            ..NewEvent::default()
        }
    }

    fn event<'u>(&self, unit: &'u Unit, outcome: &'u str) -> NewEvent<'u> {
        NewEvent { statement: Some((unit.number, &unit.checksum)), outcome, ..self.event_of_migration() }
    }

    /// Writes an event without disturbing the block's session.
    async fn record(&self, event: &NewEvent<'_>) -> Result<(), Failure> {
        let Executor { tables, run, connection, .. } = self.executor;
        let fence = fence(tables, run, std::iter::empty()).join(";\n");
        let insert = insert_event(tables, run, event);
        // The block may have changed its role; the event is the migrator's.
        let message = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n{fence};\nSET LOCAL ROLE NONE; SET LOCAL synchronous_commit = on; {};\nCOMMIT",
            ours(&insert)
        );
        patiently(self.executor, &self.migration.label(), async || {
            let written = connection.client.batch_execute(&message).await;
            if written.is_err() {
                rollback(&connection.client).await;
            }
            written.map_err(|error| Failure::new(error, Place::Recording))
        })
        .await
    }

    fn body(&self, unit: &Unit) -> Body {
        let statements = match self.direction {
            Direction::Up => self.migration.up.statements,
            Direction::Down => self.migration.down.as_ref().map_or(&[][..], |block| block.statements),
        };
        Body { file: self.migration.file, text: self.migration.text, range: unit.range.clone(), statements }
    }

    fn at(&self, unit: &Unit, mut failure: Failure) -> Failure {
        failure.statement = Some((unit.number, self.block.statements.len()));
        failure
    }
}
