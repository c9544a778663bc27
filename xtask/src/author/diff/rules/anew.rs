//! A type that cannot change in place: the old one makes room, and the columns move to the new one.

use migrator_engine::client::{identifier, unquoted};

use super::tied::{belongs, is_used, take_down_watchers};
use crate::author::diff::column::Column;
use crate::author::diff::key::{Key, TABLES, last};
use crate::author::diff::work::Work;

const TYPES: &[&str] = &["type", "domain"];

/// Makes the type again, and what is made of it.
pub(super) fn anew(work: &mut Work<'_>, key: &Key) {
    if work.room.iter().any(|(of, _)| of == key) || work.gone.contains(key) {
        return;
    }
    if !is_used(work, key) {
        return work.replace(key);
    }
    let from = work.from;
    let (Some((schema, _)), Some(old)) = (last(&key.object), old_name(work, key)) else { return };
    let word = if key.kind == "domain" { "DOMAIN" } else { "TYPE" };
    work.room.push((key.clone(), format!("ALTER {word} {} RENAME TO {old}", key.object)));
    work.made.insert(key.clone());
    for (dependent, _) in from.dependents(key) {
        let relation = from.relation_key(&dependent.object);
        match &relation {
            _ if dependent.is(TYPES) => of_type(work, dependent),
            Some(of) if dependent.kind == "column" && of.is(TABLES) => moved(work, dependent),
            Some(of) if of == key => {}
            Some(of) if dependent.kind == "column" && of.kind == "type" => of_type(work, of),
            Some(of) if dependent.kind == "column" => work.take_down(of),
            _ => work.take_down(dependent),
        }
    }
    // What is made of it has gone by now.
    work.late.push((key.clone(), format!("DROP {word} {schema}.{old}")));
}

fn of_type(work: &mut Work<'_>, key: &Key) {
    match work.to.has(key) {
        true => anew(work, key),
        false => work.take_down(key),
    }
}

/// A name that no type has, before or after.
fn old_name(work: &Work<'_>, key: &Key) -> Option<String> {
    let (schema, name) = last(&key.object)?;
    let mut short = unquoted(name);
    // The server cuts a name after 63 bytes.
    while short.len() > 57 {
        short.pop();
    }
    let is_taken = |name: &str| {
        let object = format!("{schema}.{name}");
        [work.from, work.to].iter().any(|of| {
            of.relations.contains_key(&object) || TYPES.iter().any(|kind| of.has(&Key::new(&object, kind, "")))
        })
    };
    let mut names = (1..).map(|number| {
        let text = if number == 1 { format!("{short}_old") } else { format!("{short}_old{number}") };
        if name.starts_with('"') { identifier(&text) } else { text }
    });
    names.find(|name| !is_taken(name))
}

/// A column moves to the new type: its text is that of a value there, too.
fn moved(work: &mut Work<'_>, key: &Key) {
    let (from, to) = (work.from, work.to);
    let Some(column) = from.column(&key.object, &key.part) else { return };
    let is_kept = to.column(&key.object, &key.part).is_some_and(|to| to.kind == column.kind);
    if Column::is_generated(column) || !is_kept || belongs(work, key) {
        return;
    }
    take_down_watchers(work, key);
    let (table, name, kind) = (&key.object, &key.part, &column.kind);
    if !column.value.is_empty() {
        work.take_down(&Key::new(table, "default", name));
    }
    let array = if column.kind.ends_with("[]") { "[]" } else { "" };
    let sql = format!("ALTER TABLE {table} ALTER COLUMN {name} TYPE {kind} USING {name}::text{array}::{kind}");
    // Its new default is of the new type.
    work.altered.entry(key.clone()).or_default().insert(0, sql);
}
