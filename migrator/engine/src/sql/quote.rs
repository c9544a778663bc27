//! What makes names and text of others safe in statements of ours.

use postgres_protocol::escape;

/// Goes before statements of ours, in the same transaction or message: names mean the server's own objects, and a
/// row that a policy would hide is an error.
pub const OURS: [&str; 2] = ["SET LOCAL search_path = pg_catalog, pg_temp", "SET LOCAL row_security = off"];

/// Statements of ours as one text, after what makes them safe; they must be in one transaction, or one message.
pub fn ours(statements: &str) -> String {
    format!("{}; {}; {statements}", OURS[0], OURS[1])
}

/// A string literal; works with either setting of `standard_conforming_strings`.
pub fn literal(text: &str) -> String {
    escape::escape_literal(text)
}

/// A literal, or NULL.
pub(crate) fn nullable(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), literal)
}

/// A quoted identifier.
pub fn identifier(name: &str) -> String {
    escape::escape_identifier(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_for_either_string_syntax() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\'b"), r" E'a\\''b'");
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(nullable(None), "NULL");
    }
}
