//! Roles that may do less than the owner.

use expect_test::expect;

use crate::support::Project;

#[test]
fn missing_rights_are_a_clear_refusal() {
    let project = Project::new();
    project.tables(1);
    project.query("CREATE ROLE poor LOGIN; REVOKE ALL ON SCHEMA public FROM public");
    expect![[r#"
        exit 8
        --- stderr
        error: the server refused reading the history: permission denied for schema public [42501]
          = help: grant the privilege to the migrator's user, or connect as the owner
    "#]]
    .assert_eq(&project.run_as("poor", &["up"]));
}

#[test]
fn whoever_may_only_look_is_told_that_there_is_nothing_to_apply() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    project.query(
        "CREATE ROLE looker LOGIN; REVOKE ALL ON SCHEMA public FROM public; GRANT USAGE ON SCHEMA public TO looker; \
         GRANT SELECT ON schema_migrations, schema_migration_events TO looker",
    );
    expect![[r#"
        exit 0
        --- stdout
        nothing to apply
        --- stderr
        SERVER · database DB · user looker · PostgreSQL X
    "#]]
    .assert_eq(&project.run_as("looker", &["up"]));
    expect![[r#"
        exit 0
        --- stdout
        database DB at SERVER · release 1.0.0
        VERSION  NAME  STATE  APPLIED  BY  TIME
        001  t1  applied  DATE TIME UTC  postgres  N ms
        up to date
    "#]]
    .assert_eq(&project.run_as("looker", &["status", "--check"]));
}

#[test]
fn whoever_may_not_create_the_tables_is_told_so() {
    let project = Project::new();
    project.tables(1);
    project.query("CREATE ROLE homeless LOGIN; REVOKE CREATE ON SCHEMA public FROM public");
    expect![[r#"
        exit 8
        --- stderr
        SERVER · database DB · user homeless · PostgreSQL X
        error: the server refused creating the history tables: permission denied for schema public [42501]
          = help: grant the privilege to the migrator's user, or connect as the owner
    "#]]
    .assert_eq(&project.run_as("homeless", &["up"]));
}

#[test]
fn a_history_of_another_role_is_a_clear_refusal_and_nothing_is_applied() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    project.query(
        "CREATE ROLE guest LOGIN; GRANT ALL ON SCHEMA public TO guest; GRANT SELECT ON schema_migrations, schema_migration_events TO guest",
    );
    project.tables(2);
    expect![[r#"
        exit 8
        --- stderr
        SERVER · database DB · user guest · PostgreSQL X
        error: migration 002_t2 failed and was rolled back: it could not be recorded: permission denied for table schema_migrations [42501]
          = note: the failure could not be recorded in the event log: permission denied for table schema_migration_events [42501]
          = note: applied before it in this run: none. Not run: none.
          = help: connect as the owner of the history tables, or grant the migrator's user INSERT, UPDATE, DELETE and SELECT on both
    "#]].assert_eq(&project.run_as("guest", &["up"]));
    assert_eq!(project.query("SELECT to_regclass('t2') IS NULL"), "t\n");
}

#[test]
fn a_failure_that_cannot_be_recorded_says_so() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    project.query("ALTER TABLE schema_migration_events ADD CONSTRAINT no_failures CHECK (outcome <> 'failed')");
    project.migration("002_b", "SELECT 1 / 0;", "");
    expect![[r#"
        exit 3
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: migration 002_b failed and was rolled back
         --> db/migrations/002_b.sql:2:1
          |
        2 | SELECT 1 / 0;
          | ^ division by zero [22012]
          |
          = note: the failure could not be recorded in the event log: new row for relation "schema_migration_events" violates check constraint "no_failures" [23514]
          = note: applied before it in this run: none. Not run: none.
          = help: correct the file (it has never been applied, so it may be edited), build, and run `up` again
    "#]]
    .assert_eq(&project.run(&["up"]));
}
