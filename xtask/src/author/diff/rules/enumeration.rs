//! An enum that changes: labels are added in place; to lose one, the type is made anew.

use migrator_engine::client::literal;
use migrator_engine::facts::Difference;

use super::column::take_down_watchers;
use crate::author::diff::key::{Key, TABLES};
use crate::author::diff::work::Work;

pub(super) fn changed(work: &mut Work<'_>, key: &Key, _: &Difference) {
    let labels = |of: &crate::author::diff::catalog::Catalog| of.labels.get(&key.object).cloned().unwrap_or_default();
    let (from, to) = (labels(work.from), labels(work.to));
    if from.is_empty() || to.is_empty() {
        return work.replace(key);
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

/// The old type makes room, the columns move to the new one.
fn anew(work: &mut Work<'_>, key: &Key) {
    let Some((schema, name)) = key.object.rsplit_once('.') else { return };
    let old = match name.strip_suffix('"') {
        Some(name) => format!("{name}_old\""),
        None => format!("{name}_old"),
    };
    work.prepare.push((key.clone(), format!("ALTER TYPE {} RENAME TO {old}", key.object)));
    work.made.insert(key.clone());
    let from = work.from;
    for (dependent, _) in from.dependents(key) {
        let is_of_table = from.relation_key(&dependent.object).is_some_and(|relation| relation.is(TABLES));
        if dependent.kind != "column" {
            work.take_down(dependent);
        } else if is_of_table && let Some(column) = from.column(&dependent.object, &dependent.part) {
            let array = if column.kind.ends_with("[]") { "[]" } else { "" };
            let is_kept = work.to.column(&dependent.object, &dependent.part).is_some_and(|to| to.kind == column.kind);
            if column.is_generated() || !is_kept {
                continue;
            }
            take_down_watchers(work, dependent);
            let (table, name, kind) = (&dependent.object, &dependent.part, &column.kind);
            if !column.value.is_empty() {
                work.take_down(&Key::new(table, "default", name));
            }
            work.alter(
                dependent,
                format!("ALTER TABLE {table} ALTER COLUMN {name} TYPE {kind} USING {name}::text{array}::{kind}"),
            );
        }
    }
    work.late.push((key.clone(), format!("DROP TYPE {schema}.{old}")));
}
