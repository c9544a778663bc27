//! Which statements ask something of a schema.

use migrator_sql::{Kind, Words};

/// Whether these tokens are a statement that a release asks with: it reads or writes rows, or names what a migration can drop.
///
/// Two words are looked at: `client.query("select")` of some other client is not SQL. What begins a transaction, sets something or
/// changes a schema depends on no migration, or is one.
pub(super) fn asks(words: &Words<'_>) -> bool {
    let first = (0..words.tokens.len()).find(|at| words.at(*at) != "(").unwrap_or_default();
    let is_name = |at: usize| words.tokens.get(at).is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Quoted));
    let second = first + 1;
    let Some(word) = words.tokens.get(first).filter(|token| token.kind == Kind::Word) else { return false };
    match &*word.text(words.text).to_ascii_lowercase() {
        "select" | "values" => words.tokens.len() > second,
        "with" => is_name(second) && words.has("as"),
        "insert" | "merge" => words.is(second, "into"),
        "update" => is_name(second) && words.has("set"),
        "delete" => words.is(second, "from"),
        "table" | "listen" | "unlisten" | "notify" => is_name(second) && words.tokens.len() - first < 8,
        "call" => is_name(second) && words.at(words.behind_name(second)) == "(",
        "copy" => (is_name(second) || words.at(second) == "(") && (words.has("from") || words.has("to")),
        "truncate" | "lock" => is_name(second),
        "refresh" => words.is(second, "materialized"),
        "declare" => words.has("cursor"),
        "do" => words.tokens.get(second).is_some_and(|token| matches!(token.kind, Kind::Dollar | Kind::Text)),
        "explain" => {
            (second..words.tokens.len()).any(|at| words.is_any(at, &["select", "insert", "update", "delete", "with"]))
        }
        _ => false,
    }
}

/// Whether a text that is not complete begins as such a statement does.
pub(super) fn begins(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c == '(' || c.is_whitespace());
    let word = text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let known = [
        "select", "values", "with", "insert", "merge", "update", "delete", "table", "listen", "notify", "call", "copy",
        "truncate", "lock", "refresh", "declare", "explain",
    ];
    known.iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use migrator_sql::lex;

    use super::*;

    fn is_query(text: &str) -> bool {
        asks(&Words::new(text, &lex(text).tokens))
    }

    #[test]
    fn a_statement_asks_and_a_word_does_not() {
        for text in [
            "SELECT 1",
            "((select 1) union select 2)",
            "/* x */ with a as (select 1) table a",
            "VALUES (1)",
            "table t",
            "INSERT INTO t VALUES (1)",
            "Update only t SET a = 1",
            "DELETE FROM t",
            "MERGE INTO t USING u ON true",
            "CALL s.p(1)",
            "COPY t FROM STDIN",
            "COPY (SELECT 1) TO STDOUT",
            "LISTEN x",
            "NOTIFY x, 'y'",
            "TRUNCATE t",
            "LOCK TABLE t",
            "REFRESH MATERIALIZED VIEW v",
            "DECLARE c CURSOR FOR SELECT 1",
            "DO $$BEGIN END$$",
            "EXPLAIN (ANALYZE) SELECT 1",
        ] {
            assert!(is_query(text), "{text}");
        }
        for text in [
            "",
            "(",
            "select",
            "update",
            "update the file",
            "delete",
            "delete --all x",
            "insert coin",
            "merge a",
            "call me",
            "table",
            "q=select",
            "BEGIN",
            "COMMIT",
            "SET x = 1",
            "CREATE TABLE t ()",
            "-- SELECT 1",
            "'SELECT 1'",
            "do it",
            "copy this",
            "explain this",
            "ünï",
        ] {
            assert!(!is_query(text), "{text}");
        }
    }
}
