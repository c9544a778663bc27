//! One kind of change, one file: what each difference of two schemas means for the work.

mod anew;
mod column;
mod comment;
mod constraint;
mod domain;
mod enumeration;
mod extension;
mod foreign;
mod grants;
mod index;
mod operator;
mod privilege;
mod publication;
mod routine;
mod sequence;
mod setting;
mod table;
mod tied;
mod trigger;
mod view;

#[cfg(test)]
mod tests;

use migrator_engine::facts::Difference;

use super::key::{Key, TABLES, VIEWS, last};
use super::work::Work;
pub(crate) use privilege::corrected;

/// What is done about a fact that differs. `expected` of the difference is the fact as it is, `found` as it should be.
type Rule = fn(&mut Work<'_>, &Key, &Difference);

/// The rule of each kind of fact that can change in place, and what of it can; whatever else differs is dropped and made again.
const RULES: &[(&str, Rule, &str)] = &[
    (
        "table",
        table::changed,
        "storage parameters, LOGGED, row security, replica identity, access method, type, parents, partitions",
    ),
    ("view", view::changed, "its query, where its columns stay or more come after them"),
    ("materialized-view", view::changed, ""),
    (
        "column",
        column::changed,
        "type, where the server converts it, default, NOT NULL, identity, no expression any more, storage, compression, statistics, options",
    ),
    ("constraint", constraint::changed, "NOT VALID that becomes valid"),
    ("index", index::changed, "clustering, replica identity, attached to that of the parent"),
    ("trigger", trigger::changed, "enabled, disabled"),
    ("function", routine::changed, "all but its result, its kind, and fewer defaults"),
    ("procedure", routine::changed, "all but its kind and fewer defaults"),
    ("type", enumeration::changed, "labels of an enum that come; attributes of a type that no column is of"),
    ("domain", domain::changed, "default, NOT NULL"),
    ("sequence", sequence::changed, "everything"),
    ("extension", extension::changed, "version, schema"),
    ("operator", operator::changed, "RESTRICT, JOIN"),
    ("foreign-data-wrapper", foreign::wrapper, "everything"),
    ("foreign-server", foreign::server, "version, options"),
    ("foreign-table", foreign::table, "options, parents, partitions"),
];

/// The rules of facts that say something about an object, or about the database.
const BESIDE: &[(&str, Rule, &str)] = &[
    ("comment", comment::differs, "everything"),
    ("privileges", privilege::differs, "everything"),
    ("default-privileges", privilege::by_default, "everything"),
    ("setting", setting::differs, "everything"),
    ("publication", publication::differs, "tables, schemas, what is published; not whether it is of all tables"),
    ("user-mapping", foreign::mapping, "nothing that a file may hold: its options are left out"),
];

/// Takes up one difference.
pub(crate) fn apply(work: &mut Work<'_>, difference: &Difference) {
    let key = Key::new(&difference.object, &difference.kind, &difference.part);
    let rule =
        |rules: &[(&str, Rule, &str)]| rules.iter().find(|(kind, ..)| *kind == key.kind).map(|(_, rule, _)| *rule);
    if let Some(rule) = rule(BESIDE) {
        return rule(work, &key, difference);
    }
    if is_of_another(work, &key) {
        return;
    }
    match (&difference.expected, &difference.found) {
        (Some(_), None) => gone(work, key),
        (None, Some(_)) => came(work, key),
        _ => match rule(RULES) {
            Some(rule) => rule(work, &key, difference),
            None => work.replace(&key),
        },
    }
}

/// A part of an object that comes or goes as a whole follows from that, as do the columns of a view.
fn is_of_another(work: &mut Work<'_>, key: &Key) -> bool {
    if key.part.is_empty() {
        return false;
    }
    let (before, after) = (work.from.relation_key(&key.object), work.to.relation_key(&key.object));
    let domain = Key::new(&key.object, "domain", "");
    let is_domain = work.from.has(&domain) && work.to.has(&domain);
    match (before, after) {
        (Some(before), Some(after)) if before == after => {
            let is_column_of_view = key.kind == "column" && before.is(VIEWS);
            if is_column_of_view {
                view::again(work, &before);
            }
            is_column_of_view || tied::is_inherited(work, key) || constraint::is_inherited(work, key)
        }
        _ => !is_domain,
    }
}

fn gone(work: &mut Work<'_>, key: Key) {
    // What a table has because of its parent goes with that, or stays where it is no partition any more.
    let is_known = key.kind == "constraint" && work.to.has(&key);
    let is_left = key.kind == "trigger" && is_left(work, &key);
    if is_known || is_left {
        return;
    }
    let is_identity = work.from.relations.get(&key.object).is_some_and(|sequence| sequence.is_identity);
    if key.kind == "sequence" && is_identity || index::is_of_constraint(work.from, &key) {
        return;
    }
    let is_partition = work.from.relations.get(&key.object).is_some_and(|relation| relation.letter == "p");
    let holds_rows = key.kind == "table" && !is_partition
        || key.kind == "column"
            && work.from.relation_key(&key.object).is_some_and(|relation| relation.is(TABLES))
            && work.from.column(&key.object, &key.part).is_some_and(|column| !column.is_generated());
    if holds_rows {
        work.loses.insert(key.clone());
    }
    work.gone.insert(key);
}

/// Whether a trigger is there for one of a table above that stays.
fn is_left(work: &Work<'_>, key: &Key) -> bool {
    let mut parents = work.from.needs(key).iter().filter(|(_, kind)| *kind == 'P').map(|(needed, _)| needed);
    parents.any(|parent| parent.kind == "trigger" && (work.to.has(parent) || is_left(work, parent)))
}

fn came(work: &mut Work<'_>, key: Key) {
    if key.kind == "constraint" && work.from.has(&key) {
        return;
    }
    let sequence = work.to.relations.get(&key.object).filter(|sequence| key.kind == "sequence" && sequence.is_identity);
    // The column of a table that is there makes it.
    let is_of_column = sequence.is_some_and(|sequence| {
        let table = last(&sequence.owned_by).map_or("", |(table, _)| table);
        work.from.relation_key(table).is_some()
    });
    if is_of_column {
        let corrections = corrected(work, &key);
        work.finish.extend(corrections.into_iter().map(|sql| (key.clone(), sql)));
    } else if !index::is_of_constraint(work.to, &key) {
        work.made.insert(key);
    }
}
