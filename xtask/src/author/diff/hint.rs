//! What is left to do by hand where a difference remains, by its kind.

use migrator_engine::facts::Difference;

/// The way out of a difference that no statement of ours makes. `expected` of the difference is the fact that is wanted.
pub fn hint(remains: &Difference) -> Option<&'static str> {
    let has = |text: &Option<String>, word: &str| text.as_ref().is_some_and(|text| text.contains(word));
    let wanted = &remains.expected;
    Some(match remains.kind.as_str() {
        "index" if has(wanted, " INVALID") => {
            "no migration makes an index that is invalid: rebuild it with `REINDEX INDEX`, or drop it, where the schema comes from"
        }
        "subscription" => {
            "a subscription holds a password, and acts on another server: create or drop it by hand on each"
        }
        "security-label" => "a security label needs a module of the server: set it by hand",
        "column" if has(wanted, "INHERITED") && has(&remains.found, "MERGED") => {
            "a column that was a table's own stays so when the table inherits it: say so in the schema, or make the table anew"
        }
        "table" | "index" | "materialized-view" if has(wanted, "TABLESPACE ") || has(&remains.found, "TABLESPACE ") => {
            "a tablespace belongs to a server: move it by hand on each"
        }
        "extension" => "another version of an extension has to be installed on the server",
        _ => return None,
    })
}
