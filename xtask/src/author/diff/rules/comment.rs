//! A comment.

use migrator_engine::client::literal;
use migrator_engine::facts::Difference;

use crate::author::diff::key::{Key, last};
use crate::author::diff::work::Work;

pub(super) fn differs(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    let text = difference.found.as_deref().map_or("NULL".to_owned(), literal);
    let Some((of, name)) = target(work, key) else { return };
    work.finish.push((of, format!("COMMENT ON {name} IS {text}")));
}

/// What the comment is on, as a key and as the statement names it; `None`: it goes with what it is on.
fn target(work: &Work<'_>, key: &Key) -> Option<(Key, String)> {
    let Key { object, part, .. } = key;
    let sequence = Key::new(object, "sequence", "");
    let relation = work.to.relation_key(object).or_else(|| work.to.has(&sequence).then_some(sequence));
    if part.is_empty() {
        let relation = relation?;
        let kind = relation.kind.replace('-', " ").to_uppercase();
        return Some((relation, format!("{kind} {object}")));
    }
    if work.to.column(object, part).is_some() {
        return Some((Key::new(object, "column", part), format!("COLUMN {object}.{part}")));
    }
    for (word, kind) in [
        ("table constraint", "constraint"),
        ("domain constraint", "constraint"),
        ("trigger", "trigger"),
        ("rule", "rule"),
        ("policy", "policy"),
    ] {
        if let Some(name) =
            part.strip_prefix(&format!("{word} ")).and_then(|rest| rest.strip_suffix(&format!(" on {object}")))
        {
            let of = Key::new(object, kind, name);
            let on = if word.starts_with("domain") { "DOMAIN " } else { "" };
            return work.to.has(&of).then(|| (of, format!("{} {name} ON {on}{object}", kind.to_uppercase())));
        }
    }
    let (kind, name) = part.rsplit_once(&format!(" {object}")).map(|(kind, _)| (kind, object))?;
    let is_there = work.to.identities.contains(part) || kind == "index" && is_index_there(work, object);
    let word = match kind {
        "statistics object" => "STATISTICS".to_owned(),
        kind => kind.replace('-', " ").to_uppercase(),
    };
    let name = match kind {
        "aggregate" => name.replace("()", "(*)"),
        _ => name.clone(),
    };
    is_there.then(|| (Key::new(object, &kind.replace(' ', "-"), ""), format!("{word} {name}")))
}

/// An index or a constraint, which has one, of that name.
fn is_index_there(work: &Work<'_>, object: &str) -> bool {
    last(object).is_some_and(|(_, name)| work.to.has_index(name))
}
