//! `verify --markdown`: the comment of a pull request.

use std::fs;

use expect_test::{ExpectFile, expect, expect_file};
use serde_json::json;

use crate::support::Project;

/// No host takes a longer comment.
const LIMIT: usize = 65_536;

/// Runs `verify` on a branch whose base has these versions and returns the comment, without what differs from run to run.
fn comment(project: &Project, versions: &[&str], repeatables: &[(&str, &str)], arguments: &[&str]) -> (String, String) {
    let repeatables: Vec<_> = repeatables.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect();
    let base = project.db().with_file_name("base.json");
    let value = json!({ "name": "origin/main", "versions": versions, "repeatables": repeatables });
    fs::write(&base, value.to_string()).unwrap();
    let file = project.db().with_file_name("comment.md");
    let line = ["verify", "--base", base.to_str().unwrap(), "--markdown", file.to_str().unwrap()];
    let output = project.run(&[&line[..], arguments].concat());
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{error}: {output}"));
    (output, text)
}

/// What a reader sees first: all but the folded list of checks and the line about the run.
fn body(comment: &str) -> &str {
    comment.rsplit_once("<details><summary>14 checks").or(comment.rsplit_once("<details><summary>13 checks")).unwrap().0
}

#[track_caller]
fn check(comment: &str, expected: ExpectFile) {
    expected.assert_eq(body(comment));
}

fn shop() -> Project {
    let project = Project::new();
    project
        .migration(
            "001_init",
            "CREATE SCHEMA shop;\nCREATE TABLE shop.orders (id bigint PRIMARY KEY, total int, status text);\nCREATE INDEX orders_status ON shop.orders (status);",
            "DROP SCHEMA shop CASCADE;",
        )
        .migration(
            "002_columns",
            "ALTER TABLE shop.orders ADD COLUMN a text, ADD COLUMN b text, ADD COLUMN c text;\nCREATE TABLE shop.notes (id bigint);",
            "DROP TABLE shop.notes;\nALTER TABLE shop.orders DROP COLUMN a, DROP COLUMN b, DROP COLUMN c;",
        )
        .migration("003_index", "DROP INDEX shop.orders_status;", "CREATE INDEX orders_status ON shop.orders (status);");
    project
}

#[test]
fn a_comment_says_what_is_new_in_its_first_line_and_all_of_it_below() {
    let (output, comment) = comment(&shop(), &["001"], &[], &[]);
    assert!(output.starts_with("exit 0\n"), "{output}");
    check(&comment, expect_file!["review/new.md"]);
}

#[test]
fn what_is_broken_and_what_a_repeatable_says_now_is_in_it() {
    let project = shop();
    project
        .migration("004_bad", "ALTER TABLE shop.orders ADD COLUMN d int;", "SELECT 1;")
        .file("repeatable/v.sql", "CREATE OR REPLACE VIEW shop.v AS SELECT id FROM shop.orders;\n");
    let before = [("v", "CREATE OR REPLACE VIEW shop.v AS SELECT 1 AS id;\n")];
    let (output, comment) = comment(&project, &["001", "002", "003"], &before, &[]);
    assert!(output.starts_with("exit 1\n"), "{output}");
    check(&comment, expect_file!["review/broken.md"]);
}

#[test]
fn nothing_in_the_files_is_markup_in_the_comment() {
    let project = Project::new();
    let hostile = "@team | <img src=x> #1 [a](https://b.example) www.c.example `d`";
    project.migration("001_init", "CREATE TABLE t (id int);", "DROP TABLE t;").migration(
        "002_new",
        &format!(
            "-- ````\n-- </details> @team\nDO $$ BEGIN RAISE NOTICE '{hostile}'; END $$;\n\
             CREATE TABLE \"{hostile}\" (\"{hostile}\" int);\nLOCK TABLE t;\n-- migrate:allow ban-drop-column {hostile}\nALTER TABLE t DROP COLUMN id;"
        ),
        &format!("DROP TABLE \"{hostile}\";\nDO $$ BEGIN RAISE EXCEPTION E'{hostile}\\n/close\\n```'; END $$;"),
    );
    let (output, comment) = comment(&project, &["001"], &[], &[]);
    assert!(output.starts_with("exit 1\n"), "{output}");
    let mut fence = None;
    for line in comment.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(open) if ticks >= open => fence = None,
            Some(_) => continue,
            None if ticks >= 3 => fence = Some(ticks),
            None => {}
        }
        for part in ["@team", "<img", " #1", "](", "://b", "www.c", " | ", "<!--"] {
            assert!(!line.contains(part), "{part} in {line}");
        }
        // A line that begins so is an order to GitLab.
        assert!(!line.starts_with('/'), "{line}");
    }
    assert_eq!(fence, None, "{comment}");
    assert!(comment.contains("<code>ban-drop-column &#64;team"), "{comment}");
}

#[test]
fn two_hundred_new_migrations_fit() {
    let project = Project::new();
    project.migration("001_init", "SELECT nothing;", "");
    for n in 2..=201 {
        let up = format!(
            "CREATE TABLE t{n} (id int);\n{}",
            "COMMENT ON TABLE t IS 'so that this file is long';\n".repeat(20)
        );
        project.migration(&format!("{n:03}_t{n}"), &up, &format!("DROP TABLE t{n};"));
    }
    let (output, comment) = comment(&project, &["001"], &[], &[]);
    assert!(output.starts_with("exit 1\n"), "{output}");
    assert!(comment.chars().count() < LIMIT - 512 && comment.contains("**Left out**, since"), "{}", comment.len());
    assert!(
        comment.starts_with("200 new migrations: what becomes of the schema is not known; who waits is not known;"),
        "{comment}"
    );
    assert!(comment.contains("<code>201_t201</code>"), "{comment}");
}

#[test]
fn the_comment_is_appended_to_the_summary_of_the_run() {
    let project = shop();
    let summary = project.db().with_file_name("summary.md");
    fs::write(&summary, "before\n").unwrap();
    let path = summary.to_str().unwrap();
    let output = project.run_with(&["verify"], &[("GITHUB_STEP_SUMMARY", path)]);
    assert!(output.starts_with("exit 0\n"), "{output}");
    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("before\n1 new migration: -1 index; 1 statement makes reads and writes wait"), "{text}");
    let nowhere = project.run_with(&["verify"], &[("GITHUB_STEP_SUMMARY", "/nowhere/summary.md")]);
    assert!(nowhere.starts_with("exit 0\n"), "{nowhere}");
    assert!(nowhere.contains("cannot append to the summary `/nowhere/summary.md`: No such file"), "{nowhere}");
}

#[test]
fn a_comment_that_cannot_be_written_is_refused_before_the_work() {
    expect![[r#"
        exit 9
        --- stderr
        error: cannot write the comment `/nowhere/comment.md`: No such file or directory (os error 2)
          = help: check that the directory exists and that you can write to it
    "#]]
    .assert_eq(&shop().run(&["verify", "--markdown", "/nowhere/comment.md"]));
}
