//! An index that changes: clustering in place, everything else is made again.

use migrator_engine::facts::Difference;

use crate::author::diff::catalog::Catalog;
use crate::author::diff::key::Key;
use crate::author::diff::work::Work;

/// The index is there because the constraint is.
pub(super) fn is_of_constraint(of: &Catalog, key: &Key) -> bool {
    key.kind == "index" && !of.has(key) && of.has(&Key::new(&key.object, "constraint", &key.part))
}

/// The constraint that it belongs to, else the index.
fn named(of: &Catalog, key: &Key) -> Key {
    let kind = if is_of_constraint(of, key) { "constraint" } else { "index" };
    Key::new(&key.object, kind, &key.part)
}

pub(super) fn changed(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    let plain = |text: &Option<String>| {
        let text = text.clone().unwrap_or_default().replace(" CLUSTERED", "").replace(" REPLICA IDENTITY", "");
        text.split(" ATTACHED TO ").next().unwrap_or_default().to_owned()
    };
    if plain(&difference.expected) == plain(&difference.found) {
        let has = |text: &Option<String>, word: &str| text.as_ref().is_some_and(|text| text.contains(word));
        match (has(&difference.expected, " CLUSTERED"), has(&difference.found, " CLUSTERED")) {
            (false, true) => work.alter(key, format!("ALTER TABLE {} CLUSTER ON {}", key.object, key.part)),
            (true, false) => work.alter(key, format!("ALTER TABLE {} SET WITHOUT CLUSTER", key.object)),
            _ => {}
        }
        if has(&difference.found, " REPLICA IDENTITY") && !has(&difference.expected, " REPLICA IDENTITY") {
            work.alter(key, format!("ALTER TABLE {} REPLICA IDENTITY USING INDEX {}", key.object, key.part));
        }
        if has(&difference.found, " ATTACHED TO ") {
            work.joins.insert(named(work.to, key));
        }
        return;
    }
    work.replace(&named(work.to, key));
}
