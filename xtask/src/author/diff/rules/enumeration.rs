//! A type that changes: labels of an enum are added in place; everything else makes it anew.

use migrator_engine::client::literal;
use migrator_engine::facts::Difference;

use super::anew::anew;
use crate::author::diff::key::Key;
use crate::author::diff::work::Work;

pub(super) fn changed(work: &mut Work<'_>, key: &Key, _: &Difference) {
    let labels = |of: &crate::author::diff::catalog::Catalog| of.labels.get(&key.object).cloned().unwrap_or_default();
    let (from, to) = (labels(work.from), labels(work.to));
    if from.is_empty() || to.is_empty() {
        return anew(work, key);
    }
    let mut kept = to.iter().filter(|label| from.contains(label));
    if from.iter().all(|label| kept.next() == Some(label)) {
        return add(work, key, &from, &to);
    }
    work.loses
        .extend(from.iter().filter(|label| !to.contains(label)).map(|label| Key::new(&key.object, "label", label)));
    anew(work, key);
}

fn add(work: &mut Work<'_>, key: &Key, from: &[String], to: &[String]) {
    for (place, label) in to.iter().enumerate().filter(|(_, label)| !from.contains(label)) {
        let follower = to.iter().skip(place).find(|label| from.contains(label));
        let place = match (follower, place.checked_sub(1).and_then(|before| to.get(before))) {
            (None, _) => String::new(),
            (Some(_), Some(before)) => format!(" AFTER {}", literal(before)),
            (Some(follower), None) => format!(" BEFORE {}", literal(follower)),
        };
        work.prepare.push((key.clone(), format!("ALTER TYPE {} ADD VALUE {}{place}", key.object, literal(label))));
    }
}
