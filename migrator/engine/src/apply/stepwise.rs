//! A `transaction:false` block: statement by statement, each recorded, so that a later run knows what has been done.
//!
//! A statement that can run in a transaction is one with its "done" event, many of them on their way at once ([`batch`]).
//! One that cannot has a "started" event before it and a "done" event after it. `BEGIN` ... `COMMIT` is one unit whose event
//! is inside the transaction. `SET` is not recorded but replayed. The block's own session lives for the whole block.

mod batch;
mod state;

use std::time::Instant;

use super::failure::{Failure, Place};
use super::healing::{self, Next};
use super::message::{delete, down_block, insert_up};
use super::transaction::{Body, Durability, Message, rollback, run_alone};
use super::{Executor, Patience, patiently, pause, watch};
use crate::embedded::{Block, Migration, Statement, StatementKind};
use crate::history::{Direction, OpenStatement, Progress};
use crate::sql::{NewEvent, capture_session, fence, insert_event, ours, session};
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
        let reset = session(&self.executor.session(Some(self.block)));
        patiently(self.executor, &self.migration.label(), async || {
            let done = client.batch_execute(&reset).await;
            if done.is_err() {
                rollback(client).await;
            }
            done.map_err(own)
        })
        .await?;
        let units = units(self.block);
        let mut next = self.replay(&units, resume.map_or(0, |progress| progress.done.len())).await?;
        let mut open = resume.and_then(|progress| progress.open.clone());
        while let Some(unit) = units.get(next) {
            if unit.kind == UnitKind::Session {
                run_alone(client, &self.body(unit)).await.map_err(|failure| self.at(unit, failure))?;
                next += 1;
                continue;
            }
            if self.executor.interrupt.signal().is_some() {
                return Err(Failure::stopped_before(unit.number, self.block.statements.len()));
            }
            next += match batch::fitting(&units[next..], self.executor.one_by_one) {
                0 => {
                    self.unit(unit, open.take()).await.map_err(|failure| self.at(unit, failure))?;
                    1
                }
                count => {
                    open = None;
                    self.batch(&units[next..next + count]).await?;
                    count
                }
            };
        }
        self.finish(begun).await
    }

    /// Skips what is done; `SET` among it is run again. Returns the index of what comes next.
    async fn replay(&self, units: &[Unit], done: usize) -> Result<usize, Failure> {
        let mut left = done;
        for (index, unit) in units.iter().enumerate() {
            if left == 0 {
                return Ok(index);
            }
            if unit.kind == UnitKind::Session {
                let client = &self.executor.connection.client;
                run_alone(client, &self.body(unit)).await.map_err(|failure| self.at(unit, failure))?;
                continue;
            }
            left -= 1;
            if left == 0 {
                // What comes next relies on the session as the last statement has left it.
                let next = units[index + 1..].iter().find(|unit| unit.kind != UnitKind::Session);
                self.compare_session(next).await?;
            }
        }
        Ok(units.len())
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
        // The semicolon after the opening statement is ours.
        body.range.start = begin_end + self.migration.text[begin_end..].find(';').map_or(0, |at| at + 1);
        let fence = fence(tables, run, std::iter::empty());
        let state = self.session_state().await?;
        // `SET LOCAL` must not count: what is recorded is how the unit leaves the session, and it leaves it as it found it.
        let keep = format!("SELECT pg_catalog.set_config('migrator.session', {}, true)", crate::sql::literal(&state));
        let event = insert_event(tables, run, &NewEvent { with_session: true, ..self.event(unit, "done") });
        let message = Message::opened_by(begin, fence, body, vec![keep], vec![event], Durability::AtOnce);
        let label = self.migration.label();
        watch::while_running(self.executor, &label, message.send_in_session(&connection.client)).await?;
        self.correct_session(&state).await
    }

    /// started, the statement verbatim, done; again while other sessions hold the locks that it needs.
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
                let done = NewEvent { duration_ms, ..self.event(unit, "done") };
                // It has run, but that is written nowhere.
                return self.record(&done).await.map_err(|failure| Failure { in_doubt: true, ..failure });
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
        let down_block = down_block(self.migration, self.direction);
        let event = NewEvent {
            outcome: "done",
            duration_ms: Some(took),
            down_block: down_block.as_deref(),
            ..self.event_of_migration()
        };
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
        let insert = insert_event(tables, run, &NewEvent { with_session: true, ..*event });
        // The block may have changed its role; the event is the migrator's.
        let message = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n{fence};\n{};\nSET LOCAL SESSION AUTHORIZATION DEFAULT; \
             SET LOCAL ROLE NONE; SET LOCAL synchronous_commit = on; {};\nCOMMIT",
            capture_session(&connection.server.limits, true).join("; "),
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
        let statements = self.block.statements;
        Body { file: self.migration.file, text: self.migration.text, range: unit.range.clone(), statements }
    }

    fn at(&self, unit: &Unit, mut failure: Failure) -> Failure {
        failure.statement = Some((unit.number, self.block.statements.len()));
        failure
    }
}
