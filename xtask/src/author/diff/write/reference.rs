//! Foreign keys that have to wait: for the constraint that they refer to, or for a new table that is to hold no lock on another one.

use std::collections::BTreeSet;

use super::file::{Block, File};
use super::ways::{Ways, counts, is_checked, keys, take_all};
use crate::author::diff::key::{Key, TABLES};
use crate::author::diff::work::Act;

/// Takes them into a file in which every statement has a transaction of its own. `waited`: constraints that are made after everything else.
pub(super) fn take_out(ways: &mut Ways<'_>, waited: &BTreeSet<Key>) -> Option<File> {
    let dropped = counts(&ways.up, Act::Drop);
    let waits = |key: &Key| {
        let is_key = key.kind == "constraint" && ways.to.note(key).starts_with("FOREIGN KEY ");
        let needs = ways.to.needs(key);
        let is_new = ways.is_made(&key.object) && !ways.from.relations.contains_key(&key.object);
        let refers_to_old = || {
            let other = |needed: &Key| needed.object != key.object && (needed.is(TABLES) || needed.kind == "column");
            needs.iter().any(|(needed, _)| other(needed) && ways.stays_whole(&needed.object))
        };
        is_key
            && !dropped.contains_key(key)
            && (needs.iter().any(|(needed, _)| waited.contains(needed)) || is_new && refers_to_old())
    };
    let waiting: Vec<Key> = keys(&ways.up, Act::Make).into_iter().filter(waits).collect();
    if waiting.is_empty() {
        return None;
    }
    take_all(&mut ways.down, &waiting, Act::Drop);
    let mut made = take_all(&mut ways.up, &waiting, Act::Make);
    let mut up = Vec::new();
    let drop = |key: &Key| format!("ALTER TABLE {} DROP CONSTRAINT {}", key.object, key.part);
    let down = waiting.iter().rev().map(drop).collect();
    for key in &waiting {
        let Key { object, part, .. } = key;
        let is_whole = ways.to.relations.get(object).is_some_and(|relation| relation.letter == "r");
        for mut sql in made.remove(key).into_iter().flatten() {
            let validates = is_whole && sql.contains(" FOREIGN KEY ") && is_checked(&sql);
            if validates {
                sql.push_str(" NOT VALID");
            }
            up.push(sql);
            if validates {
                up.push(format!("ALTER TABLE {object} VALIDATE CONSTRAINT {part}"));
            }
        }
    }
    let does = "references".to_owned();
    Some(File { does, up: Block::alone(up), down: Block::together(down), ..File::default() })
}
