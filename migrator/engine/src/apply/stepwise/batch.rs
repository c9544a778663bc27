//! Statements that can run in a transaction: each is one with its event, and many are on their way at once.
//!
//! As in [`crate::apply::pipeline`], the server stops the queue at the first failure, or the fence does, which demands
//! that the newest event is that of the statement before.

use std::collections::VecDeque;

use super::block::Run;
use crate::apply::done::Done;
use crate::apply::executor::Executor;
use crate::apply::failure::Failure;
use crate::apply::patience::pause;
use crate::apply::transaction::{Durability, InFlight, Message, rollback};
use crate::apply::watch;
use crate::embedded::StatementKind;
use crate::sql::block::{self, Captured};
use crate::sql::{Condition, NewEvent, capture_session, fence, insert_event};
use crate::units::{Unit, UnitKind};
use tokio_postgres::error::SqlState;

/// How many statements may be in flight: after a failure the server refuses each of them, one by one.
const MOST_STATEMENTS: usize = 250;

/// From so many statements on it pays to have the server prepare their fence and event.
const WORTH_PREPARING: usize = 4;

/// How many bytes may be in flight, unless a single statement is longer.
const MOST_BYTES: usize = 4 << 20;

/// How many of the units can be sent together; 0: the first one cannot run in a transaction.
pub(super) fn fitting(units: &[Unit], one_by_one: bool) -> usize {
    let mut bytes = 0;
    let fits = |unit: &&Unit| {
        bytes += unit.range.len();
        matches!(unit.kind, UnitKind::Statement(statement) if statement.kind.is_transactional()) && bytes <= MOST_BYTES
    };
    let most = if one_by_one { 1 } else { MOST_STATEMENTS };
    let count = units.iter().take(most).take_while(fits).count();
    let is_long = |unit: &Unit| {
        unit.range.len() > MOST_BYTES
            && matches!(unit.kind, UnitKind::Statement(statement) if statement.kind.is_transactional())
    };
    if count == 0 && units.first().is_some_and(is_long) { 1 } else { count }
}

impl Run<'_> {
    /// Runs units that fit together.
    ///
    /// # Errors
    /// The first statement that failed, when trying again would not help.
    pub(super) async fn batch(&self, units: &[Unit]) -> Result<(), Failure> {
        let label = self.migration.label();
        let mut patience = self.patience();
        let mut rest = units;
        loop {
            let (done, failure) = self.send_all(rest).await;
            rest = &rest[done..];
            let (Some(failure), Some(unit)) = (failure, rest.first()) else { return Ok(()) };
            if failure.in_short && self.executor.known.be_full() {
                continue;
            }
            if failure.lost {
                return Err(self.at(unit, failure));
            }
            if done > 0 {
                patience = self.patience();
            }
            if failure.needs_no_transaction()
                && let UnitKind::Statement(statement) = unit.kind
            {
                // Only the server knew.
                self.statement(unit, statement, None).await.map_err(|failure| self.at(unit, failure))?;
                rest = &rest[1..];
                continue;
            }
            let detail = failure.summary();
            let event = NewEvent { detail: Some(&detail), duration_ms: Some(0), ..self.event(unit, "failed") };
            self.record(&event).await.map_err(|failure| self.at(unit, failure))?;
            if !pause(self.executor, &label, &failure, &mut patience).await {
                return Err(self.at(unit, failure));
            }
        }
    }

    /// Sends all of them and waits for the answers; returns how many are done, and why the next one failed.
    async fn send_all(&self, units: &[Unit]) -> (usize, Option<Failure>) {
        let client = &self.executor.connection.client;
        let mut queue: VecDeque<InFlight> = VecDeque::with_capacity(units.len());
        let mut failure = None;
        let mut prepared = None;
        for (index, unit) in units.iter().enumerate() {
            let durability = if index + 1 == units.len() { Durability::AtOnce } else { Durability::WithTheNext };
            let previous = index.checked_sub(1).map(|index| &units[index]);
            let (before, message) = match previous.filter(|_| self.may_be_short(units.len() - index, prepared)) {
                Some(previous) => self.short(unit, previous, durability, &mut prepared),
                None => (Vec::new(), self.message(unit, previous, durability, index == 0 || self.may_set(unit))),
            };
            match message.start(client, &before).await {
                Ok(in_flight) => queue.push_back(in_flight),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        let (mut done, label) = (0, self.migration.label());
        while let Some(in_flight) = queue.pop_front() {
            let mut watch = watch::Watch::new(self.executor, &label);
            let outcome = watch.announcing(in_flight.finish(), &mut Done::default()).await;
            if let Err(error) = outcome {
                failure = Some(watch.explain(error));
                // The answers to what was sent after it must be read before the session can be used again.
                while let Some(queued) = queue.pop_front() {
                    let _ = queued.finish().await;
                }
                rollback(client).await;
                break;
            }
            self.reached(&units[done]);
            done += 1;
        }
        (done, failure)
    }

    /// Whether a statement that follows another one is sent in its short form; `left`: so many are to be sent, and it pays for several.
    fn may_be_short(&self, left: usize, prepared: Option<usize>) -> bool {
        !self.executor.known.get().full && (prepared.is_some() || left >= WORTH_PREPARING)
    }

    fn short(
        &self,
        unit: &Unit,
        previous: &Unit,
        durability: Durability,
        prepared: &mut Option<usize>,
    ) -> (Vec<String>, Message) {
        let Executor { tables, run, known, connection, .. } = self.executor;
        let (number, before) = match *prepared {
            Some(number) => (number, Vec::new()),
            None => {
                let number = known.next_name();
                let limits = &connection.server.limits;
                (number, block::prepare(tables, run, &self.event_of_migration(), limits, number))
            }
        };
        *prepared = Some(number);
        let statement = (unit.number, &*unit.checksum);
        let captured = match is_steady(&self.migration.text, unit) {
            true => Captured::Before,
            false if self.may_set(unit) => Captured::Anew,
            false => Captured::Now,
        };
        let short = block::short(number, statement, previous.number, captured, durability.synchronous_commit());
        (before, Message::short(self.body(unit), &short))
    }

    /// Whether a statement may change a setting: it may call any function. What defines objects or writes rows calls functions
    /// too, but then the path, the roles and what decides about meaning are compared all the same.
    fn may_set(&self, unit: &Unit) -> bool {
        const SETS_NOTHING: [&str; 10] =
            ["create", "alter", "drop", "comment", "grant", "revoke", "truncate", "insert", "update", "delete"];
        let text = &self.migration.text[unit.range.clone()];
        let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
        !SETS_NOTHING.iter().any(|word| text[..end].eq_ignore_ascii_case(word))
    }

    fn message(&self, unit: &Unit, previous: Option<&Unit>, durability: Durability, anew: bool) -> Message {
        let (tables, run) = (&self.executor.tables, &self.executor.run);
        let previous = previous.map(|unit| Condition::StatementDone(self.migration.version.to_string(), unit.number));
        let fence = fence(tables, run, previous.iter());
        let event = insert_event(tables, run, &NewEvent { with_session: true, ..self.event(unit, "done") });
        let [settings, state] = capture_session(&self.executor.connection.server.limits);
        let capture = if anew { vec![settings, state] } else { vec![state] };
        Message::in_block(fence, self.body(unit), capture, event, durability)
    }
}

/// Whether the state of the session is what it was before: a temporary table that is dropped was a part of it.
fn is_steady(text: &str, unit: &Unit) -> bool {
    let is_drop = text[unit.range.clone()].get(..4).is_some_and(|word| word.eq_ignore_ascii_case("drop"));
    matches!(unit.kind, UnitKind::Statement(statement) if statement.kind == StatementKind::Neutral) && !is_drop
}

impl Failure {
    /// Whether the server runs it outside a transaction only.
    fn needs_no_transaction(&self) -> bool {
        !self.lost && self.error.as_ref().and_then(|error| error.code()) == Some(&SqlState::ACTIVE_SQL_TRANSACTION)
    }
}
