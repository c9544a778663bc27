//! `verify` walks production's road: from where the base branch is, with its repeatables in place, up, down and up again.

use expect_test::{Expect, expect};

use crate::support::Project;

const VIEW: &str = "CREATE OR REPLACE VIEW v AS SELECT a FROM t;\n";

/// A table in the first migration, and a view over it.
fn project() -> Project {
    let project = Project::new();
    project
        .migration("001_t", "CREATE TABLE t (a int, b text);", "DROP TABLE t CASCADE;")
        .file("repeatable/v.sql", VIEW);
    project
}

/// The verdict on the next release, and what belongs to it.
fn verdict(project: &Project, base: Option<&str>) -> String {
    let file = project.db().with_file_name("base.json");
    std::fs::write(&file, base.unwrap_or_default()).unwrap();
    let arguments = ["verify", "--base", file.to_str().unwrap()];
    let output = project.run(if base.is_some() { &arguments } else { &arguments[..1] });
    let behind = output.lines().skip_while(|line| !line.contains(" next release: "));
    let mut lines: Vec<&str> = behind.collect();
    let end = lines.iter().skip(1).position(|line| !line.starts_with(' ')).map_or(lines.len(), |end| end + 1);
    lines.truncate(end);
    assert!(!lines.is_empty(), "{output}");
    lines.iter().map(|line| line.replace(" (N ms)", "") + "\n").collect()
}

#[track_caller]
fn check(project: &Project, base: Option<&str>, expected: Expect) {
    // Before release 16, PostgreSQL writes the table with every column of a view.
    expected.assert_eq(&verdict(project, base).replace("SELECT t.b", "SELECT b"));
}

/// What `cargo xtask verify` says of a base branch.
fn base(versions: &[&str], repeatables: &[(&str, &str)]) -> String {
    let repeatables: Vec<_> =
        repeatables.iter().map(|(name, text)| serde_json::json!({ "name": name, "text": text })).collect();
    serde_json::json!({ "name": "origin/main", "versions": versions, "repeatables": repeatables }).to_string()
}

#[test]
fn the_way_back_is_walked_with_the_repeatables_in_place() {
    let project = project();
    project
        .migration("002_c", "ALTER TABLE t ADD COLUMN c int;", "ALTER TABLE t DROP COLUMN c;")
        .file("repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT a, c FROM t;\n");
    check(
        &project,
        None,
        expect![[r#"
            FAILED  next release: 002_c on all but the newest: the rollback fails with 1 repeatable in place
                        error: rollback of migration 002_c failed; the migration is still applied
                         --> db/migrations/002_c.sql:5:1
                          |
                        5 | ALTER TABLE t DROP COLUMN c;
                          | ^ cannot drop column c of table t because other objects depend on it [2BP01]
                          |
                          = note: DETAIL: view v depends on column c of table t
                          = note: HINT: Use DROP ... CASCADE to drop the dependent objects too.
                          = note: rolled back before it in this run: none. Not run: none.
                          = help: correct the down block (it may always be edited), build, and run `down` again
        "#]],
    );
    // It relies on what is in place in production, and so does the round trip.
    project.migration("002_c", "ALTER TABLE t ADD COLUMN c int;", "DROP VIEW v;\nALTER TABLE t DROP COLUMN c;");
    let output = project.run(&["verify"]);
    assert!(output.starts_with("exit 0") && output.contains("2 of 2 rollbacks restore the schema exactly"), "{output}");
    project.migration("003_d", "CREATE TABLE d ();", "DROP TABLE d;");
    let output = project.run(&["verify"]);
    assert!(output.starts_with("exit 0") && output.contains("3 of 3 rollbacks restore the schema exactly"), "{output}");
    project.remove("migrations/003_d.sql");
    check(
        &project,
        Some(&base(&["001"], &[("v", VIEW)])),
        expect![[r#"
            ok      next release: 002_c on `origin/main`, up, down and up again with 1 repeatable in place
        "#]],
    );
}

#[test]
fn the_way_up_begins_with_the_repeatables_of_the_release_before() {
    let project = project();
    project.migration("002_type", "ALTER TABLE t ALTER COLUMN a TYPE bigint;", "");
    check(
        &project,
        None,
        expect![[r#"
            FAILED  next release: 002_type on all but the newest: the up block fails
                        error: migration 002_type failed and was rolled back
                         --> db/migrations/002_type.sql:2:1
                          |
                        2 | ALTER TABLE t ALTER COLUMN a TYPE bigint;
                          | ^ cannot alter type of a column used by a view or rule [0A000]
                          |
                          = note: DETAIL: rule _RETURN on view v depends on column "a"
                          = note: applied before it in this run: none. Not run: v.
                          = help: drop the view before that statement and recreate it afterwards; the run itself recreates a view under db/repeatable
        "#]],
    );
    // The view is new too: it is not in the way.
    let without = base(&["001"], &[]);
    assert!(verdict(&project, Some(&without)).starts_with("ok "), "{}", verdict(&project, Some(&without)));
}

#[test]
fn a_changed_repeatable_must_be_able_to_replace_its_old_self() {
    let project = project();
    let before = base(&["001"], &[("v", "CREATE OR REPLACE VIEW v AS SELECT a, b FROM t;\n")]);
    check(
        &project,
        Some(&before),
        expect![[r#"
            FAILED  next release: nothing new on `origin/main`: the up block fails
                        error: repeatable v failed and was rolled back
                         --> db/repeatable/v.sql:1:1
                          |
                        1 | CREATE OR REPLACE VIEW v AS SELECT a FROM t;
                          | ^ cannot drop columns from view [42P16]
                          |
                          = note: applied before it in this run: none. Not run: none.
                          = help: correct the file, build, and run `up` again
        "#]],
    );
}

#[test]
fn what_is_there_in_production_must_be_what_is_there_from_zero() {
    let project = project();
    let before = base(&["001"], &[("v", VIEW), ("old", "CREATE OR REPLACE VIEW old AS SELECT b FROM t;\n")]);
    check(
        &project,
        Some(&before),
        expect![[r#"
            FAILED  next release: nothing new on `origin/main`: the schema differs from the one built from zero (-)
                        + public.old column b #1 text
                        + public.old owner postgres
                        + public.old view AS  SELECT b\n   FROM public.t;
        "#]],
    );
}

#[test]
fn a_repeatable_that_a_migration_drops_is_found_missing_exactly_where_production_misses_it() {
    let project = project();
    project.run(&["up"]);
    project.migration("002_swap", "DROP VIEW IF EXISTS v;\nALTER TABLE t ADD COLUMN c int;", "");
    project.run(&["up"]);
    let is_there = project.query("SELECT to_regclass('v') IS NOT NULL") == "t\n";
    for base in [None, Some(base(&["001"], &[("v", VIEW)]))] {
        let verdict = verdict(&project, base.as_deref());
        assert_eq!(verdict.starts_with("ok "), is_there, "{verdict}");
    }
}

#[test]
fn several_new_migrations_are_rolled_back_in_one_run_as_far_as_there_is_a_way_back() {
    let project = project();
    project
        .migration("002_one", "CREATE TABLE one ();", "DROP TABLE one;")
        .migration("003_final", "CREATE TABLE final ();", "")
        .migration("004_two", "CREATE TABLE two ();", "DROP TABLE two;")
        .file(
            "migrations/005_index.sql",
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY t_a ON t (a);\n\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY t_a;\n",
        );
    let before = base(&["001"], &[("v", VIEW)]);
    check(
        &project,
        Some(&before),
        expect![[r#"
            ok      next release: 4 migrations on `origin/main`, up, down and up again with 1 repeatable in place
                        not rolled back: 003_final has no down block
        "#]],
    );
    project.migration("004_two", "CREATE TABLE two ();", "SELECT 1;");
    let failed = verdict(&project, Some(&before));
    assert!(failed.contains("after the rollback it does not go up again") && failed.contains("[42P07]"), "{failed}");
    project.migration("006_last", "DROP TABLE two;", "");
    check(
        &project,
        Some(&before),
        expect![[r#"
            ok      next release: 5 migrations on `origin/main`, up
                        not rolled back: 006_last has no down block
        "#]],
    );
}

#[test]
fn without_anything_new_the_newest_migration_is_rolled_back() {
    let project = project();
    project
        .migration("002_c", "ALTER TABLE t ADD COLUMN c int;", "ALTER TABLE t DROP COLUMN c;")
        .file("repeatable/w.sql", "CREATE OR REPLACE VIEW w AS SELECT c FROM t;\n");
    let before = base(&["001", "002"], &[("v", VIEW), ("w", "CREATE OR REPLACE VIEW w AS SELECT c FROM t;\n")]);
    let failed = verdict(&project, Some(&before));
    assert!(
        failed.contains("nothing new on `origin/main`: the rollback fails") && failed.contains("[2BP01]"),
        "{failed}"
    );
}

#[test]
fn a_base_that_does_not_fit_is_said() {
    let project = project();
    check(
        &project,
        Some(&base(&["001", "002"], &[])),
        expect![[r#"
            FAILED  next release: `origin/main` has 002, which is not in the db directory: `up` refuses a database that has it
        "#]],
    );
    let broken = base(&["001"], &[("v", VIEW), ("w", "CREATE VIEW w AS SELECT nothing;\n")]);
    check(
        &project,
        Some(&broken),
        expect![[r#"
            mild    next release: nothing new on `origin/main`, up, down and up again with 1 repeatable in place
                        without the repeatable w of `origin/main`, which fails there:
                        error: repeatable w failed and was rolled back
                         --> db/repeatable/w.sql:1:25
                          |
                        1 | CREATE VIEW w AS SELECT nothing;
                          |                         ^ column "nothing" does not exist [42703]
                          |
                          = note: applied before it in this run: none. Not run: none.
                          = help: correct the file, build, and run `up` again
        "#]],
    );
    check(
        &project,
        Some(r#""this is not a git repository""#),
        expect![[r#"
            ok      next release: 001_t on all but the newest, up, down and up again with 1 repeatable in place
                        without a base branch: this is not a git repository
        "#]],
    );
}
