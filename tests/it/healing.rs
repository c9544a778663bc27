//! What an interrupted run has left of statements that cannot be rolled back is read from the catalog and put in order.

use expect_test::{Expect, expect};

use crate::support::{Other, Project, major, not_tested, wait_until};

const SESSION_OF_UP: &str = "FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^migrator' AND query ~* 'concurrently' AND pid <> pg_backend_pid()";

/// A project with one `transaction:false` migration.
fn project(statements: &str) -> Project {
    let project = Project::new();
    project.file(
        "migrations/001_a.sql",
        &format!("-- migrate:up transaction:false\n{statements}\n-- migrate:down\nSELECT 1;\n"),
    );
    project
}

/// As if the connection had been lost while the last statement ran: begun, and nobody knows how it ended.
fn forget_the_end(project: &Project) {
    project.query("DELETE FROM schema_migrations; DELETE FROM schema_migration_events WHERE outcome <> 'started'");
}

/// Starts `up`, cancels its statement while somebody else is in its way, and gives the output.
fn cancelled(project: &Project, in_its_way: &str) -> String {
    let other = Other::new(project);
    other.run(in_its_way);
    let up = project.start(&["up"]);
    let waiting = "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^migrator' AND wait_event_type = 'Lock'";
    wait_until(project, waiting);
    project.query(&format!("SELECT pg_cancel_backend(pid) {SESSION_OF_UP}"));
    let output = project.finish(up);
    other.run("ROLLBACK");
    // On a slow machine it has waited long enough to say so.
    let said = output.lines().filter(|line| !line.starts_with("001_a: waits for a lock: "));
    said.map(|line| format!("{line}\n")).collect()
}

#[track_caller]
fn check(output: &str, expect: Expect) {
    let stderr = output.lines().filter(|line| !line.starts_with("warning: db/"));
    expect.assert_eq(&stderr.map(|line| format!("{line}\n")).collect::<String>());
}

#[test]
fn a_finished_index_is_recorded_and_not_built_again() {
    for rest in [
        "(id)",
        "(id DESC NULLS LAST, name text_pattern_ops)",
        "(lower(a.name)) WHERE a.id > 5",
        "(name COLLATE \"C\") INCLUDE (id) WITH (fillfactor = 70)",
        "USING hash (name)",
    ] {
        let project = project(&format!("CREATE INDEX CONCURRENTLY a_i ON public.a {rest};"));
        project.query("CREATE TABLE a (gone int, id int, name text); ALTER TABLE a DROP COLUMN gone");
        assert!(project.run(&["up"]).starts_with("exit 0"), "{rest}");
        let before = project.query("SELECT 'a_i'::regclass::oid");
        forget_the_end(&project);
        check(
            &project.run(&["up"]),
            expect![[r#"
                exit 0
                --- stdout
                applied 001_a (N ms)
                applied 1 migration in N ms; the database is at 001
                --- stderr
                SERVER · database DB · user postgres · PostgreSQL X
                001_a: index public.a_i was finished by an earlier run
            "#]],
        );
        assert_eq!(project.query("SELECT 'a_i'::regclass::oid"), before, "{rest}");
    }
}

#[test]
fn an_index_of_that_name_that_somebody_else_built_is_not_taken_for_ours() {
    for other in ["(id, name)", "(name)", "(id DESC)", "(id) WHERE id > 0", "(id) INCLUDE (name)", "USING hash (id)"] {
        let project = project("CREATE INDEX CONCURRENTLY a_i ON a (id);");
        project.query("CREATE TABLE a (id int, name text)");
        project.run(&["up"]);
        forget_the_end(&project);
        project.query(&format!("DROP INDEX a_i; CREATE INDEX a_i ON a {other}"));
        check(
            &project.run(&["up"]),
            expect![[r#"
                exit 3
                --- stderr
                SERVER · database DB · user postgres · PostgreSQL X
                001_a: index public.a_i is not the one that the file builds
                error: migration 001_a failed at statement 1 of 1
                 --> db/migrations/001_a.sql:2:1
                  |
                2 | CREATE INDEX CONCURRENTLY a_i ON a (id);
                  | ^ relation "a_i" already exists [42P07]
                  |
                  = note: applied before it in this run: none. Not run: none.
                  = help: if another tool created it, record what that has applied with `migrator adopt TOOL`; if a restored dump did, with `migrator stamp --to 001` (neither runs anything); otherwise correct the file, build, and run `up` again
                  = help: correct statement 1 or its cause, build, and run `up` again: it continues at statement 1
            "#]],
        );
    }
}

#[test]
fn a_unique_index_is_not_an_ordinary_one() {
    let project = project("CREATE UNIQUE INDEX CONCURRENTLY a_i ON a (id);");
    project.query("CREATE TABLE a (id int)");
    project.run(&["up"]);
    forget_the_end(&project);
    project.query("DROP INDEX a_i; CREATE INDEX a_i ON a (id)");
    assert!(project.run(&["up"]).contains("relation \"a_i\" already exists"));
}

#[test]
fn a_dropped_index_is_not_dropped_again() {
    let project = project("DROP INDEX CONCURRENTLY public.a_i;");
    project.query("CREATE TABLE a (id int); CREATE INDEX a_i ON a (id)");
    project.run(&["up"]);
    forget_the_end(&project);
    check(
        &project.run(&["up"]),
        expect![[r#"
        exit 0
        --- stdout
        applied 001_a (N ms)
        applied 1 migration in N ms; the database is at 001
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        001_a: index public.a_i was dropped by an earlier run
    "#]],
    );
}

#[test]
fn a_drop_that_failed_is_tried_again_and_not_taken_as_done() {
    let project = project("DROP INDEX CONCURRENTLY a_i;");
    for _ in 0..2 {
        check(
            &project.run(&["up"]),
            expect![[r#"
            exit 3
            --- stderr
            SERVER · database DB · user postgres · PostgreSQL X
            error: migration 001_a failed at statement 1 of 1
             --> db/migrations/001_a.sql:2:1
              |
            2 | DROP INDEX CONCURRENTLY a_i;
              | ^ index "a_i" does not exist [42704]
              |
              = note: applied before it in this run: none. Not run: none.
              = help: correct statement 1 or its cause, build, and run `up` again: it continues at statement 1
        "#]],
        );
    }
}

#[test]
fn what_an_interrupted_reindex_left_behind_is_dropped() {
    let project = project("REINDEX TABLE CONCURRENTLY a;");
    project.query("CREATE TABLE a (id int); CREATE INDEX a_i ON a (id)");
    check(
        &cancelled(&project, "BEGIN; INSERT INTO a VALUES (1)"),
        expect![[r#"
        exit 3
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: migration 001_a failed at statement 1 of 1
         --> db/migrations/001_a.sql:2:1
          |
        2 | REINDEX TABLE CONCURRENTLY a;
          | ^ canceling statement due to user request [57014]
          |
          = note: applied before it in this run: none. Not run: none.
          = help: correct statement 1 or its cause, build, and run `up` again: it continues at statement 1
    "#]],
    );
    let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    assert_eq!(project.query(invalid), "1\n");
    check(
        &project.run(&["up"]),
        expect![[r#"
        exit 0
        --- stdout
        applied 001_a (N ms)
        applied 1 migration in N ms; the database is at 001
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        001_a: index public.a_i_ccnew was left by an unfinished REINDEX: dropping it
    "#]],
    );
    assert_eq!(project.query(invalid), "0\n");
}

#[test]
fn a_detachment_that_was_begun_is_finished() {
    if major() < 14 {
        return not_tested("an unfinished detachment: PostgreSQL 13 detaches no partition concurrently");
    }
    let project = project("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;");
    project.query(
        "CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)",
    );
    check(
        &cancelled(&project, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM p"),
        expect![[r#"
            exit 3
            --- stderr
            SERVER · database DB · user postgres · PostgreSQL X
            error: migration 001_a failed at statement 1 of 1
             --> db/migrations/001_a.sql:2:1
              |
            2 | ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;
              | ^ canceling statement due to user request [57014]
              |
              = note: applied before it in this run: none. Not run: none.
              = help: correct statement 1 or its cause, build, and run `up` again: it continues at statement 1
        "#]],
    );
    assert_eq!(project.query("SELECT inhdetachpending FROM pg_inherits"), "t\n");
    check(
        &project.run(&["up"]),
        expect![[r#"
        exit 0
        --- stdout
        applied 001_a (N ms)
        applied 1 migration in N ms; the database is at 001
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        001_a: an earlier run began to detach partition p1: finishing it
    "#]],
    );
    assert_eq!(project.query("SELECT count(*) FROM pg_inherits"), "0\n");
    forget_the_end(&project);
    check(
        &project.run(&["up"]),
        expect![[r#"
            exit 0
            --- stdout
            applied 001_a (N ms)
            applied 1 migration in N ms; the database is at 001
            --- stderr
            SERVER · database DB · user postgres · PostgreSQL X
            001_a: partition p1 was detached by an earlier run
        "#]],
    );
}

#[test]
fn what_may_be_repeated_is_repeated() {
    let project = project("VACUUM a;\nREFRESH MATERIALIZED VIEW v;");
    project.query("CREATE TABLE a (id int); CREATE MATERIALIZED VIEW v AS SELECT * FROM a");
    project.run(&["up"]);
    project.query("DELETE FROM schema_migrations; DELETE FROM schema_migration_events WHERE outcome = 'done' AND statement IS DISTINCT FROM 1");
    check(
        &project.run(&["up"]),
        expect![[r#"
        exit 0
        --- stdout
        applied 001_a (N ms)
        applied 1 migration in N ms; the database is at 001
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]],
    );
    assert_eq!(
        project.query(
            "SELECT statement, count(*) FROM schema_migration_events WHERE outcome = 'started' GROUP BY 1 ORDER BY 1"
        ),
        "1|1\n2|2\n"
    );
}
