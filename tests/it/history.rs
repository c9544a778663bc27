//! Where history and binary do not fit together.

use expect_test::expect;

use crate::support::{Project, fingerprint};

#[test]
fn an_applied_file_may_be_reformatted_but_not_changed() {
    let project = Project::new();
    project.tables(2).run(&["up"]);
    project.migration("001_t1", "-- why\nCREATE  TABLE t1 (\n    id int\n);", "DROP TABLE IF EXISTS t1;");
    expect![[r#"
        exit 0
        --- stdout
        nothing to apply
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up"]));
    project.migration("001_t1", "CREATE TABLE t1 (id bigint);", "DROP TABLE t1;");
    let before = fingerprint(&project);
    expect![[r#"
        exit 4
        --- stderr
        error: history and binary diverge: `db/migrations/001_t1.sql`: version 001 was applied by release 1.0.0 with checksum CHECKSUM, but this binary has CHECKSUM
          = help: applied migrations are immutable: restore the file (`git log -p` shows the change) and put the change into a new migration
    "#]].assert_eq(&project.run(&["up"]));
    expect![[r#"
        exit 4
        --- stdout
        database DB at SERVER · release 1.0.0
        VERSION  NAME  STATE  APPLIED  BY  TIME
        001  t1  changed  DATE TIME UTC  postgres  N ms
        002  t2  applied  DATE TIME UTC  postgres  N ms
        1 changed. Next: `migrator plan` shows what is wrong and how to fix it.
    "#]]
    .assert_eq(&project.run(&["status", "--check"]));
    assert_eq!(fingerprint(&project), before);
}

#[test]
fn an_applied_version_that_the_binary_does_not_hold_is_named() {
    let project = Project::new();
    project.tables(3).run(&["up"]);
    project.remove("migrations/002_t2.sql");
    expect![[r#"
        exit 4
        --- stderr
        error: history and binary diverge: version 002 (t2) is applied, but missing from this binary, which has newer ones
          = help: the file was deleted, or applied from another branch: restore it, or roll it back with a binary that has it
    "#]].assert_eq(&project.run(&["up"]));
}

#[test]
fn a_late_file_is_refused_unless_it_is_allowed() {
    let project = Project::new();
    project.tables(3).remove("migrations/002_t2.sql").run(&["up"]);
    project.tables(3);
    expect![[r#"
        exit 4
        --- stderr
        error: history and binary diverge: `db/migrations/002_t2.sql`: version 002 is pending, but the newer 003 is applied
          = help: give it a version above 003, or, if its order does not matter, run `up --allow-out-of-order`
    "#]].assert_eq(&project.run(&["up"]));
    expect![[r#"
        exit 0
        --- stdout
        database DB at SERVER · release 1.0.0
        VERSION  NAME  STATE  APPLIED  BY  TIME
        001  t1  applied  DATE TIME UTC  postgres  N ms
        002      t2    out of order
        003  t3  applied  DATE TIME UTC  postgres  N ms
        1 out of order. Next: `migrator plan` shows what is wrong and how to fix it.
    "#]]
    .assert_eq(&project.run(&["status"]));
    expect![[r#"
        exit 0
        --- stdout
        applied 002_t2 (N ms)
        applied 1 migration in N ms; the database is at 003
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up", "--allow-out-of-order"]));
}

#[test]
fn all_divergences_are_named_at_once() {
    let project = Project::new();
    project.tables(4).remove("migrations/003_t3.sql").run(&["up"]);
    project.tables(4).remove("migrations/002_t2.sql").migration("001_t1", "CREATE TABLE t1 (id bigint);", "");
    expect![[r#"
        exit 4
        --- stderr
        error: history and binary diverge in 3 places
          = note: `db/migrations/001_t1.sql`: version 001 was applied by release 1.0.0 with checksum CHECKSUM, but this binary has CHECKSUM
          = note: version 002 (t2) is applied, but missing from this binary, which has newer ones
          = note: `db/migrations/003_t3.sql`: version 003 is pending, but the newer 004 is applied
          = help: applied migrations are immutable: restore the file (`git log -p` shows the change) and put the change into a new migration
          = help: the file was deleted, or applied from another branch: restore it, or roll it back with a binary that has it
          = help: give it a version above 004, or, if its order does not matter, run `up --allow-out-of-order`
    "#]].assert_eq(&project.run(&["up"]));
}

#[test]
fn a_version_that_is_written_otherwise_is_a_divergence() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    project.remove("migrations/001_t1.sql").migration("1_t1", "CREATE TABLE t1 (id int);", "DROP TABLE t1;");
    expect![[r#"
        exit 4
        --- stderr
        error: history and binary diverge: `db/migrations/1_t1.sql`: the history has version `001`, the file has `1`
          = help: rename the file so that its version is `001` again
    "#]]
    .assert_eq(&project.run(&["up"]));
}

#[test]
fn an_older_binary_warns_and_changes_nothing() {
    let newer = Project::new();
    newer.tables(2).file("repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;\n");
    let older = newer.release("0.9.0");
    newer.tables(3).file("repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT 2 AS one;\n").run(&["up"]);
    let before = fingerprint(&older);
    expect![[r#"
        exit 0
        --- stdout
        nothing to apply
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        warning: a newer release has migrated this database: it has 003, which this binary does not know; repeatables are skipped
    "#]].assert_eq(&older.run(&["up"]));
    expect![[r#"
        exit 0
        --- stdout
        database DB at SERVER · release 0.9.0
        VERSION  NAME  STATE  APPLIED  BY  TIME
        001  t1  applied  DATE TIME UTC  postgres  N ms
        002  t2  applied  DATE TIME UTC  postgres  N ms
        003  t3  ahead  DATE TIME UTC  postgres  N ms
        -  v  pending  repeatable, last applied DATE TIME UTC by WHO
        not in this binary: 003, recorded by postgres with release 1.0.0
        1 pending, 1 ahead. Next: nothing, because a newer release has migrated this database.
        003 can be rolled back with the recorded down blocks: `migrator down --to 002`
    "#]]
    .assert_eq(&older.run(&["status", "--check"]));
    assert_eq!(fingerprint(&older), before);
    older.file("migrator.toml", "[check]\nahead = \"refuse\"\n");
    expect![[r#"
        exit 4
        --- stderr
        error: history and binary diverge: version 003 is applied, but newer than every version in this binary
          = help: run the newer release's migrator, or set `ahead = "warn"` under [check] in db/migrator.toml
    "#]]
    .assert_eq(&older.run(&["up"]));
}

#[test]
fn a_table_that_dbmate_made_is_taken_over() {
    let project = Project::new();
    project.tables(2);
    project.query("CREATE TABLE schema_migrations (version varchar PRIMARY KEY); INSERT INTO schema_migrations VALUES ('001'); CREATE TABLE t1 (id int)");
    expect![[r#"
        exit 0
        --- stdout
        database DB at SERVER · release 1.0.0
        VERSION  NAME  STATE  APPLIED  BY  TIME
        001      t1    applied  elsewhere, unchecked
        002      t2    pending
        1 pending. Next: `migrator up` applies what is pending.
    "#]]
    .assert_eq(&project.run(&["status"]));
    expect![[r#"
        exit 0
        --- stdout
        applied 002_t2 (N ms)
        applied 1 migration in N ms; the database is at 002
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up"]));
    // dbmate inserts the version and nothing else.
    project.query("INSERT INTO schema_migrations (version) VALUES ('003')");
    project.tables(3);
    expect![[r#"
        exit 0
        --- stdout
        nothing to apply
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up"]));
}

#[test]
fn a_table_of_another_tool_is_refused() {
    let project = Project::new();
    project.tables(1).query("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)");
    expect![[r#"
        exit 4
        --- stderr
        error: the table `"public"."schema_migrations"` belongs to golang-migrate
          = help: set `table = "migrator_migrations"` under [history] in db/migrator.toml, build, and run `migrator adopt golang-migrate`
    "#]].assert_eq(&project.run(&["up"]));
}

#[test]
fn the_history_may_live_in_a_schema_of_its_own() {
    let project = Project::new();
    project.tables(1).file("migrator.toml", "[history]\nschema = \"Ops\"\ntable = \"changes\"\n");
    project.run(&["up"]);
    assert_eq!(project.query("SELECT version FROM \"Ops\".changes"), "001\n");
    assert_eq!(project.query("SELECT action FROM \"Ops\".change_events"), "up\n");
    expect![[r#"
        exit 0
        --- stdout
        nothing to apply
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up"]));
}
