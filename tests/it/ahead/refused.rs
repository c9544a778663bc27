//! What an older binary cannot roll back is refused, with the way out, and nothing has changed.

use expect_test::expect;

use super::releases;
use crate::support::{Project, fingerprint};

/// `down --to 2` of the older binary, which must leave everything as it is.
fn refused(older: &Project) -> String {
    let before = fingerprint(older);
    let said = older.run(&["down", "--to", "2", "--yes"]);
    assert!(!said.starts_with("exit 0"), "{said}");
    assert_eq!(fingerprint(older), before);
    said
}

#[test]
fn without_a_recorded_text() {
    let (older, _) = releases();
    older.query("UPDATE schema_migration_events SET down_block = NULL WHERE version = '041'");
    expect![[r#"
        exit 4
        --- stderr
        error: history and binary diverge: version 041 is newer than every version in this binary, and the history holds no down block of it
          = help: roll it back with the migrator of release 1.22.0
    "#]]
    .assert_eq(&refused(&older));
    let status = older.run(&["status"]);
    assert!(status.contains("041, 042 cannot be rolled back by this binary: version 041 is newer"), "{status}");
    // What is above it can.
    assert!(older.run(&["down", "--yes"]).contains("rolled back 042_by_mail"));
}

#[test]
fn without_a_down_block() {
    let newest = Project::new().release("1.22.0");
    newest.tables(2);
    let older = newest.release("1.21.0");
    newest
        .file("migrations/041_mail.sql", "-- migrate:up\nALTER TABLE t1 ADD mail text;\n-- migrate:down\n")
        .run(&["up"]);
    let said = refused(&older);
    assert!(said.contains("and it has no down block") && said.contains("write a new migration"), "{said}");
}

#[test]
fn a_text_of_another_form_or_of_another_content() {
    let (older, _) = releases();
    older.query("UPDATE schema_migration_events SET down_block = replace(down_block, '\"plain\"', '\"later\"') WHERE version = '041'");
    assert!(refused(&older).contains("has a form that this release does not read"));
    older.query("UPDATE schema_migrations SET checksum = repeat('0', 64) WHERE version = '042'");
    assert!(refused(&older).contains("in 2 places"));
}

#[test]
fn a_log_that_another_role_could_have_written() {
    let (older, _) = releases();
    older.query("DO $$ BEGIN CREATE ROLE scribbler; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$; GRANT INSERT ON schema_migration_events TO scribbler");
    let said = refused(&older);
    assert!(said.starts_with("exit 8\n") && said.contains("`scribbler` can write to it"), "{said}");
    let status = older.run(&["status"]);
    assert!(status.starts_with("exit 0\n") && status.contains("`scribbler` can write to the log"), "{status}");
}

#[test]
fn by_the_setting_that_refuses_such_databases() {
    let (older, _) = releases();
    older.file("migrator.toml", "[check]\nahead = \"refuse\"\n");
    assert!(refused(&older).contains("run the newer release's migrator"));
}

#[test]
fn what_depends_on_it_and_what_belongs_to_others() {
    let (older, newest) = releases();
    newest.file("repeatable/w.sql", "CREATE OR REPLACE VIEW w AS SELECT mail FROM t1;\n").run(&["up"]);
    assert!(older.run(&["down", "--yes"]).starts_with("exit 0\n"));
    expect![[r#"
        exit 3
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        041_mail is newer than this binary: rolling it back with the down block recorded at DATE TIME UTC by release 1.22.0
        error: rollback of migration 041_mail failed; the migration is still applied
         --> the recorded down block of 041_mail:1:1
          |
        1 | ALTER TABLE t1 DROP mail;
          | ^ cannot drop column mail of table t1 because other objects depend on it [2BP01]
          |
          = note: DETAIL: view w depends on column mail of table t1
          = note: HINT: Use DROP ... CASCADE to drop the dependent objects too.
          = note: rolled back before it in this run: none. Not run: none.
          = help: drop what depends on it, such as a view that a repeatable of the newer release has made, then run `down` again, or run it with the migrator of the newer release
    "#]]
    .assert_eq(&older.run(&["down", "--to", "2", "--yes"]));
    older.query("SELECT mail FROM w; DROP VIEW w");
    assert!(older.run(&["down", "--yes"]).starts_with("exit 0\n"));
}

#[test]
fn a_redo_of_what_it_does_not_have() {
    let (older, _) = releases();
    let before = fingerprint(&older);
    let said = older.run(&["redo", "--yes"]);
    assert!(said.starts_with("exit 8\n") && said.contains("cannot redo 042_by_mail"), "{said}");
    assert_eq!(fingerprint(&older), before);
}

#[test]
fn a_newer_up_that_is_half_done() {
    let (older, newest) = releases();
    newest.file(
        "migrations/043_steps.sql",
        "-- migrate:up transaction:false\nCREATE TABLE a (id int);\nSELECT 1 / 0;\n-- migrate:down\nDROP TABLE a;\n",
    );
    assert!(newest.run(&["up"]).starts_with("exit 3\n"));
    let said = refused(&older);
    assert!(said.contains("version 043: its `up` is half-done, and this binary does not have it"), "{said}");
    assert!(said.contains("finish it with the migrator of the release that has it"), "{said}");
}

#[test]
fn a_statement_in_doubt_is_resolved_by_the_older_binary() {
    let (older, newest) = releases();
    newest.file(
        "migrations/043_code.sql",
        "-- migrate:up transaction:false\nCREATE TABLE a (id int);\n\
         -- migrate:down transaction:false\nDO $$ BEGIN PERFORM 1 / (SELECT count(*) FROM t2); END $$;\nDROP TABLE a;\n",
    );
    newest.run(&["up"]);
    let said = older.run(&["down", "--yes"]);
    assert!(said.starts_with("exit 7\n") && said.contains("migrator resolve 043 --statement 1"), "{said}");
    assert!(older.run(&["down", "--yes"]).starts_with("exit 7\n"));
    let resolved = older.run(&["resolve", "43", "--statement", "1", "--applied"]);
    assert!(resolved.starts_with("exit 0\n"), "{resolved}");
    let done = older.run(&["down", "--yes"]);
    assert!(done.starts_with("exit 0\n") && done.contains("rolled back 043_code"), "{done}");
}
