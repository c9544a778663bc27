//! What is sent for a step: the conditions that its fence demands, and the rows that its transaction writes.

use super::executor::Executor;
use super::transaction::{Body, Durability, Message};
use crate::embedded::{Block, Migration, Script};
use crate::history::Direction;
use crate::plan::Step;
use crate::recorded;
use crate::sql::{Condition, NewEvent, SessionSettings, delete_state, fence, insert_event, insert_state};

/// The message of a transactional migration.
pub(super) fn of_migration(
    executor: &Executor,
    migration: &'static Migration,
    direction: Direction,
    block: &'static Block,
    previous: Option<&Condition>,
    durability: Durability,
) -> (Message, SessionSettings) {
    let down_block = down_block(migration, direction);
    let event = NewEvent {
        action: direction.word(),
        version: Some(&migration.version),
        name: Some(&migration.name),
        checksum: Some(&migration.checksum),
        outcome: "done",
        down_block: down_block.as_deref(),
        ..NewEvent::default()
    };
    let version = migration.version.to_string();
    let (before, state) = match direction {
        Direction::Up => (Condition::NotApplied(version), insert_up(executor, migration, None)),
        Direction::Down => (Condition::Applied(version), delete(executor, migration)),
    };
    let body = Body {
        file: &migration.file,
        text: &migration.text,
        range: block.range.clone(),
        statements: &block.statements,
    };
    let fence = fence(&executor.tables, &executor.run, [&before].into_iter().chain(previous));
    let rows = vec![state, insert_event(&executor.tables, &executor.run, &event)];
    (Message::new(fence, body, rows, durability), executor.session(Some(block)))
}

/// The message of a repeatable or a seed.
pub(super) fn of_script(
    executor: &Executor,
    script: &'static Script,
    action: &str,
    previous: Option<&Condition>,
    durability: Durability,
) -> (Message, SessionSettings) {
    let event = NewEvent {
        action,
        name: Some(&script.name),
        checksum: Some(&script.checksum),
        outcome: "done",
        ..NewEvent::default()
    };
    let body =
        Body { file: &script.file, text: &script.text, range: 0..script.text.len(), statements: &script.statements };
    let fence = fence(&executor.tables, &executor.run, previous.into_iter());
    let rows = vec![insert_event(&executor.tables, &executor.run, &event)];
    (Message::new(fence, body, rows, durability), executor.session(None))
}

/// What is kept of the rollback when a migration is applied.
pub(super) fn down_block(migration: &Migration, direction: Direction) -> Option<String> {
    (direction == Direction::Up).then(|| recorded::encode(migration))
}

/// What the step after this one may rely on.
pub(super) fn condition_after(step: &Step) -> Condition {
    match step {
        Step::Migration { migration, direction: Direction::Up, .. } => {
            Condition::Applied(migration.version.to_string())
        }
        Step::Migration { migration, direction: Direction::Down, .. } => {
            Condition::NotApplied(migration.version.to_string())
        }
        Step::Repeatable(script) => Condition::RepeatableDone(script.name.to_string()),
    }
}

/// The state row of an applied migration; `execution_ms`: `None` for the time since the transaction began.
pub(super) fn insert_up(executor: &Executor, migration: &Migration, execution_ms: Option<u128>) -> String {
    let label = (&*migration.version, &*migration.name, &*migration.checksum);
    insert_state(&executor.tables, &executor.run, label, execution_ms)
}

/// Removes the state row of a migration that is rolled back.
pub(super) fn delete(executor: &Executor, migration: &Migration) -> String {
    delete_state(&executor.tables, &migration.version)
}
