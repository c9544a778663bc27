//! The first loop of a developer: write, apply, change, apply again.

use expect_test::expect;
use migrator_engine::operation::PlanOptions;
use migrator_engine::{ConnectionTarget, Migrator};

use crate::support::Project;

/// What `plan` with `refuse_empty` says, which `cargo xtask migrate up` asks first.
fn refused(project: &Project) -> Option<String> {
    let embedded = migrator_tests::load(&project.db()).unwrap().0.set().unwrap();
    let work = async {
        let target = ConnectionTarget::parse(&project.url())?;
        Migrator::new(embedded).connect(&target).await?.plan(&PlanOptions::default().refuse_empty(true)).await
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work).err().map(|error| error.render(false))
}

#[test]
fn an_empty_up_block_is_refused_where_that_is_asked_for() {
    let project = Project::new();
    project
        .tables(1)
        .file("migrations/002_new.sql", "-- Purpose: \n-- migrate:up\n-- write here\n\n-- migrate:down\n\n");
    expect![[r#"
        error: migration 002_new has no statement in its up block
          = note: the file is `db/migrations/002_new.sql`; once applied, it can no longer be changed
          = help: write its SQL, then run `up` again; if it is meant to do nothing, write `SELECT 1;`"#]]
    .assert_eq(&refused(&project).unwrap());
    project.migration("002_new", "SELECT 1;", "SELECT 1;");
    assert_eq!(refused(&project), None);
    // What was there before this tool is taken as it is.
    let project = Project::new();
    project
        .file("migrator.toml", "[check]\nstart_after = \"001\"\n")
        .file("migrations/001_old.sql", "-- migrate:up\n-- migrate:down\n");
    assert_eq!(refused(&project), None);
    assert!(project.run(&["up"]).starts_with("exit 0\n"));
}

#[test]
fn an_edited_migration_is_rolled_back_as_it_was_applied() {
    let project = Project::new();
    project.migration("001_a", "CREATE TABLE a (id int);", "DROP TABLE a;");
    project.run(&["up"]);
    project.migration("001_a", "CREATE TABLE b (id int);", "DROP TABLE b;");
    assert!(project.run(&["up"]).starts_with("exit 4\n"));
    expect![[r#"
        exit 0
        --- stdout
        rolled back 001_a (N ms)
        rolled back 1 migration in N ms; no migration is applied any more
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        001_a was edited since it was applied: rolling it back with the down block recorded at DATE TIME UTC by release 1.0.0
    "#]]
    .assert_eq(&project.run(&["down", "--yes"]));
    assert!(project.run(&["up"]).starts_with("exit 0\n"));
    assert_eq!(project.query("SELECT to_regclass('a') IS NULL AND to_regclass('b') IS NOT NULL"), "t\n");
}

#[test]
fn redo_applies_the_file_as_it_is_now() {
    let project = Project::new();
    project.tables(2).run(&["up"]);
    project.migration("002_t2", "CREATE TABLE t2 (id int, note text);", "DROP TABLE t2;");
    expect![[r#"
        exit 0
        --- stdout
        rolled back 002_t2 (N ms)
        applied 002_t2 (N ms)
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        002_t2 was edited since it was applied: rolling it back with the down block recorded at DATE TIME UTC by release 1.0.0
    "#]]
    .assert_eq(&project.run(&["redo", "--yes"]));
    assert_eq!(project.query("SELECT count(*) FROM information_schema.columns WHERE table_name = 't2'"), "2\n");
    assert!(project.run(&["status", "--check"]).starts_with("exit 0\n"));
    assert!(project.run(&["redo"]).starts_with("exit 2\n"));
}

#[test]
fn a_recorded_block_without_a_transaction_goes_statement_by_statement() {
    let project = Project::new();
    project.migration("001_t", "CREATE TABLE t (id int);", "DROP TABLE t;").file(
        "migrations/002_i.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON t (id);\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY i;\nCOMMENT ON TABLE t IS 'rolled back';\n",
    );
    project.run(&["up"]);
    project.file("migrations/002_i.sql", "-- migrate:up\nCREATE INDEX j ON t (id);\n-- migrate:down\nDROP INDEX j;\n");
    let output = project.run(&["redo", "--yes"]);
    assert!(output.starts_with("exit 0\n"), "{output}");
    assert_eq!(
        project.query("SELECT to_regclass('i') IS NULL, to_regclass('j') IS NOT NULL, obj_description('t'::regclass)"),
        "t|t|rolled back\n"
    );
}

#[test]
fn recorded_sql_that_another_role_can_write_is_not_run() {
    let project = Project::new();
    project.migration("001_a", "CREATE TABLE a (id int);", "DROP TABLE a;");
    project.run(&["up"]);
    project.migration("001_a", "CREATE TABLE b (id int);", "DROP TABLE b;");
    project.query("DO $$ BEGIN CREATE ROLE scribe; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$; GRANT UPDATE ON schema_migration_events TO scribe");
    let output = project.run(&["down", "--yes"]);
    assert!(output.starts_with("exit 8\n") && output.contains("`scribe` can write to it"), "{output}");
}

#[test]
fn every_repeatable_runs_again_after_a_migration() {
    let project = Project::new();
    project
        .migration("001_t", "CREATE TABLE t (id int);", "DROP TABLE t CASCADE;")
        .file("repeatable/p.sql", "ALTER TABLE t ENABLE ROW LEVEL SECURITY;\n")
        .file("repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT id FROM t;\n");
    project.run(&["up"]);
    // It drops what a repeatable has made, and takes the table's place.
    project.migration(
        "002_swap",
        "DROP VIEW IF EXISTS v; ALTER TABLE t RENAME TO old; CREATE TABLE t (id bigint);",
        "SELECT 1;",
    );
    assert!(project.run(&["up"]).starts_with("exit 0\n"));
    assert_eq!(
        project.query(
            "SELECT to_regclass('v') IS NOT NULL, (SELECT relrowsecurity FROM pg_class WHERE oid = 't'::regclass)"
        ),
        "t|t\n"
    );
    assert!(project.run(&["status", "--check"]).starts_with("exit 0\n"));
    // Another tool applies one, another tool rolls one back.
    project
        .migration("003_x", "SELECT 1;", "SELECT 1;")
        .query("DROP VIEW v; INSERT INTO schema_migrations (version) VALUES ('003')");
    let status = project.run(&["status", "--check"]);
    assert!(status.starts_with("exit 1\n") && status.contains("repeatable"), "{status}");
    assert!(project.run(&["up"]).starts_with("exit 0\n"));
    assert_eq!(project.query("SELECT to_regclass('v') IS NOT NULL"), "t\n");
    project.query("DELETE FROM schema_migrations WHERE version = '002'");
    assert!(project.run(&["status"]).contains("repeatable"));
}
