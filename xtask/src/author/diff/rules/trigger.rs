//! A trigger that changes: enabled and disabled in place.

use migrator_engine::facts::Difference;

use crate::author::diff::key::Key;
use crate::author::diff::work::Work;

pub(super) fn changed(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    let states =
        [(" DISABLED", "DISABLE"), (" ENABLED ALWAYS", "ENABLE ALWAYS"), (" ENABLED REPLICA", "ENABLE REPLICA")];
    let parts = |text: &Option<String>| {
        let text = text.clone().unwrap_or_default();
        let state = states.iter().find_map(|(end, word)| Some((text.strip_suffix(end)?.to_owned(), *word)));
        state.unwrap_or((text, "ENABLE"))
    };
    let (from, to) = (parts(&difference.expected), parts(&difference.found));
    match from.0 == to.0 {
        true => work.alter(key, format!("ALTER TABLE {} {} TRIGGER {}", key.object, to.1, key.part)),
        false => work.replace(key),
    }
}
