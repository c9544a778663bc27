//! A sequence that changes.

use migrator_engine::facts::Difference;

use crate::author::diff::key::Key;
use crate::author::diff::work::Work;

pub(super) fn changed(work: &mut Work<'_>, key: &Key, _: &Difference) {
    let (Some(from), Some(to)) = (work.from.relations.get(&key.object), work.to.relations.get(&key.object)) else {
        return;
    };
    if from.is_identity != to.is_identity {
        // The column says what becomes of it.
        if !to.is_identity {
            work.made.insert(key.clone());
        }
        return;
    }
    if from.sequence != to.sequence {
        work.alter(key, format!("ALTER SEQUENCE {} {}", key.object, to.sequence));
    }
    if from.owned_by != to.owned_by {
        let owner = if to.owned_by.is_empty() { "NONE" } else { &to.owned_by };
        work.finish.push((key.clone(), format!("ALTER SEQUENCE {} OWNED BY {owner}", key.object)));
    }
    if from.persistence != to.persistence {
        let what = if to.persistence == "u" { "UNLOGGED" } else { "LOGGED" };
        work.alter(key, format!("ALTER SEQUENCE {} SET {what}", key.object));
    }
}
