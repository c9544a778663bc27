//! A constraint that changes: validated in place, everything else is made again.

use migrator_engine::facts::Difference;

use crate::author::diff::key::Key;
use crate::author::diff::work::Work;

pub(super) fn changed(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    let validated = difference.found.as_ref().map(|definition| format!("{definition} NOT VALID"));
    if validated == difference.expected && work.from.relations.contains_key(&key.object) {
        work.alter(key, format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", key.object, key.part));
        return;
    }
    work.replace(key);
}
