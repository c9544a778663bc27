//! Foreign keys that have to wait: for the constraint that they refer to, or for a new table that is to hold no lock on another one.

use std::collections::BTreeSet;

use super::file::{Block, File};
use super::ways::{Ways, keys, of, take};
use crate::author::diff::key::{Key, TABLES};
use crate::author::diff::work::Act;

/// Takes them into a file in which every statement has a transaction of its own. `waited`: constraints that are made after everything else.
pub(super) fn take_out(ways: &mut Ways<'_>, waited: &BTreeSet<Key>) -> Option<File> {
    let waits = |key: &Key| {
        let is_key = key.kind == "constraint" && ways.to.note(key).starts_with("FOREIGN KEY ");
        let needs = ways.to.needs(key);
        let is_new = ways.is_made(&key.object) && !ways.from.relations.contains_key(&key.object);
        let refers_to_old = || {
            let other = |needed: &Key| needed.object != key.object && (needed.is(TABLES) || needed.kind == "column");
            needs.iter().any(|(needed, _)| other(needed) && ways.stays_whole(&needed.object))
        };
        is_key
            && of(&ways.up, key, Act::Drop).next().is_none()
            && (needs.iter().any(|(needed, _)| waited.contains(needed)) || is_new && refers_to_old())
    };
    let waiting: Vec<Key> = keys(&ways.up, Act::Make).into_iter().filter(waits).collect();
    if waiting.is_empty() {
        return None;
    }
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for key in &waiting {
        let Key { object, part, .. } = key;
        take(&mut ways.down, |statement| statement.key == *key && statement.act == Act::Drop);
        down.insert(0, format!("ALTER TABLE {object} DROP CONSTRAINT {part}"));
        let is_whole = ways.to.relations.get(object).is_some_and(|relation| relation.letter == "r");
        for mut sql in take(&mut ways.up, |statement| statement.key == *key && statement.act == Act::Make) {
            let validates = is_whole && sql.contains(" FOREIGN KEY ") && !sql.ends_with(" NOT VALID");
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
