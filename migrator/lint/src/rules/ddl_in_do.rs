//! `DO` that changes the schema, as it is written there or in the text of an `EXECUTE`.

use migrator_sql::{Kind, Sql, Words, lex, split};

use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "ddl-in-do",
    message: "the schema is changed inside a `DO` block",
    reason: "neither this check nor the report after a failure can name the statement",
    help: "write the statements out; compute what varies with a query beforehand",
    linter: Linter::None,
    check,
};

fn check(site: &Site<'_>, _: &[usize]) -> Vec<Finding> {
    let words = site.words();
    let bodies = words.tokens.iter().filter(|token| matches!(token.kind, Kind::Dollar | Kind::Text));
    let mut literals = bodies.map(|token| token.text(words.text));
    if !matches!(site.sql(), Sql::Do) || !literals.any(|literal| holds_definition(literal, 0)) {
        return Vec::new();
    }
    vec![site.finding(site.start()).under("that of the statements inside, which cannot be seen from here".to_owned())]
}

fn holds_definition(literal: &str, depth: usize) -> bool {
    let body = match literal.strip_prefix('$') {
        Some(rest) => {
            let tag = rest.find('$').map_or(0, |at| at + 2);
            literal.get(tag..literal.len() - tag).unwrap_or_default()
        }
        None => literal.trim_matches('\''),
    };
    let lexed = lex(body);
    split(body, &lexed.tokens).iter().any(|words| {
        let inside = |at: usize| {
            let token = words.tokens[at];
            let text = matches!(token.kind, Kind::Text | Kind::Dollar | Kind::Escape);
            is_definition(words, at) || depth < 2 && text && holds_definition(token.text(body), depth + 1)
        };
        (0..words.tokens.len()).any(inside)
    })
}

/// The words of a definition, wherever they are: a body is not a list of statements.
fn is_definition(words: &Words<'_>, at: usize) -> bool {
    let objects = &["table", "index", "materialized", "column"];
    words.is_any(at, &["alter", "drop"]) && words.is_any(at + 1, objects)
        || words.is(at, "create") && (words.is(at + 1, "index") || words.is(at + 1, "unique"))
        || words.is(at, "truncate")
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "",
            &[
                "DO $x$ BEGIN ALTER TABLE live ADD c text; END $x$;",
                "DO $x$ BEGIN EXECUTE 'DROP INDEX i'; END $x$;",
                "DO LANGUAGE plpgsql 'BEGIN TRUNCATE live; END';",
            ],
            &[
                "DO $x$ BEGIN RAISE NOTICE 'the table is large, and no index helps'; END $x$;",
                "SELECT $$DROP TABLE live$$;",
            ],
        );
    }
}
