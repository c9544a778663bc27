//! The question that reads a schema's facts out of the catalogs.

use crate::sql::{Tables, literal};

const SCOPE: &str = include_str!("scope.sql");

/// Rows of object, kind, part and definition, with the oldest and the first too new major release that understand them.
const PIECES: &[(i32, i32, &str)] = &[
    (0, i32::MAX, include_str!("relations.sql")),
    (0, i32::MAX, include_str!("types.sql")),
    (0, i32::MAX, include_str!("database.sql")),
    (0, 15, include_str!("publications_13.sql")),
    (15, i32::MAX, include_str!("publications_15.sql")),
    (0, i32::MAX, include_str!("owners.sql")),
];

/// What decides how the server writes a definition; the names of types, tables and functions come with their schema. A view
/// that somebody else is changing is not waited for long: its lock holds up the traffic.
pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = ''; \
    SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres'; \
    SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL quote_all_identifiers = off; \
    SET LOCAL standard_conforming_strings = on; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '5s'; \
    SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL jit = off";

/// One query for a server of that major release; the history tables are left out.
pub(crate) fn query(major: i32, tables: &Tables) -> String {
    let scope = SCOPE.replace("{state}", &literal(&tables.state)).replace("{events}", &literal(&tables.events));
    let pieces = PIECES.iter().filter(|(from, before, _)| (*from..*before).contains(&major));
    let pieces: Vec<&str> = pieces.map(|(_, _, piece)| *piece).collect();
    // Asking for it through a JSON object of the whole row, as elsewhere, costs more than the rest of a column's line.
    let compression = if major >= 14 { "a.attcompression" } else { "NULL::\"char\"" };
    format!("{scope}\n{}", pieces.join("UNION ALL\n").replace("{compression}", compression))
}

/// The same rows as one text, sorted: two databases of one schema answer with the same bytes.
///
/// Each line begins with the lengths of its fields in bytes, so that no text can be taken for the end of one.
#[cfg(feature = "dev")]
pub(crate) fn listing(major: i32, tables: &Tables) -> String {
    let field = |name: &str| format!("coalesce({name}, '') AS {name}");
    let fields = ["object", "kind", "part", "definition"];
    let lengths = fields.map(|name| format!("octet_length({name})")).join(" || ' ' || ");
    format!(
        "SELECT coalesce(string_agg(line, '' ORDER BY line COLLATE \"C\"), '') FROM (\
         SELECT {lengths} || ' ' || {} AS line FROM (SELECT {} FROM ({}) facts) fields) lines",
        fields.join(" || "),
        fields.map(field).join(", "),
        query(major, tables)
    )
}
