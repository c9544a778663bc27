//! What differs in nothing but its name, and holds nothing of its own: it is renamed, not made again.

use std::collections::BTreeMap;

use migrator_engine::facts::{Difference, diff};

use super::catalog::Catalog;
use super::key::{Key, last, pieces};
use super::named::renaming;

/// What it is without its name.
fn shape(difference: &Difference) -> Option<String> {
    let definition = difference.expected.as_ref().or(difference.found.as_ref())?;
    Some(match difference.kind.as_str() {
        "index" => definition.replacen(&format!(" {} ON ", difference.part), " ON ", 1),
        _ => definition.clone(),
    })
}

/// The statements that rename constraints, indexes and sequences which are the only ones of their shape, and those that take it back.
pub(crate) fn twins(from: &Catalog, to: &Catalog) -> Vec<(String, String)> {
    let all = diff(from.facts(), to.facts());
    let of_constraint = |one: &Difference| {
        let constraint = |of: &Catalog| of.facts().get(&one.object, "constraint", &one.part).is_some();
        one.kind == "index" && (constraint(from) || constraint(to))
    };
    // What a child has of its parent gets its name there.
    let is_own = |one: &Difference| {
        let key = Key::new(&one.object, &one.kind, &one.part);
        !from.inherited.contains(&key) && !to.inherited.contains(&key)
    };
    let is_renamed = |one: &&Difference| {
        is_own(one)
            && matches!(&*one.kind, "constraint" | "index" | "sequence")
            && !of_constraint(one)
            && one.word() != "changed"
    };
    let (gone, come): (Vec<&Difference>, Vec<&Difference>) =
        all.iter().filter(is_renamed).partition(|one| one.found.is_none());
    let place = |one: &Difference| match one.part.is_empty() {
        true => last(&one.object).map_or(String::new(), |(schema, _)| schema.to_owned()),
        false => one.object.clone(),
    };
    let alike = |one: &Difference| (one.kind.clone(), place(one), shape(one));
    let by_shape = |some: &[&'_ Difference]| {
        let mut shapes: BTreeMap<_, Vec<Difference>> = BTreeMap::new();
        some.iter().for_each(|one| shapes.entry(alike(one)).or_default().push((*one).clone()));
        shapes
    };
    let (gone, come) = (by_shape(&gone), by_shape(&come));
    let pairs = gone.iter().filter_map(|(shape, old)| match (old.as_slice(), come.get(shape)?.as_slice()) {
        ([old], [new]) => Some((old, new)),
        _ => None,
    });
    pairs
        .filter_map(|(old, new)| {
            let mut path: Vec<String> = pieces(&old.object, ".").into_iter().map(str::to_owned).collect();
            if old.part.is_empty() {
                return renaming(from, &path, None, last(&new.object)?.1);
            }
            path.push(old.part.clone());
            renaming(from, &path, None, &new.part)
        })
        .collect()
}
