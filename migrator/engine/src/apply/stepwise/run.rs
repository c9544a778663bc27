//! The way through a block: what is done is skipped, the rest is run and recorded.

use std::time::Instant;

use super::batch;
use super::block::Run;
use crate::apply::executor::Executor;
use crate::apply::failure::{Failure, Place};
use crate::apply::message::{delete, down_block, insert_up};
use crate::apply::transaction::{Durability, Message, rollback, run_alone};
use crate::apply::watch;
use crate::history::{Direction, OpenStatement, Progress};
use crate::sql::{NewEvent, fence, insert_event, session};
use crate::units::{Unit, UnitKind, units};

impl Run<'_> {
    /// Runs what is left of the block and records the migration.
    ///
    /// # Errors
    /// The first statement that failed.
    pub(in crate::apply) async fn run(&self, resume: Option<&Progress>) -> Result<(), Failure> {
        let begun = Instant::now();
        let client = &self.executor.connection.client;
        let own = |error| Failure::new(error, Place::Own);
        let reset = session(&self.executor.session(Some(self.block)));
        self.patiently(async || {
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
            if self.executor.migrator.cancellation.is_requested() {
                return Err(Failure::stopped_before(unit.number, self.block.statements.len()));
            }
            next += match batch::fitting(&units[next..], self.executor.one_by_one) {
                0 => {
                    self.unit(unit, open.take()).await.map_err(|failure| self.at(unit, failure))?;
                    self.reached(unit);
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
                self.patiently(async || self.transaction(unit, begin_end).await).await
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
        self.patiently(async || {
            self.executor.write(&statements).await.map_err(|error| Failure::new(error, Place::Recording))
        })
        .await
    }
}
