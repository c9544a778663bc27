//! What is known of statements that run in no transaction of ours, where the eye may be too slow.

use tokio_postgres::Client;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::question::Oid;
use super::state::State;
use super::written::{name_of, oid_of, table_of, table_oid_of};
use migrator_engine::embedded::{ReindexObject as Object, StatementKind as Kind};
use migrator_engine::locks::Effect;
use migrator_sql::LockMode;

/// A relation, how it is locked, and whether it is read as a whole.
pub(super) type Known = (String, LockMode, bool);

/// It waits for others without holding them up, and cannot run in a transaction.
pub(super) fn is_concurrent(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::CreateIndexConcurrently { .. }
            | Kind::DropIndexConcurrently { .. }
            | Kind::ReindexConcurrently { .. }
            | Kind::DetachConcurrently { .. }
            | Kind::Concurrently
    )
}

/// The table that such a statement changes, with its indexes and nothing else; `None`: it may change more.
pub(super) async fn only_table(kind: &'static Kind, client: &Client) -> Result<Option<Oid>, Error> {
    match kind {
        Kind::CreateIndexConcurrently { table, .. } => oid_of(client, table).await,
        Kind::DropIndexConcurrently { index } => table_oid_of(client, index).await,
        _ => Ok(None),
    }
}

/// VACUUM and the like; a procedure that commits.
pub(super) fn wants_no_transaction(error: &Error) -> bool {
    let refusals = [SqlState::ACTIVE_SQL_TRANSACTION, SqlState::INVALID_TRANSACTION_TERMINATION];
    error.code().is_some_and(|code| refusals.contains(code))
}

/// What was seen, and what is known of such a statement.
pub(super) fn with_known(before: &State, mut effects: Vec<Effect>, known: &[Known]) -> Vec<Effect> {
    for (relation, mode, scanned) in known {
        match effects.iter_mut().find(|effect| effect.relation == *relation) {
            Some(effect) => {
                effect.lock = effect.lock.max(*mode);
                effect.scanned |= scanned;
            }
            None => {
                let mut effect = Effect::lock(relation.clone(), *mode);
                (effect.index, effect.scanned) = (before.has_index(relation), *scanned);
                effects.push(effect);
            }
        }
    }
    // What was seen first is chance.
    effects.sort_by(|a, b| a.relation.cmp(&b.relation));
    effects
}

/// What is known of this statement; asked before it runs.
pub(super) async fn known(kind: &'static Kind, client: &Client) -> Result<Vec<Known>, Error> {
    let mut known = Vec::new();
    for (named, mode, scanned) in known_of(kind) {
        let relation = match named {
            Named::Relation(name) => name_of(client, name).await?,
            Named::TableOfIndex(index) => table_of(client, index).await?,
        };
        known.push((relation, mode, scanned));
    }
    Ok(known)
}

/// A name as it is written in a statement.
enum Named {
    Relation(&'static str),
    TableOfIndex(&'static str),
}

/// What is known to be locked, how, and whether it is read as a whole: on an empty table the eye is too slow for it.
fn known_of(kind: &'static Kind) -> Vec<(Named, LockMode, bool)> {
    let weak = LockMode::ShareUpdateExclusive;
    match kind {
        Kind::CreateIndexConcurrently { table, .. } => vec![(Named::Relation(table), weak, true)],
        Kind::DropIndexConcurrently { index } => vec![(Named::TableOfIndex(index), weak, false)],
        Kind::ReindexConcurrently { object: Object::Index, name } => {
            vec![(Named::TableOfIndex(name), weak, true), (Named::Relation(name), weak, false)]
        }
        Kind::ReindexConcurrently { object: Object::Table, name } => vec![(Named::Relation(name), weak, true)],
        Kind::ReindexConcurrently { .. } => Vec::new(),
        // The partition at the very end, when no one uses it through its parent any more.
        Kind::DetachConcurrently { table, partition } => {
            vec![(Named::Relation(table), weak, false), (Named::Relation(partition), LockMode::AccessExclusive, false)]
        }
        _ => Vec::new(),
    }
}
