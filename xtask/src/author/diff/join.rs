//! Partitions and their indexes, which join their parents.

use std::collections::BTreeSet;

use super::catalog::Catalog;
use super::key::{Key, TABLES, schema};
use super::work::{Act, Statement, Work};

/// The statements, tables before indexes. A partition brings its indexes along where it joins: its own come first, so that the server
/// makes none.
pub(crate) fn joins(work: &Work<'_>) -> Vec<Statement> {
    let mut keys: Vec<&Key> = work.joins.union(&work.made).collect();
    keys.sort_by_cached_key(|key| (!key.is(TABLES), work.to.place(key)));
    let is_joined = |key: &&&Key| key.part.is_empty() && of_table(work.to, key).is_some();
    let joined: BTreeSet<&str> = keys.iter().filter(is_joined).map(|key| key.object.as_str()).collect();
    let statement = |key: &&Key| {
        let sql = match key.part.is_empty() {
            true => of_table(work.to, key)?,
            false => of_index(work.to, key).filter(|_| !joined.contains(key.object.as_str()))?,
        };
        Some(Statement { key: (*key).clone(), act: Act::Make, sql })
    };
    keys.iter().filter_map(statement).collect()
}

fn of_table(to: &Catalog, key: &Key) -> Option<String> {
    let relation = to.relations.get(&key.object).filter(|relation| key.is(TABLES) && relation.is_partition)?;
    let parent = relation.parents.first()?;
    Some(format!("ALTER TABLE {parent} ATTACH PARTITION {} {}", key.object, relation.bound))
}

fn of_index(to: &Catalog, key: &Key) -> Option<String> {
    let parent = parent(to, key)?;
    let name = |key: &Key| format!("{}.{}", schema(&key.object), key.part);
    Some(format!("ALTER INDEX {} ATTACH PARTITION {}", name(parent), name(key)))
}

/// The index of its table's parent, or the constraint that has it.
fn parent<'c>(of: &'c Catalog, key: &Key) -> Option<&'c Key> {
    let with_index = |key: &Key| {
        let has = ["PRIMARY KEY", "UNIQUE", "EXCLUDE"].iter().any(|word| of.note(key).starts_with(word));
        key.kind == "index" || key.kind == "constraint" && has
    };
    let is_parent = |(needed, kind): &&(Key, char)| *kind == 'P' && needed.object != key.object && with_index(needed);
    of.needs(key).iter().find(|edge| with_index(key) && is_parent(edge)).map(|(needed, _)| needed)
}
