//! Statements that differ in their values alone: the parser says the same of each, so that one of them is enough.

use std::collections::HashSet;

use crate::lexer::{Kind, Token};
use crate::words::Words;

/// What the parser sees of a statement, in bytes; `None` where it may look at a value too.
///
/// A statement that reads or writes rows holds values of which the parser knows that they are numbers or strings, and
/// nothing more. Other statements hold bodies, which are parsed themselves, and names as strings.
pub(crate) fn shape(words: &Words<'_>) -> Option<Vec<u8>> {
    let rows = words.is_any(0, &["insert", "update", "delete", "select"]);
    rows.then(|| tokens(words.text, words.tokens)).flatten()
}

/// An `INSERT` without the rows that differ from an earlier one in their values alone; `None` if there are none, or if
/// it is not such a statement.
pub(crate) fn without_rows_of_known_shape(words: &Words<'_>) -> Option<String> {
    let first = words.find("values").filter(|_| words.is(0, "insert"))? + 1;
    let mut known = HashSet::new();
    let mut text = words.text[words.start()..words.tokens.get(first)?.start()].to_owned();
    let mut start = first;
    let mut dropped = false;
    loop {
        let end = behind_row(words, start)?;
        let row = &words.tokens[start..end];
        if known.insert(tokens(words.text, row)?) {
            text.push_str(if start > first { ",\n" } else { "" });
            text.push_str(&words.text[words.tokens[start].start()..words.tokens[end - 1].end()]);
        } else {
            dropped = true;
        }
        if words.at(end) != "," {
            text.push_str(&words.text[words.tokens[end - 1].end()..words.range().end]);
            return dropped.then_some(text);
        }
        start = end + 1;
    }
}

/// The index after the parenthesis that closes the one at `start`.
fn behind_row(words: &Words<'_>, start: usize) -> Option<usize> {
    let mut depth = 0;
    for index in start..words.tokens.len() {
        match words.at(index) {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth <= 0 {
            return (depth == 0 && index > start).then_some(index + 1);
        }
    }
    None
}

fn tokens(text: &str, tokens: &[Token]) -> Option<Vec<u8>> {
    let mut shape = Vec::with_capacity(tokens.len() * 6);
    let mut before: Option<&Token> = None;
    for token in tokens {
        let text = token.text(text).as_bytes();
        let is_value = match token.kind {
            Kind::Text => text.starts_with(b"'"),
            Kind::Number => text.iter().all(u8::is_ascii_digit),
            _ => false,
        };
        // Where two strings meet it matters what is between them, and the one after UESCAPE is a character.
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
    use expect_test::{Expect, expect};

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

    #[track_caller]
    fn check_rows(text: &str, expect: Expect) {
        let reduced = without_rows_of_known_shape(&Words::new(text, &lex(text).tokens));
        expect.assert_eq(reduced.as_deref().unwrap_or("as it is"));
    }

    #[test]
    fn rows_of_one_shape_are_kept_once() {
        check_rows(
            "INSERT INTO t (a, b) /* c */ VALUES\n(1, 'a'), (2, 'b'), (3, now()),\n(4, 'd') ON CONFLICT DO NOTHING",
            expect![[r#"
                INSERT INTO t (a, b) /* c */ VALUES
                (1, 'a'),
                (3, now()) ON CONFLICT DO NOTHING"#]],
        );
        check_rows("INSERT INTO t VALUES (1), (2),", expect!["as it is"]);
    }

    #[test]
    fn a_statement_without_equal_rows_stays_as_it_is() {
        for text in [
            "INSERT INTO t VALUES (1)",
            "INSERT INTO t VALUES (1), ('a')",
            "INSERT INTO t VALUES (1), (2",
            "INSERT INTO t VALUES ), (2)",
            "INSERT INTO t VALUES 1, 2",
            "INSERT INTO t VALUES",
            "INSERT INTO t SELECT 1",
            "VALUES (1), (2)",
            "INSERT INTO t VALUES ('a' 'b'), ('a' 'b')",
        ] {
            check_rows(text, expect!["as it is"]);
        }
    }
}
