//! A domain that changes: default and NOT NULL in place.

use migrator_engine::facts::Difference;

use super::anew::anew;
use crate::author::diff::key::Key;
use crate::author::diff::work::Work;

/// The base type, NOT NULL, the default.
fn parts(definition: &str) -> (&str, bool, &str) {
    let (rest, default) = definition.split_once(" DEFAULT ").unwrap_or((definition, ""));
    match rest.strip_suffix(" NOT NULL") {
        Some(base) => (base, true, default),
        None => (rest, false, default),
    }
}

pub(super) fn changed(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    let (Some(from), Some(to)) = (&difference.expected, &difference.found) else { return };
    let (from, to) = (parts(from), parts(to));
    if from.0 != to.0 {
        return anew(work, key);
    }
    if from.2 != to.2 {
        let what = if to.2.is_empty() { "DROP DEFAULT".to_owned() } else { format!("SET DEFAULT {}", to.2) };
        work.alter(key, format!("ALTER DOMAIN {} {what}", key.object));
    }
    if from.1 != to.1 {
        let what = if to.1 { "SET" } else { "DROP" };
        work.alter(key, format!("ALTER DOMAIN {} {what} NOT NULL", key.object));
    }
}
