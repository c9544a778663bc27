use expect_test::{Expect, expect};

use super::*;
use crate::read::names;
use crate::testing::lines;

/// The blocks as they are read, and what is wrong with the file.
#[track_caller]
fn check(text: &str, expect: Expect) {
    let file = "db/tests/001_x.sql";
    let mut problems = Vec::new();
    let test = read(&names::migration(file, "001_x.sql").unwrap(), Source::new(file, text), &mut problems);
    let mut shown = String::new();
    for block in &test.blocks {
        shown.push_str(&format!("{}\n", block.moment.word()));
        for statement in &block.statements {
            shown.push_str(&format!("  {}\n", &test.text[statement.range.clone()]));
            match &statement.expected {
                None => {}
                Some(Expected::Error(state)) => shown.push_str(&format!("    error {state}\n")),
                Some(Expected::Rows { columns, rows }) => {
                    shown.push_str(&format!("    {columns:?}\n"));
                    rows.iter().for_each(|row| shown.push_str(&format!("    {row:?}\n")));
                }
            }
        }
    }
    expect.assert_eq(&(shown + &lines(&problems)));
}

#[test]
fn reads_blocks_statements_and_expectations() {
    check(
        "-- Why: no one is lost\n\n-- test:before\nINSERT INTO t VALUES (1);\n\n-- test:after\nSELECT a FROM t WHERE a > 1;\n\
         SELECT a, b FROM t;\n-- expect\n--  a |   b\n-- ---+-----\n--  1 | null\n-- '' | 'it''s | so'\n-- (2 rows)\n\n-- a comment\n\
         INSERT INTO t VALUES (1);\n-- expect error 23505\n\n-- test:rolled-back\nSELECT a FROM t\n  -- expect\n  -- a\n",
        expect![[r#"
            before
              INSERT INTO t VALUES (1)
            after
              SELECT a FROM t WHERE a > 1
              SELECT a, b FROM t
                ["a", "b"]
                [Some("1"), None]
                [Some(""), Some("it's | so")]
              INSERT INTO t VALUES (1)
                error 23505
            rolled-back
              SELECT a FROM t
                ["a"]
        "#]],
    );
}

#[test]
fn refuses_what_would_test_nothing() {
    check(
        "",
        expect![[r#"
            db/tests/001_x.sql:1:1: this test asserts nothing [M046]; help: add `-- test:after`, and under it queries that return no row when all is well"#]],
    );
    check(
        "SELECT 1;\n-- test:after\nSELECT 2;",
        expect![[r#"
        after
          SELECT 2
        db/tests/001_x.sql:1:1: SQL before the first marker [M046]; help: begin with `-- test:before` or `-- test:after`"#]],
    );
    check(
        "-- test:before\nSELECT 1;\n-- expect\n-- a\n-- 1",
        expect![[r#"
        before
          SELECT 1
        db/tests/001_x.sql:1:1: this test asserts nothing [M046]; help: add `-- test:after`, and under it queries that return no row when all is well
        db/tests/001_x.sql:3:1: `-- expect` in `-- test:before` [M046]; help: remove it: only what follows the migration is asserted"#]],
    );
    check(
        "-- test:after\n-- test:after\nSELECT 1; -- test:rolled-back\n",
        expect![[r#"
        after
        after
          SELECT 1
        rolled-back
        db/tests/001_x.sql:2:1: a second `-- test:after` [M046]; help: join the blocks, or write a second file for this version
        db/tests/001_x.sql:3:11: the marker `-- test:rolled-back` does not start its line [M046]; help: put it at the start of its own line
        db/tests/001_x.sql:1:1: there is no statement after `-- test:after` [M046]; help: add one, or remove the marker
        db/tests/001_x.sql:3:11: there is no statement after `-- test:rolled-back` [M046]; help: add one, or remove the marker"#]],
    );
    check(
        "-- test:after\n-- expect\n-- a\nSELECT 1;\n-- expect\nSELECT 2;\n",
        expect![[r#"
        after
          SELECT 1
          SELECT 2
        db/tests/001_x.sql:2:1: `-- expect` without a statement before it [M046]; help: put it below the query that it belongs to
        db/tests/001_x.sql:5:1: `-- expect` without the names of the columns [M046]; help: write them in the next line, `-- name | name`, and the rows below; a query that must return no row needs no `-- expect`"#]],
    );
    check(
        "-- test:after\nSELECT 1;\n-- expect\n-- a | b\n-- 1\n-- 1 | 'x\n\n-- expect\n-- a\n",
        expect![[r#"
        after
          SELECT 1
            ["a", "b"]
        db/tests/001_x.sql:6:1: unterminated quote [M046]; help: close it; a quote inside a quoted value is written twice
        db/tests/001_x.sql:5:1: 1 value under 2 columns [M046]; help: put `|` between the values; quote a value that contains it: `'a|b'`
        db/tests/001_x.sql:8:1: a second `-- expect` for one statement [M046]; help: write all rows in one table, without an empty line"#]],
    );
    check(
        "-- test:after\nSELECT 1;\n-- expect 1 row\n-- Expect\n-- expect error\n-- expectations are low\n",
        expect![[r#"
            after
              SELECT 1
            db/tests/001_x.sql:3:1: `-- expect 1 row` is not an expectation [M046]; help: write `-- expect` alone, with the rows in the lines after it, or `-- expect error <SQLSTATE>`
            db/tests/001_x.sql:4:1: `-- Expect` is not an expectation [M046]; help: write `-- expect` alone, with the rows in the lines after it, or `-- expect error <SQLSTATE>`
            db/tests/001_x.sql:5:1: `-- expect error` is not an expectation [M046]; help: write `-- expect` alone, with the rows in the lines after it, or `-- expect error <SQLSTATE>`"#]],
    );
}

#[test]
fn recognises_misspelled_markers() {
    check(
        "-- test:after\nSELECT 1;\n-- Test:After\n-- test: after\n-- test:rolledback\n-- test:behind\n-- test :before now\n",
        expect![[r#"
            after
              SELECT 1
            db/tests/001_x.sql:3:1: `-- Test:After` is not a marker [M046]; help: write `-- test:after`, alone in its line
            db/tests/001_x.sql:4:1: `-- test: after` is not a marker [M046]; help: write `-- test:after`, alone in its line
            db/tests/001_x.sql:5:1: `-- test:rolledback` is not a marker [M046]; help: write `-- test:rolled-back`, alone in its line
            db/tests/001_x.sql:6:1: `-- test:behind` is not a marker [M046]; help: the markers are `-- test:before`, `-- test:after` and `-- test:rolled-back`
            db/tests/001_x.sql:7:1: `-- test :before now` is not a marker [M046]; help: write `-- test:before`, alone in its line"#]],
    );
    check(
        "-- test:after\nSELECT 1;\n-- test: it works\n-- tests follow\n-- testing:after\n",
        expect![[r#"
        after
          SELECT 1
    "#]],
    );
}

#[test]
fn is_checked_like_other_sql() {
    check(
        "-- test:after\nSELEC 1;\nBEGIN;\n-- migrate:up\n\\d t\n",
        expect![[r#"
        after
          SELEC 1
          BEGIN
          \d t
        db/tests/001_x.sql:4:1: marker outside `migrations/` [M016]; help: remove it, or move the file to `migrations/` and give it a version
        db/tests/001_x.sql:2:1: no statement begins with `SELEC 1` [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block
        db/tests/001_x.sql:5:1: `\d` is a psql command, not SQL [M022]; help: write it as SQL, or remove it: the server does not know psql commands
        db/tests/001_x.sql:3:1: `BEGIN` inside a transaction that the migrator controls [M030]; help: remove it: the file runs as one transaction"#]],
    );
    check(
        "-- test:after\n-- migrate:unchecked newer than the parser\nSELEC 1;\n",
        expect![[r#"
        after
          SELEC 1
    "#]],
    );
}
