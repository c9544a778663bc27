//! The text of a schema: what of it is no schema.

use anyhow::{Result, bail};
use migrator_sql::{Words, lex, split};

/// Without what says nothing about the schema, and what another release of the server does not know; lines stay where they are.
pub(super) fn without_noise(text: &str) -> String {
    let noise = [
        "\\restrict ",
        "\\unrestrict ",
        "SET transaction_timeout ",
        "SET default_with_oids ",
        "SET idle_in_transaction_session_timeout ",
    ];
    let kept: String = text
        .split_inclusive('\n')
        .map(|line| if noise.iter().any(|start| line.starts_with(start)) { "\n" } else { line })
        .collect();
    let lexed = lex(&kept);
    let mut out = kept.clone();
    for words in split(&kept, &lexed.tokens) {
        // Owners are not compared, and need not be there.
        let length = words.tokens.len();
        let is_owner =
            words.is(0, "alter") && length > 5 && words.is(length - 3, "owner") && words.is(length - 2, "to");
        if is_owner {
            let blank = |c: char| if c == '\n' { "\n" } else { " " };
            let range = words.range();
            let blanks: String =
                kept.get(range.clone()).unwrap_or_default().bytes().map(|byte| blank(byte.into())).collect();
            out.replace_range(range, &blanks);
        }
    }
    out
}

/// A schema has no rows, but those that say which versions it holds.
pub(super) fn refuse_data(file: &str, text: &str, [schema, table]: [&str; 2]) -> Result<()> {
    let lexed = lex(text);
    if let Some((at, what)) = lexed.unterminated {
        bail!("`{file}` cannot be read: {what} that begins in line {} does not end", line(text, at));
    }
    for words in split(text, &lexed.tokens) {
        if words.at(0) == "\\" {
            bail!(
                "`{file}` holds a command of psql in line {}: `{}`; the server does not know it\n\
                 help: take it out of the file",
                line(text, words.start()),
                words.joined(0..2)
            );
        }
        let is_data = words.is_any(0, &["insert", "update", "delete", "copy", "truncate", "merge", "call", "execute"])
            || words.is_any(0, &["with", "values", "table", "explain"])
            || words.is(0, "select") && !(words.start_with(&["select", "pg_catalog"]) && words.is(3, "set_config"));
        if is_data && !is_version(&words, schema, table) {
            bail!(
                "`{file}` holds a statement about data in line {}: `{}`; a schema has none\n\
                 help: take it out of the file; what new databases need to hold goes to db/seeds",
                line(text, words.start()),
                words.shown(4)
            );
        }
    }
    Ok(())
}

/// Whether it may be run in several transactions: it does not begin or end one itself, and has no setting that ends with one.
pub(super) fn is_divisible(text: &str) -> bool {
    let lexed = lex(text);
    let binds = |words: &Words<'_>| {
        words.is_any(0, &["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"])
            || words.is(0, "set") && words.is_any(1, &["local", "transaction", "constraints"])
    };
    !split(text, &lexed.tokens).iter().any(binds)
}

fn is_version(words: &Words<'_>, schema: &str, table: &str) -> bool {
    let plain = |text: &str| text.trim_matches('"').to_owned();
    words.start_with(&["insert", "into"])
        && plain(words.at(2)) == schema
        && words.at(3) == "."
        && plain(words.at(4)) == table
}

fn line(text: &str, at: usize) -> usize {
    text.get(..at).map_or(1, |before| before.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_about_data_are_refused_by_name() {
        let check = |text: &str| {
            refuse_data("db/schema.sql", text, ["public", "schema_migrations"]).map_err(|error| error.to_string())
        };
        assert_eq!(
            check(
                "SELECT pg_catalog.set_config('search_path', '', false);\nINSERT INTO public.schema_migrations (version) VALUES ('1');"
            ),
            Ok(())
        );
        let error = check("CREATE TABLE t (a int);\n\nINSERT INTO t VALUES (1);").unwrap_err();
        assert!(error.contains("in line 3: `INSERT INTO t VALUES`"), "{error}");
        for text in [
            "COPY t FROM stdin;\n1\n\\.\n",
            "SELECT 1",
            "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
            "TRUNCATE t",
            "SELECT pg_catalog.setval('s', 7, true)",
            "EXPLAIN ANALYZE DELETE FROM t",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
        assert!(check("CREATE TABLE t (a text DEFAULT 'x);").unwrap_err().contains("begins in line 1"));
    }

    #[test]
    fn a_text_that_is_bound_to_its_transaction_is_not_divided() {
        for text in ["", "CREATE TABLE t ();", "SET search_path = a; CREATE TABLE local ();"] {
            assert!(is_divisible(text), "{text}");
        }
        for text in ["SET LOCAL search_path = a;", "BEGIN;", "SELECT 1; commit", "SET CONSTRAINTS ALL DEFERRED"] {
            assert!(!is_divisible(text), "{text}");
        }
    }

    #[test]
    fn owners_and_settings_of_other_releases_are_left_out_and_lines_stay() {
        let text =
            "SET default_with_oids = false;\nALTER TABLE a.\"Ü\"\n OWNER TO \"Ü\";\nALTER TABLE t ADD owner int;\n";
        assert_eq!(without_noise(text).trim(), ";\nALTER TABLE t ADD owner int;");
        assert_eq!(without_noise(text).lines().count(), 4);
        let error = refuse_data("s.sql", "CREATE TABLE t ();\n\\connect x\n", ["public", "x"]).unwrap_err().to_string();
        assert!(error.contains("in line 2: `\\connect`"), "{error}");
    }
}
