//! What is asked for by its name, what has another name, and what only seems to.

use std::collections::BTreeMap;

use migrator_engine::client::{identifier, literal, unquoted};

use super::catalog::Catalog;
use super::column::Column;
use super::key::{Key, last, pieces};

/// Kinds of objects that are renamed, with the word of the statement.
const OBJECTS: &[(&str, &str)] = &[
    ("table", "TABLE"),
    ("foreign-table", "FOREIGN TABLE"),
    ("view", "VIEW"),
    ("materialized-view", "MATERIALIZED VIEW"),
    ("sequence", "SEQUENCE"),
    ("type", "TYPE"),
    ("domain", "DOMAIN"),
];

/// The name that a word of SQL stands for.
fn plain(word: &str) -> String {
    if word.starts_with('"') { unquoted(word) } else { word.to_lowercase() }
}

/// Whether the object has that name; both are qualified.
fn is_called(object: &str, path: &[String]) -> bool {
    let names = pieces(object, ".");
    names.len() == path.len() && names.iter().zip(path).all(|(name, word)| unquoted(name) == plain(word))
}

/// An object that is renamed, and the part of it.
enum Named<'c> {
    Whole(&'c Key, &'static str),
    Part(&'c Key),
    Label(&'c str, &'c str),
}

fn find<'c>(of: &'c Catalog, path: &[String]) -> Option<Named<'c>> {
    let word = |key: &Key| OBJECTS.iter().find(|(kind, _)| *kind == key.kind).map(|(_, word)| *word);
    if let [_, _] = path {
        let mut all = of.known().filter(|key| key.part.is_empty() && is_called(&key.object, path));
        return all.find_map(|key| Some(Named::Whole(key, word(key)?)));
    }
    let (name, object) = path.split_last()?;
    let is_part = |key: &&Key| {
        key.is(&["column", "constraint", "index", "trigger", "policy", "rule"])
            && unquoted(&key.part) == plain(name)
            && is_called(&key.object, object)
    };
    let mut labels = of.labels.iter().filter(|(kind, _)| is_called(kind, object));
    of.known().find(is_part).map(Named::Part).or_else(|| {
        let (kind, labels) = labels.next()?;
        labels.iter().find(|label| **label == plain(name)).map(|label| Named::Label(kind, label))
    })
}

/// Whether something has that name: `["core", "users", "name"]`.
pub(crate) fn is_there(of: &Catalog, path: &[String]) -> bool {
    find(of, path).is_some()
}

/// The statement that gives it another name, and the one that takes that back; `None`: nothing is called so. `now`: the name of its table
/// by then, if that is another one.
pub(crate) fn renaming(of: &Catalog, path: &[String], now: Option<&str>, new: &str) -> Option<(String, String)> {
    let both = |start: String, old: &str| (format!("{start}{old} TO {new}"), format!("{start}{new} TO {old}"));
    Some(match find(of, path)? {
        Named::Whole(key, word) => {
            let (schema, old) = last(&key.object)?;
            (
                format!("ALTER {word} {} RENAME TO {new}", key.object),
                format!("ALTER {word} {schema}.{new} RENAME TO {old}"),
            )
        }
        Named::Part(key) => {
            let table = now.unwrap_or(&key.object);
            match key.kind.as_str() {
                "index" => {
                    let (schema, _) = last(&key.object)?;
                    (
                        format!("ALTER INDEX {schema}.{} RENAME TO {new}", key.part),
                        format!("ALTER INDEX {schema}.{new} RENAME TO {}", key.part),
                    )
                }
                "column" if of.relation_key(&key.object)?.kind == "type" => {
                    let (up, down) = both(format!("ALTER TYPE {table} RENAME ATTRIBUTE "), &key.part);
                    (format!("{up} CASCADE"), format!("{down} CASCADE"))
                }
                "column" => both(format!("ALTER TABLE {table} RENAME COLUMN "), &key.part),
                "constraint" if of.relations.contains_key(&key.object) => {
                    both(format!("ALTER TABLE {table} RENAME CONSTRAINT "), &key.part)
                }
                "constraint" => both(format!("ALTER DOMAIN {table} RENAME CONSTRAINT "), &key.part),
                kind => {
                    let word = kind.to_uppercase();
                    (
                        format!("ALTER {word} {} ON {table} RENAME TO {new}", key.part),
                        format!("ALTER {word} {new} ON {table} RENAME TO {}", key.part),
                    )
                }
            }
        }
        Named::Label(kind, label) => {
            let kind = now.unwrap_or(kind);
            let (old, new) = (literal(label), literal(&plain(new)));
            (
                format!("ALTER TYPE {kind} RENAME VALUE {old} TO {new}"),
                format!("ALTER TYPE {kind} RENAME VALUE {new} TO {old}"),
            )
        }
    })
}

/// What has vanished, beside what came with the same shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    /// Qualified: `core.users.name`.
    pub old: String,
    /// The new name alone.
    pub new: String,
}

impl Alike {
    /// The old name alone.
    pub fn name(&self) -> &str {
        last(&self.old).map_or(self.old.as_str(), |(_, name)| name)
    }

    /// What is there now, qualified.
    pub fn now(&self) -> String {
        format!("{}.{}", last(&self.old).map_or("", |(of, _)| of), self.new)
    }
}

/// Every table, column and label that may only have another name.
pub fn alike(from: &Catalog, to: &Catalog) -> Vec<Alike> {
    let mut all = tables(from, to);
    for (table, before) in &from.columns {
        let Some(after) = to.columns.get(table) else { continue };
        let is_same =
            from.relation_key(table).is_some_and(|key| to.has(&key) && (key.kind == "table" || key.kind == "type"));
        let without = |some: &[Column], other: &[Column]| -> Vec<Column> {
            let is_new = |column: &&Column| !other.iter().any(|one| one.name == column.name);
            some.iter().filter(is_new).cloned().collect()
        };
        let (gone, come) = (without(before, after), without(after, before));
        for (old, new) in pairs(&gone, &come, is_alike).filter(|_| is_same) {
            all.push(Alike { old: format!("{table}.{}", old.name), new: new.name.clone() });
        }
    }
    for (kind, before) in &from.labels {
        let after = to.labels.get(kind).filter(|after| after.len() == before.len());
        for (old, new) in before.iter().zip(after.into_iter().flatten()) {
            if !before.contains(new) && after.is_some_and(|after| !after.contains(old)) {
                all.push(Alike { old: format!("{kind}.{}", identifier(old)), new: identifier(new) });
            }
        }
    }
    all
}

fn is_alike(old: &Column, new: &Column) -> bool {
    old.typed() == new.typed() && old.generated == new.generated && old.local && new.local
}

fn tables(from: &Catalog, to: &Catalog) -> Vec<Alike> {
    let only = |of: &Catalog, other: &Catalog| -> Vec<String> {
        let tables = of.relations.iter().filter(|(_, relation)| matches!(&*relation.letter, "r" | "p"));
        tables.map(|(name, _)| name.clone()).filter(|name| !other.relations.contains_key(name)).collect()
    };
    let shape = |of: &Catalog, table: &str| {
        let columns = of.columns.get(table).into_iter().flatten();
        let mut shape: Vec<_> = columns.map(|column| (column.name.clone(), column.typed())).collect();
        shape.sort();
        shape
    };
    let (gone, come) = (only(from, to), only(to, from));
    let place = |name: &str| last(name).map(|(schema, _)| schema.to_owned());
    let mut by_shape: BTreeMap<_, Vec<&String>> = BTreeMap::new();
    for new in &come {
        by_shape.entry((place(new), shape(to, new))).or_default().push(new);
    }
    let of_its_shape = |old: &String| {
        let shape = shape(from, old);
        by_shape.get(&(place(old), shape)).into_iter().flatten().copied()
    };
    let pairs = gone.iter().filter(|old| from.columns.contains_key(*old));
    let pairs = pairs.flat_map(|old| of_its_shape(old).map(move |new| (old, new)));
    pairs
        .map(|(old, new)| Alike { old: old.clone(), new: last(new).map_or(new.as_str(), |(_, name)| name).to_owned() })
        .collect()
}

fn pairs<'t, T>(
    some: &'t [T],
    other: &'t [T],
    is_alike: impl Fn(&T, &T) -> bool + 't,
) -> impl Iterator<Item = (&'t T, &'t T)> {
    some.iter()
        .flat_map(move |one| other.iter().map(move |two| (one, two)))
        .filter(move |(one, two)| is_alike(one, two))
}
