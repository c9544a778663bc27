//! What a failure says, and what it leaves behind.

use expect_test::expect;

use crate::support::Project;

#[test]
fn a_failing_statement_is_shown_in_its_file_and_nothing_behind_it_runs() {
    let project = Project::new();
    project.tables(5).migration(
        "003_t3",
        "CREATE TABLE t3 (name text);\nUPDATE t3 SET name = 'Zoë 東京' WHERE nmae = 'x';",
        "DROP TABLE t3;",
    );
    expect![[r#"
        exit 3
        --- stdout
        applied 001_t1 (N ms)
        applied 002_t2 (N ms)
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: migration 003_t3 failed and was rolled back
         --> db/migrations/003_t3.sql:3:37
          |
        3 | UPDATE t3 SET name = 'Zoë 東京' WHERE nmae = 'x';
          |                                       ^ column "nmae" does not exist [42703]
          |
          = note: HINT: Perhaps you meant to reference the column "t3.name".
          = note: applied before it in this run: 001_t1, 002_t2. Not run: 004_t4, 005_t5.
          = help: correct the file (it has never been applied, so it may be edited), build, and run `up` again
    "#]]
    .assert_eq(&project.run(&["up"]));
    assert_eq!(project.query("SELECT version FROM schema_migrations ORDER BY 1"), "001\n002\n");
    assert_eq!(project.query("SELECT to_regclass('t3') IS NULL"), "t\n");
    assert_eq!(
        project.query("SELECT version, outcome, detail FROM schema_migration_events WHERE outcome = 'failed'"),
        "003|failed|column \"nmae\" does not exist [42703]\n"
    );
    expect![[r#"
        exit 0
        --- stdout
        database DB at SERVER · release 1.0.0
        VERSION  NAME  STATE  APPLIED  BY  TIME
        001  t1  applied  DATE TIME UTC  postgres  N ms
        002  t2  applied  DATE TIME UTC  postgres  N ms
        003      t3    pending
        004      t4    pending
        005      t5    pending
        3 pending. Next: `migrator up` applies what is pending.
    "#]]
    .assert_eq(&project.run(&["status"]));
    project.migration("003_t3", "CREATE TABLE t3 (name text);", "DROP TABLE t3;");
    expect![[r#"
        exit 0
        --- stdout
        applied 003_t3 (N ms)
        applied 004_t4 (N ms)
        applied 005_t5 (N ms)
        applied 3 migrations in N ms; the database is at 005
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up"]));
}

#[test]
fn an_error_without_a_position_points_at_its_statement() {
    let project = Project::new();
    project.migration(
        "001_a",
        "CREATE TABLE a (id int PRIMARY KEY);\n\n-- the second row\nINSERT INTO a VALUES (1), (1);",
        "",
    );
    expect![[r#"
        exit 3
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: migration 001_a failed and was rolled back
         --> db/migrations/001_a.sql:5:1
          |
        5 | INSERT INTO a VALUES (1), (1);
          | ^ duplicate key value violates unique constraint "a_pkey" [23505]
          |
          = note: DETAIL: Key (id)=(1) already exists.
          = note: applied before it in this run: none. Not run: none.
          = help: correct the file (it has never been applied, so it may be edited), build, and run `up` again
    "#]]
    .assert_eq(&project.run(&["up"]));
}

#[test]
fn an_error_inside_a_function_shows_its_context() {
    let project = Project::new();
    project.migration("001_a", "SELECT 1;\nDO $$\nBEGIN\n  PERFORM nowhere();\nEND $$;", "");
    expect![[r#"
        exit 3
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: migration 001_a failed and was rolled back
         --> db/migrations/001_a.sql:5:11
          |
        5 |   PERFORM nowhere();
          |           ^ function nowhere() does not exist [42883]
          |
          = note: HINT: No function matches the given name and argument types. You might need to add explicit type casts.
          = note: CONTEXT: PL/pgSQL function inline_code_block line 3 at PERFORM
          = note: applied before it in this run: none. Not run: none.
          = help: correct the file (it has never been applied, so it may be edited), build, and run `up` again
    "#]].assert_eq(&project.run(&["up"]));
}

#[test]
fn a_constraint_that_fails_at_commit_leaves_nothing() {
    let project = Project::new();
    project.migration("001_a", "CREATE TABLE a (id int PRIMARY KEY, b int REFERENCES a DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO a VALUES (1, 2);", "");
    expect![[r#"
        exit 3
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: migration 001_a failed and was rolled back: at COMMIT: insert or update on table "a" violates foreign key constraint "a_b_fkey" [23503]
          = note: DETAIL: Key (b)=(2) is not present in table "a".
          = note: applied before it in this run: none. Not run: none.
          = help: correct the file (it has never been applied, so it may be edited), build, and run `up` again
    "#]].assert_eq(&project.run(&["up"]));
    assert_eq!(project.query("SELECT count(*) FROM schema_migrations"), "0\n");
}

#[test]
fn a_failing_rollback_names_the_down_block() {
    let project = Project::new();
    project.tables(2).migration("002_t2", "CREATE TABLE t2 (id int);", "DROP TABLE t3;").run(&["up"]);
    expect![[r#"
        exit 3
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: rollback of migration 002_t2 failed; the migration is still applied
         --> db/migrations/002_t2.sql:5:1
          |
        5 | DROP TABLE t3;
          | ^ table "t3" does not exist [42P01]
          |
          = note: rolled back before it in this run: none. Not run: none.
          = help: correct the down block (it may always be edited), build, and run `down` again
    "#]]
    .assert_eq(&project.run(&["down", "--yes"]));
    assert_eq!(project.query("SELECT count(*) FROM schema_migrations"), "2\n");
}

#[test]
fn a_failing_repeatable_is_named() {
    let project = Project::new();
    project.tables(1).file("repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT nope FROM t1;\n");
    expect![[r#"
        exit 3
        --- stdout
        applied 001_t1 (N ms)
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: repeatable v failed and was rolled back
         --> db/repeatable/v.sql:1:36
          |
        1 | CREATE OR REPLACE VIEW v AS SELECT nope FROM t1;
          |                                    ^ column "nope" does not exist [42703]
          |
          = note: applied before it in this run: 001_t1. Not run: none.
          = help: correct the file, build, and run `up` again
    "#]]
    .assert_eq(&project.run(&["up"]));
}

#[test]
fn connection_errors_say_what_to_do_and_never_the_password() {
    let project = Project::without_database();
    project.tables(1);
    expect![[r#"
        exit 6
        --- stderr
        error: cannot connect to `postgresql://postgres@SERVER/DB`: database "DB" does not exist [3D000]
          = help: create the database first (`createdb`, or `cargo xtask migrate create` in development)
    "#]]
    .assert_eq(&project.run(&["status"]));
    let run = |url: &str| {
        let output = project.run_with(&["up"], &[("DATABASE_URL", url)]);
        assert!(!output.contains("s3cret"), "{output}");
        output
    };
    expect![[r#"
        exit 6
        --- stderr
        error: cannot connect to `postgresql://me@127.0.0.1:1/crm`: Connection refused (os error 111)
          = help: check that the server is running and that the host and port are correct
    "#]]
    .assert_eq(&run("postgresql://me:s3cret@127.0.0.1:1/crm"));
    expect![[r#"
        exit 6
        --- stderr
        error: cannot connect to `postgresql://me@db.invalid:5432/crm`: failed to lookup address information: Name or service not known
          = help: check that the server is running and that the host and port are correct
    "#]]
    .assert_eq(&run("postgresql://me:s3cret@db.invalid/crm?sslmode=verify-full"));
}
