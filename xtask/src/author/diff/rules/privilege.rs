//! Who may do what.

use migrator_engine::facts::Difference;

use super::grants::between;
use crate::author::diff::key::Key;
use crate::author::diff::work::Work;

pub(super) fn differs(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    let Key { object, part, .. } = key;
    let kinds = [
        "table",
        "view",
        "materialized-view",
        "foreign-table",
        "sequence",
        "function",
        "procedure",
        "aggregate",
        "type",
        "domain",
        "schema",
        "foreign-data-wrapper",
        "foreign-server",
    ];
    let find = |kind: &&str| work.to.has(&Key::new(object, kind, ""));
    // What goes takes its privileges along.
    let Some(kind) = kinds.into_iter().find(find) else { return };
    let (word, default) = match kind {
        "function" | "aggregate" => ("FUNCTION", "PUBLIC: EXECUTE"),
        "procedure" => ("PROCEDURE", "PUBLIC: EXECUTE"),
        "type" => ("TYPE", "PUBLIC: USAGE"),
        "domain" => ("DOMAIN", "PUBLIC: USAGE"),
        "sequence" => ("SEQUENCE", ""),
        "schema" => ("SCHEMA", ""),
        "foreign-data-wrapper" => ("FOREIGN DATA WRAPPER", ""),
        "foreign-server" => ("FOREIGN SERVER", ""),
        _ => ("TABLE", ""),
    };
    let columns = if part.is_empty() { String::new() } else { format!(" ({part})") };
    let of = if part.is_empty() { Key::new(object, kind, "") } else { Key::new(object, "column", part) };
    let all = between(
        difference.expected.as_deref(),
        difference.found.as_deref(),
        default,
        &columns,
        &format!("ON {word} {object}"),
    );
    work.finish.extend(all.into_iter().map(|sql| (of.clone(), sql)));
}

pub(super) fn by_default(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    let Some((role, what)) = key.part.split_once(' ') else { return };
    let role = if role == "OWNER" { String::new() } else { format!(" FOR ROLE {role}") };
    let (schema, default) = match (key.object.as_str(), what) {
        ("database", "FUNCTIONS") => (String::new(), "PUBLIC: EXECUTE"),
        ("database", "TYPES") => (String::new(), "PUBLIC: USAGE"),
        ("database", _) => (String::new(), ""),
        (schema, _) => (format!(" IN SCHEMA {schema}"), ""),
    };
    let all = between(difference.expected.as_deref(), difference.found.as_deref(), default, "", &format!("ON {what}"));
    let place = Key::new(&key.object, &key.kind, &key.part);
    work.finish
        .extend(all.into_iter().map(|sql| (place.clone(), format!("ALTER DEFAULT PRIVILEGES{role}{schema} {sql}"))));
}
