//! When nothing is squashed, and why.

use std::fs;

use expect_test::expect;

use super::shop::Shop;
use crate::workspace::files;

#[test]
fn data_is_listed_and_nothing_is_written_without_a_word() {
    let shop = Shop::of_thirty("squash-data");
    let before = files(&shop.0.path("db"));
    expect![[r#"
        exit 1
        --- stdout
        db/migrations/010_rows.sql:2: `INSERT INTO t1 (`
        db/migrations/020_rows.sql:2: `INSERT INTO t11 (`
        --- stderr
        error: 2 statements of the squashed migrations may write data, and a baseline holds none; nothing was written
          `public.t1` holds 1 row after them
          `public.t11` holds 1 row after them
        help: put what new databases need into db/seeds, then pass `--drop-data`; databases that are there keep their rows
    "#]].assert_eq(&shop.run("squash --to 020"));
    assert!(files(&shop.0.path("db")) == before, "a refused squash leaves every file alone");
    // Up to here nothing is written into a table.
    assert!(shop.run("squash --to 009").starts_with("exit 0"));
}

#[test]
fn rows_that_no_statement_shows_are_found_in_the_tables() {
    let migration = |up: &str| format!("-- migrate:up\n{up}\n\n-- migrate:down\n");
    let shop = Shop::new(
        "squash-rows",
        &[
            (
                "migrations/001_trigger.sql".into(),
                migration(
                    "CREATE TABLE log (at timestamptz);\n\
                     CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO log VALUES (now()); END$$;\n\
                     CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION note();",
                ),
            ),
            ("migrations/002_t.sql".into(), migration("CREATE TABLE t (id int);")),
        ],
    );
    expect![[r#"
        exit 1
        --- stderr
        error: the squashed migrations leave rows, and a baseline holds none; nothing was written
          `public.log` holds 1 row after them
        help: put what new databases need into db/seeds, then pass `--drop-data`; databases that are there keep their rows
    "#]].assert_eq(&shop.run("squash --to 002"));
}

#[test]
fn git_must_know_what_is_moved_and_what_production_has() {
    let shop = Shop::of_thirty("squash-git");
    shop.git("checkout --quiet -b feature");
    shop.0.write("db/migrations/031_new.sql", "-- migrate:up\nSELECT 1;\n\n-- migrate:down\n");
    expect![[r#"
        exit 1
        --- stderr
        error: db has changes that are not committed:
          ?? db/migrations/031_new.sql
        help: commit them first: a squash moves files, and git has to be able to bring them back
    "#]]
    .assert_eq(&shop.run("squash --to 020 --drop-data"));
    shop.commit();
    expect![[r#"
        exit 1
        --- stderr
        error: 031_new is not in `main`, so no database needs it squashed
        help: squash up to a version that is there, or merge first
    "#]]
    .assert_eq(&shop.run("squash --to 031 --drop-data"));
    expect![[r#"
        exit 2
        --- stderr
        error: there is no migration 99 in db/migrations
    "#]]
    .assert_eq(&shop.run("squash --to 99"));
    expect![[r#"
        exit 2
        --- stderr
        error: there is nothing to squash: 001_table is the first migration of a new database
        help: name a later version
    "#]]
    .assert_eq(&shop.run("squash --to 1"));
    fs::remove_dir_all(shop.0.path(".git")).unwrap();
    let mut xtask = shop.0.program(env!("CARGO_BIN_EXE_xtask"));
    expect![[r#"
        exit 1
        --- stderr
        error: only git knows which migrations have been released: this is not a git repository
        help: a squash needs the workspace in git, and there the branch that production is at
    "#]]
    .assert_eq(&shop.0.run(xtask.args(["squash", "--to", "20"])));
}

#[test]
fn what_a_baseline_cannot_hold_is_named() {
    let migration = |up: &str| format!("-- migrate:up\n{up}\n\n-- migrate:down\n");
    let setting = "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''7MB''', current_database()); END$$;";
    let shop = Shop::new(
        "squash-setting",
        &[
            ("migrations/001_t.sql".into(), migration("CREATE TABLE t (id int);")),
            ("migrations/002_setting.sql".into(), migration(setting)),
        ],
    );
    expect![[r#"
        exit 1
        --- stderr
        error: the baseline and the migrations after it do not make the same schema as all migrations; nothing was written:
          database
            removed  setting work_mem
                     - 7MB
          1 object differs: 0 added, 1 removed, 0 changed
        help: move what a baseline cannot hold to a repeatable, or to a new migration that changes nothing where it exists already
    "#]].assert_eq(&shop.run("squash --to 002 --drop-data"));
    // The way out: what follows the baseline does it again.
    shop.0.write("db/migrations/003_again.sql", migration(setting));
    shop.commit();
    shop.squash("--to 002 --drop-data");
}
