//! What a column or a type is tied to.

use crate::author::diff::catalog::Catalog;
use crate::author::diff::column::Column;
use crate::author::diff::key::Key;
use crate::author::diff::work::Work;

/// A partition has the columns of its table, a child those that it inherits: both change with it, unless only the child's changes.
pub(super) fn is_inherited(work: &Work<'_>, key: &Key) -> bool {
    let changes = |parent: &String| {
        let of = |catalog: &Catalog| catalog.facts().get(parent, "column", &key.part).map(str::to_owned);
        of(work.from) != of(work.to)
    };
    let is_there = |of: &Catalog| of.column(&key.object, &key.part).is_some();
    let both = is_there(work.from) && is_there(work.to);
    let mut parents = work.to.relations.get(&key.object).into_iter().flat_map(|relation| &relation.parents);
    belongs(work, key) && (!both || parents.any(changes))
}

/// Whether it is there because a parent has it.
pub(super) fn belongs(work: &Work<'_>, key: &Key) -> bool {
    let of = |relations: &Catalog| {
        let column = relations.column(&key.object, &key.part);
        relations.relations.get(&key.object).is_some_and(|relation| {
            relation.is_partition || !relation.parents.is_empty() && column.is_some_and(|column| !column.local)
        })
    };
    let (before, after) = (of(work.from), of(work.to));
    let is_there = |relations: &Catalog| relations.column(&key.object, &key.part).is_some();
    key.kind == "column" && (before || !is_there(work.from)) && (after || !is_there(work.to))
}

/// What the server does not let a column change its type under.
pub(super) fn take_down_watchers(work: &mut Work<'_>, key: &Key) {
    let from = work.from;
    let kinds = ["view", "materialized-view", "rule", "policy", "trigger", "function", "procedure", "column"];
    for (dependent, _) in from.dependents(key) {
        let is_generated = || from.column(&dependent.object, &dependent.part).is_some_and(Column::is_generated);
        if dependent.is(&kinds) && (dependent.kind != "column" || is_generated()) {
            work.take_down(dependent);
        }
    }
}

/// Whether a column elsewhere, or another type, is of this type.
pub(super) fn is_used(work: &Work<'_>, key: &Key) -> bool {
    let is_use = |dependent: &Key| dependent.is(&["column", "type", "domain"]) && dependent.object != key.object;
    work.from.dependents(key).iter().any(|(dependent, _)| is_use(dependent))
}
