//! Statements that differ in their values alone: the parser says the same of each, so that one of them is enough.

use crate::lexer::{Kind, Token};
use crate::words::Words;

/// What the parser sees of a statement, in bytes; `None` where it may look at a value too.
///
/// A statement that reads or writes rows holds values of which the parser knows that they are numbers or strings, and
/// nothing more. Other statements hold bodies, which are parsed themselves, and names as strings.
pub(crate) fn shape(words: &Words<'_>) -> Option<Vec<u8>> {
    if !words.is_any(0, &["insert", "update", "delete", "select"]) {
        return None;
    }
    let mut shape = Vec::with_capacity(words.tokens.len() * 6);
    let mut before: Option<&Token> = None;
    for token in words.tokens {
        let text = token.text(words.text).as_bytes();
        let is_value = match token.kind {
            Kind::Text => text.starts_with(b"'"),
            Kind::Number => text.iter().all(u8::is_ascii_digit),
            _ => false,
        };
        // Where two strings meet it matters what stands between them, and the one behind UESCAPE is a character.
        let is_string = |kind: Kind| matches!(kind, Kind::Text | Kind::Escape | Kind::Dollar);
        let is_uescape = token.kind == Kind::Word && text.eq_ignore_ascii_case(b"uescape");
        if is_uescape || is_string(token.kind) && before.is_some_and(|before| is_string(before.kind)) {
            return None;
        }
        // `: :` is not `::`.
        let adjacent = before.is_some_and(|before| before.end() == token.start());
        shape.extend([token.kind as u8, u8::from(adjacent), u8::from(is_value)]);
        if !is_value {
            shape.extend((text.len() as u32).to_be_bytes());
            shape.extend(text);
        }
        before = Some(token);
    }
    Some(shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::lex;

    fn of(text: &str) -> Option<Vec<u8>> {
        shape(&Words::new(text, &lex(text).tokens))
    }

    #[test]
    fn values_are_no_part_of_a_shape() {
        let shape = of("INSERT INTO t (a, b) VALUES (1, 'x')");
        assert!(shape.is_some());
        for same in ["INSERT INTO t (a, b) VALUES (234, 'it''s')", "INSERT  INTO t (a, b) /* c */ VALUES\n(0, '')"] {
            assert_eq!(of(same), shape, "{same}");
        }
    }

    #[test]
    fn everything_else_is_part_of_a_shape() {
        let table = [
            "INSERT INTO t (a, b) VALUES (1, 'x')",
            "INSERT INTO t (a, c) VALUES (1, 'x')",
            "INSERT INTO t (a, b) VALUES ('x', 1)",
            "INSERT INTO t (a, b) VALUES (1.5, 'x')",
            "INSERT INTO t (a, b) VALUES (1e5, 'x')",
            "INSERT INTO t (a, b) VALUES (0x1, 'x')",
            "INSERT INTO t (a, b) VALUES (1a, 'x')",
            "INSERT INTO t (a, b) VALUES (-1, 'x')",
            "INSERT INTO t (a, b) VALUES ( 1, 'x')",
            "INSERT INTO t (a, b) VALUES (1, E'x')",
            "INSERT INTO t (a, b) VALUES (1, U&'x')",
            "INSERT INTO t (a, b) VALUES (1, $$x$$)",
            "INSERT INTO t (a, b) VALUES (1, $1)",
            "INSERT INTO t (a, b) VALUES (1, \"x\")",
            "INSERT INTO t (a, b) VALUES (1, x)",
            "INSERT INTO t (a, b) VALUES (1, 'x'::text)",
            "INSERT INTO t (a, b) VALUES (1, 'x': :text)",
        ];
        for (index, one) in table.iter().enumerate() {
            for other in &table[..index] {
                assert_ne!(of(one), of(other), "{one}, {other}");
            }
        }
    }

    #[test]
    fn what_the_parser_looks_into_has_no_shape() {
        for text in [
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "DO 'BEGIN END'",
            "SELECT 'a' 'b'",
            "SELECT 'a'\n'b'",
            "SELECT E'a' 'b'",
            "SELECT U&'!0061' UESCAPE '!'",
            "",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
