//! The statements that drop and make an object.

use migrator_engine::client::{literal, unquoted};

use super::catalog::Catalog;
use super::column::Column;
use super::key::{Key, last, schema};

/// The statement that drops it; `None`: it goes with what it is in, or there is none.
pub(crate) fn drop(from: &Catalog, key: &Key) -> Option<String> {
    let Key { object, kind, part } = key;
    let relation = || match from.relations.get(object).map(|relation| relation.letter.as_str()) {
        Some("f") => "FOREIGN TABLE",
        Some("m") => "MATERIALIZED VIEW",
        Some("v") => "VIEW",
        _ => "TABLE",
    };
    Some(match kind.as_str() {
        "table" | "view" | "materialized-view" | "foreign-table" => format!("DROP {} {object}", relation()),
        "aggregate" if object.ends_with("()") => format!("DROP AGGREGATE {}(*)", object.trim_end_matches("()")),
        "foreign-server" => format!("DROP SERVER {object}"),
        "user-mapping" => format!("DROP USER MAPPING FOR {part} SERVER {object}"),
        "transform" => {
            let (kind, language) = object.rsplit_once(" FOR ")?;
            format!("DROP TRANSFORM FOR {kind} LANGUAGE {language}")
        }
        "sequence"
        | "type"
        | "domain"
        | "schema"
        | "extension"
        | "function"
        | "procedure"
        | "aggregate"
        | "operator"
        | "cast"
        | "collation"
        | "conversion"
        | "publication"
        | "language"
        | "operator-class"
        | "operator-family"
        | "event-trigger"
        | "foreign-data-wrapper"
        | "access-method"
        | "text-search-configuration"
        | "text-search-dictionary"
        | "text-search-parser"
        | "text-search-template" => match kind.as_str() {
            "cast" => format!("DROP CAST ({object})"),
            _ => format!("DROP {} {object}", kind.replace('-', " ").to_uppercase()),
        },
        "column" if from.relations.contains_key(object) => format!("ALTER {} {object} DROP COLUMN {part}", relation()),
        "column" => format!("ALTER TYPE {object} DROP ATTRIBUTE {part}"),
        "default" => format!("ALTER TABLE {object} ALTER COLUMN {part} DROP DEFAULT"),
        // It goes with that of the parent.
        "constraint" if from.inherited.contains(key) => return None,
        "constraint" if from.relations.contains_key(object) => {
            format!("ALTER {} {object} DROP CONSTRAINT {part}", relation())
        }
        "constraint" => format!("ALTER DOMAIN {object} DROP CONSTRAINT {part}"),
        "index" => format!("DROP INDEX {}.{part}", schema(object)),
        "trigger" | "rule" | "policy" => format!("DROP {} {part} ON {object}", kind.to_uppercase()),
        "statistics" => format!("DROP STATISTICS {part}"),
        _ => return None,
    })
}

/// The statements that make it, where everything that it needs is there. None: nothing of its own makes it.
pub(crate) fn make(to: &Catalog, key: &Key, is_rollback: bool) -> Vec<String> {
    let Key { object, kind, part } = key;
    let of_dump = || -> Vec<String> { to.own_entries(key).flat_map(|entry| entry.statements.clone()).collect() };
    match kind.as_str() {
        "column" => column(to, key, is_rollback),
        "default" => match to.column(object, part) {
            Some(column) if !column.value.is_empty() => {
                vec![format!("ALTER TABLE {object} ALTER COLUMN {part} SET DEFAULT {}", column.value)]
            }
            _ => Vec::new(),
        },
        // A check of a table that is made as a whole is in the table's statement.
        "constraint" => match of_dump() {
            all if !all.is_empty() => all,
            _ if to.inherited.contains(key) => Vec::new(),
            _ if to.relations.contains_key(object) => {
                vec![format!("ALTER TABLE {object} ADD CONSTRAINT {part} {}", to.note(key))]
            }
            _ => vec![format!("ALTER DOMAIN {object} ADD CONSTRAINT {part} {}", to.note(key))],
        },
        "user-mapping" => vec![format!(
            "-- Its options, such as the password, are no part of a file: each server has its own.\nCREATE USER MAPPING FOR {part} SERVER {object}"
        )],
        "table" | "materialized-view" => {
            let method = to.relations.get(object).map_or("", |relation| &relation.method);
            let word = if kind == "table" { "TABLE" } else { "MATERIALIZED VIEW" };
            let set = (!method.is_empty()).then(|| format!("ALTER {word} {object} SET ACCESS METHOD {method}"));
            of_dump().into_iter().chain(set).collect()
        }
        _ => of_dump(),
    }
}

/// How the dump makes the identity of a column: `GENERATED ... AS IDENTITY (...)`.
pub(crate) fn identity(to: &Catalog, table: &str, name: &str) -> Option<String> {
    let column = to.column(table, name).filter(|column| !column.identity.is_empty())?;
    let sequence = Key::new(&column.sequence, "sequence", "");
    let mut statements = to.own_entries(&sequence).flat_map(|entry| &entry.statements);
    let (_, text) = statements.find_map(|text| text.split_once(" ADD GENERATED "))?;
    Some(format!(
        "GENERATED {}",
        text.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(").replace(" )", ")")
    ))
}

fn column(to: &Catalog, key: &Key, is_rollback: bool) -> Vec<String> {
    let Key { object, part, .. } = key;
    let Some(column) = to.column(object, part) else { return Vec::new() };
    let Some(relation) = to.relations.get(object) else {
        return vec![format!("ALTER TYPE {object} ADD ATTRIBUTE {} {} CASCADE", column.name, column.typed())];
    };
    let what = if relation.letter == "f" { "FOREIGN TABLE" } else { "TABLE" };
    let identity = identity(to, object, part);
    let labels = to.labels.get(&column.kind).map_or(&[][..], Vec::as_slice);
    if let Some(empty) = column.empty_value(labels).filter(|_| is_rollback && column.lacks_value()) {
        let filled = Column { value: empty, ..column.clone() };
        let mut all = vec![
            format!(
                "-- What it held is lost: the rows that are there get the emptiest value.\nALTER {what} {object} ADD COLUMN {}",
                definition(to, key, &filled, None)
            ),
            format!("ALTER {what} {object} ALTER COLUMN {part} DROP DEFAULT"),
        ];
        all.extend(column.afterwards(object));
        return all;
    }
    let mut all =
        vec![format!("ALTER {what} {object} ADD COLUMN {}", definition(to, key, column, identity.as_deref()))];
    all.extend(column.afterwards(object));
    all.extend(to.options.get(key).map(|options| {
        let all: Vec<String> = options.iter().map(|(name, value)| format!("{name} {}", literal(value))).collect();
        format!("ALTER FOREIGN TABLE {object} ALTER COLUMN {part} OPTIONS ({})", all.join(", "))
    }));
    all
}

/// What follows ADD COLUMN. What requires the column has its name there, unless it is the one that the server gives it.
fn definition(to: &Catalog, key: &Key, column: &Column, identity: Option<&str>) -> String {
    let text = column.definition(identity);
    let Some(by) = to.requires(&key.object, &key.part) else { return text };
    let plain = unquoted(last(&key.object).map_or("", |(_, table)| table)) + "_" + &unquoted(&key.part) + "_not_null";
    let note = to.note(by).replacen(&format!("NOT NULL {}", key.part), "NOT NULL", 1);
    match text.strip_suffix(" NOT NULL") {
        Some(text) if unquoted(&by.part) != plain || note != "NOT NULL" => {
            format!("{text} CONSTRAINT {} {note}", by.part)
        }
        _ => text,
    }
}
