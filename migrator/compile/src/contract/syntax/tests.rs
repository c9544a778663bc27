use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::testing::{found, lines};

fn errors(text: &str) -> Vec<Problem> {
    parse::with_deep_stack(|| found(RULE, "db/seeds/x.sql", text))
}

#[track_caller]
fn check_text(text: &str, expect: Expect) {
    expect.assert_eq(&lines(&errors(text)));
}

#[test]
fn accepts_what_the_server_accepts() {
    check_text(
        "CREATE TABLE t (a int); SELECT 1; INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING;\n\
         CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$BEGIN RETURN 1; END$$; ALTER TABLE t ADD b text",
        expect![""],
    );
}

#[test]
fn takes_a_continued_escape_string_as_the_server_does() {
    check_text("SELECT E'a'\n'b\\'é'\n'\\\\', 1; SELECT E'\\'', 'c'", expect![""]);
    // What comes after it keeps its position.
    check_text(
        "SELECT E'a'\n'b\\'é' FORM x y",
        expect![[r#"
                db/seeds/x.sql:2:13: missing comma [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block"#]],
    );
}

#[test]
fn reports_the_first_mistake_of_a_statement() {
    check_text(
        "SELECT 1;\nCREATE TABEL t (a int);\nSELECT 2",
        expect![[r#"
                db/seeds/x.sql:2:1: no statement begins with `CREATE TABEL` [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block"#]],
    );
    check_text(
        "CREATE TABLE t (a int,, b int",
        expect![[r#"
                db/seeds/x.sql:1:23: unexpected comma [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block"#]],
    );
}

#[test]
fn names_the_variables_of_psql() {
    check_text(
        "SELECT :'name';\nSELECT 1 WHERE 1 = :limit;\nCREATE SCHEMA :\"s\"",
        expect![[r#"
            db/seeds/x.sql:1:8: `:'name'` is a psql variable, which the server does not know [M020]; help: write the value itself, or read it from a setting: `current_setting('app.name')`
            db/seeds/x.sql:2:20: `:limit` is a psql variable, which the server does not know [M020]; help: write the value itself, or read it from a setting: `current_setting('app.name')`
            db/seeds/x.sql:3:15: `:"s"` is a psql variable, which the server does not know [M020]; help: write the value itself, or read it from a setting: `current_setting('app.name')`"#]],
    );
    check_text("SELECT a[1:2], '1'::int, (ARRAY[1])[:1]", expect![""]);
}

#[test]
fn reports_three_statements_at_most() {
    check_text(
        "SELEC 1;\nSELEC 2;\nSELECT 3;\nSELEC 4;\nSELEC 5;",
        expect![[r#"
            db/seeds/x.sql:1:1: no statement begins with `SELEC 1` [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block
            db/seeds/x.sql:2:1: no statement begins with `SELEC 2` [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block
            db/seeds/x.sql:4:1: no statement begins with `SELEC 4` [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block"#]],
    );
}

#[test]
fn depth_that_could_exhaust_the_stack_is_reported() {
    let nested = format!("SELECT {}1", "(".repeat(100_000));
    assert_eq!(
        errors(&nested)[0].to_string(),
        "db/seeds/x.sql:1:1: the statement is nested too deeply for the parser [M020]; help: fix it; if the \
         parser is wrong, add `-- migrate:unchecked <reason>` to the block"
    );
    for chain in ["+1", " AND a", " || 'a'", " UNION SELECT 1", "::int", ".a", "[1]"] {
        errors(&format!("SELECT a{}", chain.repeat(1_000)));
        assert_eq!(errors(&format!("SELECT a{}", chain.repeat(50_000))).len(), 1, "{chain}");
    }
    let row = format!("({}1{})", "(".repeat(parse::GROUP_BYTES), ")".repeat(parse::GROUP_BYTES));
    assert_eq!(errors(&format!("INSERT INTO t VALUES {row}, {row}")).len(), 1);
    for text in ["NOT ", "- ", "CASE ", "[", "EXPLAIN ", ")", "CREATE FUNCTION f() BEGIN ATOMIC "] {
        assert_eq!(errors(&text.repeat(50_000)).len(), 1, "{text}");
    }
}

#[test]
fn what_the_server_can_nest_is_taken() {
    for (before, inside, after) in [
        ("(", "1", ")"),
        ("abs((", "1", "))"),
        ("(SELECT ", "1", ")"),
        ("CASE WHEN true THEN ", "1", " END"),
        ("- ", "1", ""),
        ("NOT ", "true", ""),
        ("coalesce(a, CASE WHEN b THEN ", "1", " END)"),
    ] {
        for depth in [60, 101, 199, 300] {
            let nested = format!("SELECT {}{inside}{}", before.repeat(depth), after.repeat(depth));
            assert_eq!(errors(&nested), [], "{depth} times {before}");
        }
    }
    assert_eq!(errors(&format!("SELECT {}", "atomic, ".repeat(2_000) + "1")), []);
}

#[test]
fn a_statement_like_one_that_was_right_is_right() {
    let text = "INSERT INTO t VALUES (1, 'a');\nSELECT 1;\n".repeat(50);
    check_text(&text, expect![""]);
    // A statement that differs in more than its values is parsed, and every mistake is reported.
    let wrong = "INSERT INTO t VALUES (1, 'a');\nINSERT INTO t VALUES (2, );\n".repeat(3);
    let lines: Vec<usize> = errors(&wrong).iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 4, 6]);
}

#[test]
fn what_is_wrong_in_one_of_many_rows_is_found() {
    let rows = "(1, 'a'),\n".repeat(parse::GROUP_BYTES / 5);
    check_text(&format!("INSERT INTO t VALUES\n{rows}(2, 'b')"), expect![""]);
    let lines = |text: &str| errors(text).iter().map(|problem| problem.line).collect::<Vec<_>>();
    assert_eq!(lines(&format!("INSERT INTO t VALUES\n{rows}(2, )")), [2 + parse::GROUP_BYTES / 5]);
    assert_eq!(lines(&format!("INSERT INTO t VALUES\n{rows}(2, 'b') ON CONFLCT\n")), [2 + parse::GROUP_BYTES / 5]);
    assert_eq!(lines(&format!("INSERT INTO t VALUE\n{rows}(2, 'b')")).len(), 1);
}

#[test]
fn a_group_ends_between_two_statements() {
    let text = "INSERT INTO t VALUES (1);\n".repeat(parse::GROUP_BYTES / 10) + "SELEC 1";
    assert_eq!(errors(&text).len(), 1);
}

proptest! {
    #[test]
    fn takes_any_text(text in r#"(select |create |table |case |end |[a-c0-9;,()'"$\\=*+. \n-]|--|/\*){0,60}"#) {
        errors(&text);
    }
}
