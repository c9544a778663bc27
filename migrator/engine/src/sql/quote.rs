//! What makes names and text of others safe in statements of ours.

use postgres_protocol::escape;

use super::keywords::is_keyword;

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

/// An identifier, in quotes only where the name has other characters than an ordinary one, or is a keyword, as `quote_ident` writes it.
pub fn plain_identifier(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c == '_';
    match name.starts_with(is_plain) && name.chars().all(|c| is_plain(c) || c.is_ascii_digit()) && !is_keyword(name) {
        true => name.to_owned(),
        false => identifier(name),
    }
}

/// The name that an identifier stands for, if it is quoted.
pub fn unquoted(identifier: &str) -> String {
    let quoted = identifier.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    quoted.map_or_else(|| identifier.to_owned(), |inner| inner.replace("\"\"", "\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_for_either_string_syntax() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\'b"), r" E'a\\''b'");
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(["a_1", "_", "1a", "A", ""].map(plain_identifier), ["a_1", "_", "\"1a\"", "\"A\"", "\"\""]);
        assert_eq!(["order", "orders", "name"].map(plain_identifier), ["\"order\"", "orders", "name"]);
        assert_eq!(nullable(None), "NULL");
        for name in ["a", "a\"b", "\"", "\"a\""] {
            assert_eq!(unquoted(&identifier(name)), name);
        }
        assert_eq!(unquoted("plain"), "plain");
    }
}
