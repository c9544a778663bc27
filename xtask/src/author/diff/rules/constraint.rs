//! A constraint that changes: validated in place, everything else is made again.

use migrator_engine::facts::Difference;

use crate::author::diff::key::Key;
use crate::author::diff::work::Work;

/// A table has a check because its parent has it: both change at once.
pub(super) fn is_inherited(work: &Work<'_>, key: &Key) -> bool {
    match (work.from.inherited.contains(key), work.to.inherited.contains(key)) {
        (true, true) => true,
        (true, false) => !work.to.has(key),
        (false, true) => !work.from.has(key),
        (false, false) => false,
    }
}

pub(super) fn changed(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    let own = |text: &Option<String>| text.as_ref().map(|text| text.trim_end_matches(" INHERITED").to_owned());
    // Whether it is a child's own follows from what the child inherits.
    if own(&difference.expected) == own(&difference.found) {
        return;
    }
    let validated = difference.found.as_ref().map(|definition| format!("{definition} NOT VALID"));
    if validated == difference.expected && work.from.relations.contains_key(&key.object) {
        work.alter(key, format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", key.object, key.part));
        return;
    }
    work.replace(key);
}
