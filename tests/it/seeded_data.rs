//! `verify` applies new migrations to seeded databases, and asks the checks.

use expect_test::{Expect, expect};

use crate::support::{Project, answer};

const TABLE: &str = "CREATE TABLE people (id int PRIMARY KEY, name text);";

/// The verdict on seeded data, and what belongs to it.
fn verdict(project: &Project, base: Option<&serde_json::Value>) -> String {
    let file = project.db().with_file_name("base.json");
    std::fs::write(&file, base.map(ToString::to_string).unwrap_or_default()).unwrap();
    let arguments = ["verify", "--base", file.to_str().unwrap()];
    answer(&project.run(if base.is_some() { &arguments } else { &arguments[..1] }), "seeded data")
}

#[track_caller]
fn check(project: &Project, base: Option<&serde_json::Value>, expected: Expect) {
    expected.assert_eq(&verdict(project, base));
}

#[test]
fn the_checks_hold_after_a_new_migration_on_seeded_rows() {
    let project = Project::new();
    project
        .migration("001_people", TABLE, "")
        .migration("002_upper", "UPDATE people SET name = upper(name);", "")
        .file("seeds/test.sql", "INSERT INTO people VALUES (1, 'Ada'), (2, 'Grace') ON CONFLICT DO NOTHING;\n")
        .file("checks/names.sql", "SELECT id, name FROM people WHERE name = upper(name) ORDER BY id;\nSELECT count(*) FROM people WHERE name IS NULL;\n");
    check(
        &project,
        None,
        expect![[r#"
            FAILED  seeded data: 1 migration on seeded databases; checked with 2 queries
                        after 002_upper the check names finds 2 rows
                        id | name
                        1  | ADA
                        2  | GRACE
        "#]],
    );
    project.migration("002_upper", "UPDATE people SET name = initcap(name);", "");
    check(
        &project,
        None,
        expect![[r#"
            ok      seeded data: 1 migration on seeded databases; checked with 2 queries
        "#]],
    );
    project.migration("002_upper", "ALTER TABLE people ADD CHECK (name <> 'Ada');", "");
    check(
        &project,
        None,
        expect![[r#"
            FAILED  seeded data: 0 migrations on seeded databases; checked with 2 queries
                        with the seeds in place, 002_upper does not go up
                        error: migration 002_upper failed and was rolled back
                         --> db/migrations/002_upper.sql:2:1
                          |
                        2 | ALTER TABLE people ADD CHECK (name <> 'Ada');
                          | ^ check constraint "people_name_check" of relation "people" is violated by some row [23514]
                          |
                          = note: applied before it in this run: none. Not run: none.
                          = help: existing rows violate it: correct the data, by hand or with an earlier statement, then run it again
        "#]],
    );
    project.migration("002_upper", "SELECT 1;", "").file("checks/names.sql", "SELECT id FROM people;\n");
    check(
        &project,
        None,
        expect![[r#"
            mild    seeded data: 1 migration on seeded databases; checked with 1 query
                        the check names finds the seeds wrong already before 002_upper
        "#]],
    );
}

#[test]
fn a_seed_that_needs_what_is_new_is_taken_from_the_base_branch_or_skipped() {
    let project = Project::new();
    project
        .migration("001_people", TABLE, "")
        .migration("002_born", "ALTER TABLE people ADD COLUMN born date;", "")
        .migration("003_required", "ALTER TABLE people ALTER COLUMN born SET NOT NULL;", "")
        .file("seeds/test.sql", "INSERT INTO people VALUES (1, 'Ada', '1815-12-10') ON CONFLICT DO NOTHING;\n");
    let mut base = serde_json::json!({ "name": "origin/main", "versions": ["001"] });
    check(
        &project,
        Some(&base),
        expect![[r#"
            ok      seeded data: 1 migration on seeded databases; there are no checks; seeds that do not fit: test before 002_born
        "#]],
    );
    base["seeds"] = serde_json::json!([{ "name": "test", "text": "INSERT INTO people VALUES (1, 'Ada') ON CONFLICT DO NOTHING;\n" }]);
    check(
        &project,
        Some(&base),
        expect![[r#"
            FAILED  seeded data: 1 migration on seeded databases; there are no checks
                        with the seeds in place, 003_required does not go up
                        error: migration 003_required failed and was rolled back
                         --> db/migrations/003_required.sql:2:1
                          |
                        2 | ALTER TABLE people ALTER COLUMN born SET NOT NULL;
                          | ^ column "born" of relation "people" contains null values [23502]
                          |
                          = note: applied before it in this run: none. Not run: none.
                          = help: existing rows violate it: correct the data, by hand or with an earlier statement, then run it again
        "#]],
    );
    base["versions"] = serde_json::json!(["001", "002", "003"]);
    check(
        &project,
        Some(&base),
        expect![[r#"
        ok      seeded data: nothing new
    "#]],
    );
}
