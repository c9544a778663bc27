//! What is sent for a step: the conditions that its fence demands, and the rows that its transaction writes.

use super::executor::Executor;
use super::transaction::{Body, Durability, Message};
use crate::embedded::{Block, Migration, Script, StatementKind};
use crate::history::Direction;
use crate::plan::Step;
use crate::planted::planted;
use crate::recorded;
use crate::sql::{Condition, NewEvent, Recorded, Short, delete_state, fence, insert_event, insert_state, session};

/// A step's message, with what is sent right before it.
pub(super) struct Queued {
    /// Messages of ours, each a transaction of its own: the session's reset, what it prepares.
    pub(super) before: Vec<String>,
    pub(super) message: Message,
}

/// From so many migrations on it pays to have the server prepare their fence and rows.
const WORTH_PREPARING: usize = 4;

/// The message of the first of these steps; `None` for a migration without a block in that direction.
///
/// The session is reset only where it is not known to be as the reset would leave it: after a step that may have changed it, or for
/// other limits.
pub(super) fn of_step(
    executor: &Executor,
    steps: &[Step],
    previous: Option<&Condition>,
    durability: Durability,
) -> Option<Queued> {
    let (step, mut before) = (steps.first()?, Vec::new());
    let settings = executor.session(block(step));
    let mut known = executor.known.get();
    if known.needs_reset(&settings, is_neutral(step)) {
        before.push(session(&settings));
    }
    let (migration, direction, block) = match step {
        Step::Repeatable(script) => {
            let message = of_script(executor, script, "repeatable", previous, durability);
            return Some(Queued { before, message });
        }
        Step::Migration { migration, direction, .. } => (*migration, *direction, migration.block(*direction)?),
    };
    let is_alike = |next: &Step| is_neutral(next) && executor.session(self::block(next)) == settings;
    let pays = known.prepared == Some(direction)
        || known.prepared.is_none() && steps.len() >= WORTH_PREPARING && steps[..WORTH_PREPARING].iter().all(is_alike);
    let short = match is_neutral(step) && !known.full && pays {
        true => short(migration, direction, previous, durability),
        false => None,
    };
    let message = match short {
        Some(short) => {
            if known.prepared.replace(direction).is_none() {
                before.extend(Short::prepare(&executor.tables, &executor.run, direction, known.tables_are_new));
            }
            Message::short(body(migration, block), &short)
        }
        None => of_migration(executor, migration, direction, block, previous, durability),
    };
    Some(Queued { before, message })
}

/// Whether a step leaves the session as it is.
fn is_neutral(step: &Step) -> bool {
    let statements = match step {
        Step::Repeatable(script) => &script.statements,
        Step::Migration { .. } => match block(step) {
            Some(block) => &block.statements,
            None => return false,
        },
    };
    planted("reset-left-out") || statements.iter().all(|statement| statement.kind == StatementKind::Neutral)
}

fn block(step: &Step) -> Option<&'static Block> {
    match step {
        Step::Migration { migration, direction, .. } => migration.block(*direction),
        Step::Repeatable(_) => None,
    }
}

fn body(migration: &'static Migration, block: &'static Block) -> Body {
    let Migration { file, text, .. } = migration;
    Body { file, text, range: block.range.clone(), statements: &block.statements }
}

fn short(
    migration: &Migration,
    direction: Direction,
    previous: Option<&Condition>,
    durability: Durability,
) -> Option<Short> {
    let down_block = down_block(migration, direction);
    let recorded = Recorded {
        direction,
        version: &migration.version,
        name: &migration.name,
        checksum: &migration.checksum,
        down_block: down_block.as_deref(),
        synchronous_commit: durability.synchronous_commit(),
    };
    Short::new(&recorded, previous)
}

/// The message of a transactional migration, in full.
fn of_migration(
    executor: &Executor,
    migration: &'static Migration,
    direction: Direction,
    block: &'static Block,
    previous: Option<&Condition>,
    durability: Durability,
) -> Message {
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
    let fence = fence(&executor.tables, &executor.run, [&before].into_iter().chain(previous));
    let rows = vec![state, insert_event(&executor.tables, &executor.run, &event)];
    Message::new(fence, body(migration, block), rows, durability)
}

/// The message of a repeatable or a seed.
pub(super) fn of_script(
    executor: &Executor,
    script: &'static Script,
    action: &str,
    previous: Option<&Condition>,
    durability: Durability,
) -> Message {
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
    Message::new(fence, body, rows, durability)
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
