//! Statements that may write rows: a baseline is a schema, and has none of them. Pure.

use std::fmt;

use migrator_engine::embedded::Migration;
use migrator_sql::{Kind, Words, lex, split};

/// A statement that may.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    file: String,
    line: usize,
    shown: String,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: `{}`", self.file, self.line, self.shown)
    }
}

/// Those in the up blocks, in their order.
pub(super) fn statements<'a>(migrations: impl Iterator<Item = &'a Migration>) -> Vec<Written> {
    let mut written = Vec::new();
    for migration in migrations {
        let text = &*migration.text;
        let lexed = lex(text);
        for words in split(text, lexed.within(&migration.up.range)).iter().filter(|words| writes(words)) {
            let before = text.get(..words.start()).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            written.push(Written { file: migration.file.to_string(), line, shown: words.shown(4) });
        }
    }
    written
}

/// What writes rows wherever it is a word of its own: in a body, or after `WITH`.
const WRITING: [&str; 11] =
    ["insert", "update", "delete", "merge", "copy", "truncate", "perform", "execute", "call", "lo_import", "nextval"];

/// What is followed by a parenthesis and writes nothing.
const HARMLESS: [&str; 34] = [
    "all",
    "and",
    "any",
    "array",
    "array_agg",
    "as",
    "by",
    "cast",
    "coalesce",
    "count",
    "current_setting",
    "except",
    "exists",
    "filter",
    "format",
    "from",
    "if",
    "in",
    "max",
    "min",
    "not",
    "on",
    "or",
    "over",
    "quote_ident",
    "quote_literal",
    "row",
    "select",
    "set_config",
    "some",
    "to_regclass",
    "union",
    "values",
    "where",
];

/// Whether a statement may write rows that stay: it says so, or runs code that may.
fn writes(words: &Words<'_>) -> bool {
    let first = |all: &[&str]| words.is_any(0, all);
    if first(&["insert", "update", "delete", "merge", "copy", "truncate", "call", "execute"]) {
        // What goes to a file or to the client stays.
        return !(words.is(0, "copy") && words.find("to").is_some() && words.find("from").is_none());
    }
    if words.is(0, "do") {
        return bodies(words).any(|body| {
            let lexed = lex(&body);
            // Another language, or a body that we do not understand, may do anything.
            lexed.unterminated.is_some()
                || words.find("language").is_some_and(|at| !words.is(at + 1, "plpgsql"))
                || may_write(&Words::new(&body, &lexed.tokens))
        });
    }
    if first(&["select", "with", "values", "table", "explain"]) || words.at(0) == "(" {
        return may_write(words) || words.is(0, "select") && words.find("into").is_some();
    }
    words.is(0, "create") && (1..4).any(|at| words.is(at, "table")) && copies(words)
}

/// `CREATE TABLE ... AS`: a table with rows.
fn copies(words: &Words<'_>) -> bool {
    let starts = ["select", "with", "values", "table", "execute"];
    let is_query = |at: usize| words.is_any(at, &starts) || words.at(at) == "(" && words.is_any(at + 1, &starts);
    (0..words.tokens.len()).any(|at| words.is(at, "as") && is_query(at + 1))
}

/// Whether a word that writes is among them, or a call of a function that is not known to write nothing.
fn may_write(words: &Words<'_>) -> bool {
    (0..words.tokens.len()).any(|at| {
        // `FOR UPDATE`, `ON DELETE`: no statements.
        let is_clause = at > 0 && words.is_any(at - 1, &["for", "on", "no", "before", "after", "or"]);
        words.is_any(at, &WRITING) && !is_clause || is_call(words, at)
    })
}

fn is_call(words: &Words<'_>, at: usize) -> bool {
    let is_name = words.tokens.get(at).is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Quoted));
    is_name && words.at(at + 1) == "(" && !words.is_any(at, &HARMLESS)
}

/// The bodies of a `DO`.
fn bodies(words: &Words<'_>) -> impl Iterator<Item = String> {
    let texts = words.tokens.iter().filter(|token| matches!(token.kind, Kind::Dollar | Kind::Text | Kind::Escape));
    texts.map(|token| {
        let literal = token.text(words.text);
        match literal.strip_prefix('$') {
            Some(rest) => {
                let tag = rest.find('$').map_or(0, |at| at + 2);
                literal.get(tag..literal.len().saturating_sub(tag)).unwrap_or_default().to_owned()
            }
            None => literal.trim_start_matches(['e', 'E']).trim_matches('\'').replace("''", "'"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_written(text: &str) -> bool {
        writes(&Words::new(text, &lex(text).tokens))
    }

    #[test]
    fn what_may_write_rows_is_found() {
        for text in [
            "INSERT INTO t VALUES (1)",
            "update only t set a = 1",
            "DELETE FROM t",
            "MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE",
            "TRUNCATE t",
            "COPY t FROM '/file'",
            "CALL p()",
            "EXECUTE prepared",
            "SELECT setval('s', 7)",
            "SELECT app.fill()",
            "SELECT \"Fill\"()",
            "SELECT 1 AS a INTO t",
            "WITH x AS (INSERT INTO t VALUES (1) RETURNING a) SELECT a FROM x",
            "WITH x AS (SELECT 1) DELETE FROM t",
            "(SELECT f())",
            "CREATE TABLE t AS SELECT 1 AS a",
            "CREATE UNLOGGED TABLE IF NOT EXISTS t (a) AS (VALUES (1))",
            "DO $$BEGIN UPDATE t SET a = 1; END$$",
            "DO $x$BEGIN PERFORM f(); END$x$",
            "DO 'BEGIN EXECUTE ''INSERT INTO t VALUES (1)''; END'",
            "DO $$BEGIN x := f(1); END$$",
            "DO LANGUAGE plpython3u $$plpy.run$$",
        ] {
            assert!(is_written(text), "{text}");
        }
    }

    #[test]
    fn what_makes_a_schema_is_not() {
        for text in [
            "CREATE TABLE t (a int DEFAULT f(), b int GENERATED ALWAYS AS (a + 1) STORED)",
            "CREATE TABLE t (LIKE s INCLUDING ALL)",
            "CREATE VIEW v AS SELECT f() FROM t",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$INSERT INTO t VALUES (1) RETURNING a$$",
            "CREATE RULE r AS ON INSERT TO t DO INSTEAD DELETE FROM s",
            "ALTER TABLE t ADD COLUMN a int REFERENCES s ON DELETE CASCADE",
            "CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
            "COPY t TO '/file'",
            "SELECT 1",
            "SELECT pg_catalog.set_config('search_path', '', false)",
            "GRANT INSERT ON t TO u",
            "DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'a') THEN CREATE ROLE a; END IF; END$$",
        ] {
            assert!(!is_written(text), "{text}");
        }
    }
}
