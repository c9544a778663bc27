//! Files of SQL: those of cornucopia and clorinde (`--! name`), of sqlc (`-- name: Name :many`), and plain statements.

mod marker;
mod parameters;

use migrator_sql::{Words, lex, split};

use self::marker::Marker;
use self::parameters::Style;
use super::asks::asks;
use super::found::{Found, Harvest};
use crate::prove::compat::query::Place;

/// The queries of a file, each at the line of its first word. Of the statements without a name, those that ask something.
pub(super) fn read(file: &str, text: &str, harvest: &mut Harvest) {
    let lexed = lex(text);
    let mut lines = Lines::of(text);
    let markers: Vec<Marker<'_>> =
        lexed.comments.iter().filter_map(|comment| Marker::of(text, comment.range.clone())).collect();
    let style = markers.first().map_or(Style::Plain, |marker| marker.style);
    if let Some((at, what)) = lexed.unterminated {
        harvest.unreadable(file, format!("line {}: unterminated {what}", Lines::of(text).at(at)));
    }
    let mut from = 0;
    for statement in split(text, &lexed.tokens) {
        let range = statement.range();
        // The last one before the statement: an earlier one names nothing.
        let above = markers.iter().rev().find(|marker| (from..range.start).contains(&marker.at));
        from = range.end;
        let is_cut_off = lexed.unterminated.is_some_and(|(at, _)| at < range.end);
        if is_cut_off || above.is_none() && !asks(&statement) {
            continue;
        }
        harvest.query(Found {
            text: parameters::numbered(&statement, style),
            name: above.map(|marker| marker.name.to_owned()),
            place: Place { file: file.to_owned(), line: lines.at(range.start) },
            declared: None,
        });
    }
}

/// The statements of a text that ask something, each with the byte where it starts, if there are several; else the whole text, if it is one.
pub(super) fn statements(text: &str) -> Vec<(usize, &str)> {
    let lexed = lex(text);
    let all = split(text, &lexed.tokens);
    let start = |statement: &Words<'_>| statement.range().start;
    match all.as_slice() {
        [only] if asks(only) => vec![(start(only), text)],
        several => {
            let asking = several.iter().filter(|statement| several.len() > 1 && asks(statement));
            asking.map(|statement| (start(statement), &text[statement.range()])).collect()
        }
    }
}

/// Counts the lines of a text, from the front to the end.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Lines<'a> {
        Lines { text, at: 0, line: 1 }
    }

    /// The line of a byte, which is not before the one asked for last.
    fn at(&mut self, byte: usize) -> usize {
        self.line += self.text.as_bytes()[self.at..byte].iter().filter(|byte| **byte == b'\n').count();
        self.at = byte;
        self.line
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Expect) {
        let mut harvest = Harvest::default();
        read("q.sql", text, &mut harvest);
        let found = harvest.merged();
        let line = |query: crate::prove::compat::query::Query| {
            let name = query.name.map(|name| format!("{name}: ")).unwrap_or_default();
            format!("{} {name}{}", query.places[0].line, query.text)
        };
        let queries: Vec<String> = found.queries.into_iter().map(line).collect();
        let unreadable = found.unreadable.iter().map(|(file, why)| format!("{file}: {why}"));
        expected.assert_eq(&queries.into_iter().chain(unreadable).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn cornucopia_and_clorinde() {
        check(
            "--: Author(age?)\n\n--! authors : Author\nSELECT name, age FROM author;\n\n--! by_id (id?) : (age?)\n--- Documented.\n\
             SELECT name, age::int FROM author\n WHERE id = :id AND name <> ':no' -- :no\n AND $$:no$$ <> name AND parent=:id\n \
             AND a[:low:2] <> :other;\n--! insert(name)\nINSERT INTO author VALUES (:name);--! last\nSELECT 1",
            expect![[r#"
                4 authors: SELECT name, age FROM author
                8 by_id: SELECT name, age::int FROM author
                 WHERE id = $1 AND name <> ':no' -- :no
                 AND $$:no$$ <> name AND parent=$1
                 AND a[$2:2] <> $3
                13 insert: INSERT INTO author VALUES ($1)
                14 last: SELECT 1"#]],
        );
    }

    #[test]
    fn sqlc() {
        check(
            "-- name: Get :one\nSELECT sqlc.embed(a), sqlc.embed(\"B\") FROM a JOIN \"B\" b USING (id) WHERE id = $1 LIMIT 1;\n\
             /* name: List :many */\nSELECT * FROM a WHERE x = sqlc.arg(low) AND y=@low AND z = sqlc.narg('high') AND t @> @tags\n \
             AND u = ANY(sqlc.slice ( 'ids' )::int[]) AND $2 <> @ -5 AND a[b:c] <@ d;\n\
             -- name: Add :exec\nWITH x AS (SELECT 1) INSERT INTO a VALUES (@a, sqlc.arg('b')::text);",
            expect![[r#"
                2 Get: SELECT a.*, "B".* FROM a JOIN "B" b USING (id) WHERE id = $1 LIMIT 1
                4 List: SELECT * FROM a WHERE x = $3 AND y=$3 AND z = $4 AND t @> $5
                 AND u = ANY($6::int[]) AND $2 <> @ -5 AND a[b:c] <@ d
                7 Add: WITH x AS (SELECT 1) INSERT INTO a VALUES ($1, $2::text)"#]],
        );
    }

    #[test]
    fn plain_statements() {
        check(
            "-- A comment; with a semicolon\nSELECT ';', a[1:n], :x::text;\nBEGIN;\n\nUPDATE t SET a = @b WHERE c = $1; COMMIT;\\d t\n;",
            expect![[r#"
                2 SELECT ';', a[1:n], $1::text
                5 UPDATE t SET a = @b WHERE c = $1"#]],
        );
        check("-- name: get-all\nSELECT * FROM t WHERE a = :a", expect!["2 get-all: SELECT * FROM t WHERE a = $1"]);
        check("", expect![""]);
        check(";;--! x", expect![""]);
    }

    #[test]
    fn what_has_no_end_is_left_out() {
        check(
            "SELECT 1;\nSELECT 'a;\nSELECT 2;",
            expect![[r#"
                1 SELECT 1
                q.sql: line 2: unterminated string"#]],
        );
        check(
            "SELECT 1 /* ;",
            expect![[r#"
            1 SELECT 1
            q.sql: line 1: unterminated block comment"#]],
        );
    }

    #[test]
    fn a_named_statement_needs_not_ask() {
        check(
            "--! f\nSET x = 1; SET y = 2;\n--! z\n--! g ()\nCREATE TEMP TABLE a ();",
            expect![[r#"
            2 f: SET x = 1
            5 g: CREATE TEMP TABLE a ()"#]],
        );
    }
}
