//! The query that reads a schema's facts from the catalogs.

use super::kinds;
use crate::sql::{Tables, literal};

const SCOPE: &str = include_str!("scope.sql");

/// Rows of object, kind, part and definition, with the oldest major release that supports them and the first that does not.
const PIECES: &[(i32, i32, &str)] = &[
    (0, i32::MAX, include_str!("relations.sql")),
    (0, i32::MAX, include_str!("types.sql")),
    (0, i32::MAX, include_str!("database.sql")),
    (0, 15, include_str!("publications_13.sql")),
    (15, i32::MAX, include_str!("publications_15.sql")),
    (0, i32::MAX, include_str!("owners.sql")),
];

/// The server writes expressions of statistics without most of their parentheses, and so that a restored copy need not answer
/// alike; each by itself it writes them as everywhere else.
const STATISTICS: &str = "CASE WHEN s.stxexprs IS NULL THEN pg_get_statisticsobjdef(s.oid) ELSE concat_ws(' ', \
    'CREATE STATISTICS', s.stxnamespace::regnamespace || '.' || quote_ident(s.stxname), \
    '(' || (SELECT string_agg(x::text, ', ' ORDER BY x::text COLLATE \"C\") FROM unnest(s.stxkind) x WHERE x <> 'e') || ')', 'ON', \
    concat_ws(', ', (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a \
            WHERE a.attrelid = s.stxrelid AND a.attnum = ANY (s.stxkeys::int2[])), \
        (SELECT string_agg('(' || x || ')', ', ' ORDER BY place) FROM unnest(pg_get_statisticsobjdef_expressions(s.oid)) WITH ORDINALITY e (x, place))), \
    'FROM', s.stxrelid::regclass) END";

/// What decides how the server writes a definition; the names of types, tables and functions come with their schema. Nothing
/// in our questions is looked up elsewhere than in pg_catalog, where no one but a superuser can plant anything: the temporary
/// schema, which the server would search first, is named last. A view that another session is changing is not waited for
/// long: its lock holds up the traffic.
pub const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp; \
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
    let statistics = if major >= 14 { STATISTICS } else { "pg_get_statisticsobjdef(s.oid)" };
    let text = pieces.join("UNION ALL\n") + "UNION ALL\n" + &kinds::query();
    let text = text.replace("{compression}", compression).replace("{statistics}", statistics);
    format!("{scope}\n{text}")
}

/// The same rows as one text, sorted: two databases of one schema answer with the same bytes.
///
/// Each line begins with the lengths of its fields in bytes, so that no text can be taken for the end of one. The second column:
/// whether an object of an unknown kind is among them.
pub fn listing(major: i32, tables: &Tables) -> String {
    let field = |name: &str| format!("coalesce({name}, '') AS {name}");
    let fields = ["object", "kind", "part", "definition"];
    let lengths = fields.map(|name| format!("octet_length({name})")).join(" || ' ' || ");
    format!(
        "SELECT coalesce(string_agg(line, '' ORDER BY line COLLATE \"C\"), ''), coalesce(bool_or(unknown), false) FROM (\
         SELECT {lengths} || ' ' || {} AS line, kind = '{}' AS unknown FROM (SELECT {} FROM ({}) facts) fields) lines",
        fields.join(" || "),
        kinds::UNKNOWN,
        fields.map(field).join(", "),
        query(major, tables)
    )
}
