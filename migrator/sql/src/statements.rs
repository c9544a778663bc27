//! Cuts tokens into statements.

use crate::lexer::{Kind, Token};
use crate::words::Words;

/// The statements among `tokens`, without their semicolons; empty ones are left out.
///
/// A semicolon ends a statement unless it is in parentheses (`CREATE RULE ... DO (a; b)`) or in a
/// `BEGIN ATOMIC ... END` body of a function or procedure.
pub fn split<'a>(text: &'a str, tokens: &'a [Token]) -> Vec<Words<'a>> {
    let mut statements = Vec::new();
    let mut start = 0;
    let mut nesting = Nesting::default();
    for (index, token) in tokens.iter().enumerate() {
        let statement = Words::new(text, &tokens[start..]);
        if token.kind == Kind::Punctuation && token.text(text) == ";" && nesting.is_outermost() {
            if index > start {
                statements.push(Words::new(text, &tokens[start..index]));
            }
            start = index + 1;
            nesting = Nesting::default();
        } else {
            nesting.step(&statement, index - start);
        }
    }
    if start < tokens.len() {
        statements.push(Words::new(text, &tokens[start..]));
    }
    statements
}

/// How deep in parentheses and in `BEGIN ATOMIC` a token is.
#[derive(Default)]
struct Nesting {
    parentheses: usize,
    /// `BEGIN ATOMIC` and every `CASE` inside it, each of which has its `END`.
    bodies: usize,
}

impl Nesting {
    fn is_outermost(&self) -> bool {
        self.parentheses == 0 && self.bodies == 0
    }

    fn step(&mut self, statement: &Words<'_>, index: usize) {
        let Some(token) = statement.tokens.get(index) else { return };
        match (token.kind, statement.at(index)) {
            (Kind::Punctuation, "(") => self.parentheses += 1,
            (Kind::Punctuation, ")") => self.parentheses = self.parentheses.saturating_sub(1),
            (Kind::Word, _) => self.word(statement, index),
            _ => {}
        }
    }

    fn word(&mut self, statement: &Words<'_>, index: usize) {
        if statement.is(index, "atomic") && index > 0 && statement.is(index - 1, "begin") {
            if self.bodies == 0 && is_routine(statement) {
                self.bodies = 1;
            }
        } else if self.bodies > 0 {
            // `AS end` and `x.end` are names.
            let named = index > 0 && (statement.is(index - 1, "as") || statement.at(index - 1) == ".");
            if statement.is(index, "case") && !named {
                self.bodies += 1;
            } else if statement.is(index, "end") && !named {
                self.bodies -= 1;
            }
        }
    }
}

fn is_routine(statement: &Words<'_>) -> bool {
    let kind = statement.skip(1, &["or", "replace"]);
    statement.is(0, "create") && statement.is_any(kind, &["function", "procedure"])
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::lexer::lex;

    #[track_caller]
    fn check(text: &str, expect: Expect) {
        let lexed = lex(text);
        let statements: Vec<&str> =
            split(text, &lexed.tokens).iter().map(|statement| &text[statement.range()]).collect();
        expect.assert_eq(&statements.join(" | "));
    }

    #[test]
    fn a_semicolon_ends_a_statement() {
        check("a; b ;; /* c; */ ; d -- e;\n f", expect!["a | b | d -- e;\n f"]);
        check("SELECT ';' , $$;$$, \";\"; x;", expect![[r#"SELECT ';' , $$;$$, ";" | x"#]]);
        check(" ; -- nothing", expect![""]);
    }

    #[test]
    fn a_semicolon_in_parentheses_ends_nothing() {
        check("CREATE RULE r AS ON INSERT TO t DO (a; b); c", expect!["CREATE RULE r AS ON INSERT TO t DO (a; b) | c"]);
        check("a ) ; b", expect!["a ) | b"]);
    }

    #[test]
    fn a_semicolon_in_an_atomic_body_ends_nothing() {
        check(
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2 AS end; END; x; y",
            expect![[r#"
                CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2 AS end; END | x | y"#]],
        );
        check(
            "create or replace procedure p() begin atomic insert into t values (case a when 1 then 2 end); end; x",
            expect![[r#"
                create or replace procedure p() begin atomic insert into t values (case a when 1 then 2 end); end | x"#]],
        );
        check("BEGIN; SELECT 1; END; x", expect!["BEGIN | SELECT 1 | END | x"]);
    }

    proptest! {
        #[test]
        fn statements_and_semicolons_give_the_tokens_back(
            text in r"(begin |atomic |case |end |create |function |[a;()'$ \n]|--){0,40}",
        ) {
            let lexed = lex(&text);
            let mut rest = lexed.tokens.as_slice();
            for statement in split(&text, &lexed.tokens) {
                while rest[0] != statement.tokens[0] {
                    prop_assert_eq!(rest[0].text(&text), ";");
                    rest = &rest[1..];
                }
                prop_assert_eq!(&rest[..statement.tokens.len()], statement.tokens);
                rest = &rest[statement.tokens.len()..];
            }
            prop_assert!(rest.iter().all(|token| token.text(&text) == ";"));
        }
    }
}
