//! `verify` runs db/tests: rows before a migration, and what is asserted of them after it and after its rollback.

use expect_test::{Expect, expect};

use crate::support::{Project, answer};

/// Names are split in two, and joined again by the rollback.
fn project() -> Project {
    let project = Project::new();
    project
        .migration("001_people", "CREATE TABLE people (id int PRIMARY KEY, name text);", "DROP TABLE people;")
        .migration(
            "002_split",
            "ALTER TABLE people ADD COLUMN first text, ADD COLUMN last text;\n\
         UPDATE people SET first = split_part(name, ' ', 1), last = split_part(name, ' ', 2);\n\
         ALTER TABLE people DROP COLUMN name;",
            "ALTER TABLE people ADD COLUMN name text;\n\
         UPDATE people SET name = first || ' ' || last;\n\
         ALTER TABLE people DROP COLUMN first, DROP COLUMN last;",
        );
    project
}

/// What `verify` says of the tests.
fn verdict(project: &Project) -> String {
    answer(&project.run(&["verify"]), "data tests")
}

#[track_caller]
fn check(project: &Project, expected: Expect) {
    expected.assert_eq(&verdict(project));
}

#[test]
fn a_test_goes_up_down_and_up_again_with_its_rows() {
    let project = project();
    check(
        &project,
        expect![[r#"
        ok      data tests: there are none
    "#]],
    );
    project
        .file(
            "tests/002_split.sql",
            "-- test:before\nINSERT INTO people VALUES (1, 'Ada Lovelace');\n\n\
             -- test:after\nSELECT id FROM people WHERE first IS NULL;\n\n\
             SELECT first, last FROM people;\n-- expect\n-- first | last\n-- Ada | Lovelace\n\n\
             INSERT INTO people VALUES (1);\n-- expect error 23505\n\n\
             -- test:rolled-back\nSELECT name FROM people;\n-- expect\n-- name\n-- Ada Lovelace\n",
        )
        .file("tests/001_nothing_to_begin_with.sql", "-- test:after\nSELECT * FROM people;\n");
    check(
        &project,
        expect![[r#"
        ok      data tests: 2 tests
    "#]],
    );
}

#[test]
fn a_failing_assertion_shows_its_place_and_the_rows() {
    let project = project();
    project.file(
        "tests/002_split.sql",
        "-- test:before\nINSERT INTO people VALUES (1, 'Ada Lovelace'), (2, 'Grace Brewster Hopper'), (3, NULL);\n\n\
             -- test:after\n-- no one is without a name\nSELECT id, first FROM people WHERE last IS NULL;\n\n\
             SELECT id, first, last FROM people ORDER BY id;\n-- expect\n\
             -- id | first | last\n-- 1 | Ada | Lovelace\n-- 2 | Grace | Hopper\n-- 3 | null | null\n\n\
             SELECT id FROM people WHERE id = 1;\n-- expect\n-- number\n-- 1\n\n\
             SELECT nmae FROM people;\n\
             INSERT INTO people VALUES (4);\n-- expect error 23505\n\n\
             -- test:rolled-back\nSELECT id, name FROM people WHERE name NOT LIKE '% % %' ORDER BY id;\n",
    );
    check(
        &project,
        expect![[r#"
            FAILED  data tests: 1 of 1 test failed
                        error: after 002_split: 1 row, and there must be none
                         --> db/tests/002_split.sql:6:1
                          |
                        6 | SELECT id, first FROM people WHERE last IS NULL;
                          | ^
                          |
                          = note: id | first
                                  3  | null
                        error: after 002_split: not the expected 3 rows
                         --> db/tests/002_split.sql:8:1
                          |
                        8 | SELECT id, first, last FROM people ORDER BY id;
                          | ^
                          |
                          = note:   id | first | last
                                    1  | Ada   | Lovelace
                                  - 2  | Grace | Hopper
                                  + 2  | Grace | Brewster
                                    3  | null  | null
                        error: after 002_split: not the expected columns
                          --> db/tests/002_split.sql:15:1
                           |
                        15 | SELECT id FROM people WHERE id = 1;
                           | ^
                           |
                           = note: - number
                                   + id
                        error: after 002_split: the statement fails
                          --> db/tests/002_split.sql:20:8
                           |
                        20 | SELECT nmae FROM people;
                           |        ^ column "nmae" does not exist [42703]
                        error: after 002_split: the statement succeeds, and must fail with 23505
                          --> db/tests/002_split.sql:21:1
                           |
                        21 | INSERT INTO people VALUES (4);
                           | ^
                        error: after the rollback of 002_split: 2 rows, and there must be none
                          --> db/tests/002_split.sql:25:1
                           |
                        25 | SELECT id, name FROM people WHERE name NOT LIKE '% % %' ORDER BY id;
                           | ^
                           |
                           = note: id | name
                                   1  | Ada Lovelace
                                   2  | Grace Brewster
        "#]],
    );
}

#[test]
fn many_rows_are_cut_and_counted() {
    let project = project();
    project.file("tests/002_many.sql", "-- test:before\nINSERT INTO people SELECT n, 'a' || n FROM generate_series(1, 30) n;\n\n-- test:after\nSELECT id, first FROM people ORDER BY id;\n");
    check(
        &project,
        expect![[r#"
            FAILED  data tests: 1 of 1 test failed
                        error: after 002_split: 30 rows, and there must be none
                         --> db/tests/002_many.sql:5:1
                          |
                        5 | SELECT id, first FROM people ORDER BY id;
                          | ^
                          |
                          = note: id | first
                                  1  | a1
                                  2  | a2
                                  3  | a3
                                  4  | a4
                                  5  | a5
                                  6  | a6
                                  7  | a7
                                  8  | a8
                                  9  | a9
                                  10 | a10
                                  11 | a11
                                  12 | a12
                                  13 | a13
                                  14 | a14
                                  15 | a15
                                  16 | a16
                                  17 | a17
                                  18 | a18
                                  19 | a19
                                  20 | a20
                                  ... 10 more
        "#]],
    );
}

#[test]
fn a_migration_that_fails_with_these_rows_fails_the_test() {
    let project = project();
    project
        .migration(
            "003_required",
            "ALTER TABLE people ALTER COLUMN last SET NOT NULL;",
            "ALTER TABLE people ALTER COLUMN last DROP NOT NULL;",
        )
        .migration(
            "004_optional",
            "ALTER TABLE people ALTER COLUMN last DROP NOT NULL;",
            "ALTER TABLE people ALTER COLUMN last SET NOT NULL;",
        )
        .file("tests/003_up.sql", "-- test:before\nINSERT INTO people VALUES (1);\n\n-- test:after\nSELECT 1;\n")
        .file(
            "tests/004_before.sql",
            "-- test:before\nINSERT INTO people\n  VALUES (1, 'Ada');\n\n-- test:after\nSELECT 1;\n",
        )
        .file(
            "tests/004_down.sql",
            "-- test:before\nINSERT INTO people VALUES (1, 'a', 'b');\n\n-- test:after\n\
             INSERT INTO people VALUES (2);\nSELECT id FROM people;\n-- expect\n-- id\n-- 1\n-- 2\n\n\
             -- test:rolled-back\nSELECT id FROM people;\n-- expect\n-- id\n-- 1\n",
        );
    check(
        &project,
        expect![[r#"
        FAILED  data tests: 2 of 3 tests failed
                    db/tests/003_up.sql: with these rows, 003_required does not go up
                    error: migration 003_required failed and was rolled back
                     --> db/migrations/003_required.sql:2:1
                      |
                    2 | ALTER TABLE people ALTER COLUMN last SET NOT NULL;
                      | ^ column "last" of relation "people" contains null values [23502]
                      |
                      = note: applied before it in this run: none. Not run: none.
                      = help: existing rows violate it: correct the data, by hand or with an earlier statement, then run it again
                    error: before 004_optional: the statement fails
                     --> db/tests/004_before.sql:2:1
                      |
                    2 | INSERT INTO people
                      | ^ null value in column "last" of relation "people" violates not-null constraint [23502]
                      |
                      = note: DETAIL: Failing row contains (1, Ada, null).
    "#]],
    );
}

#[test]
fn a_rollback_that_relies_on_repeatables_is_tested_with_them() {
    let project = project();
    project
        .file("repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT id FROM people;\n")
        .migration("003_x", "CREATE TABLE x (id int);", "DROP VIEW v;\nDROP TABLE x;")
        .file(
            "tests/003_x.sql",
            "-- test:before\nINSERT INTO people VALUES (7);\n\n-- test:after\nSELECT id FROM x;\n\n-- test:rolled-back\n\
             SELECT id FROM people;\n-- expect\n-- id\n-- 7\n",
        );
    check(
        &project,
        expect![[r#"
        ok      data tests: 1 test
    "#]],
    );
}
