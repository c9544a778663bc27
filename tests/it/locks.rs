//! Somebody else holds a lock: the migration steps back, says who it is, and tries again.

use expect_test::expect;

use crate::support::{INDEX_BUILD, Other, Project, wait_until};

/// `up` while somebody else reads `a` in an open transaction, which ends when `up` has given way once.
fn up_behind_a_reader(project: &Project) -> String {
    // Long enough for the second session to look, on any machine.
    project.file("migrator.toml", "[session]\nlock_timeout = \"1500ms\"\n");
    let other = Other::new(project);
    other.run("BEGIN; SELECT count(*) FROM a");
    let up = project.start(&["up"]);
    let waits = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'a'::regclass";
    wait_until(project, waits);
    // The first try is over when nobody waits any more.
    wait_until(project, "SELECT count(*) = 0 FROM pg_locks WHERE NOT granted AND relation = 'a'::regclass");
    other.run("COMMIT");
    project.finish(up)
}

/// Each line once: how often it was tried depends on the machine.
fn once(output: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in output.lines() {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn a_transaction_is_rolled_back_and_tried_again() {
    let project = Project::new();
    project.query("CREATE TABLE a (id int)");
    project.migration("001_a", "ALTER TABLE a ADD COLUMN b int;", "").migration("002_b", "CREATE TABLE b ();", "");
    expect![[r#"
        exit 0
        --- stdout
        applied 001_a (N ms)
        applied 002_b (N ms)
        applied 2 migrations in N ms; the database is at 002
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        001_a: waits for a lock: blocked by pid PID (postgres, shop, idle in transaction for N ms): BEGIN; SELECT count(*) FROM a
        001_a: canceling statement due to lock timeout [55P03], blocked by pid PID (postgres, shop, idle in transaction for N ms): BEGIN; SELECT count(*) FROM a; retrying in N ms
    "#]].assert_eq(&once(&up_behind_a_reader(&project)));
}

#[test]
fn a_statement_outside_a_transaction_is_tried_again() {
    let project = Project::new();
    project.query("CREATE TABLE a (id int)");
    project.file(
        "migrations/001_a.sql",
        "-- migrate:up transaction:false\nCREATE TABLE before ();\nALTER TABLE a ADD COLUMN b int;\n-- migrate:down\nSELECT 1;\n",
    );
    expect![[r#"
        exit 0
        --- stdout
        applied 001_a (N ms)
        applied 1 migration in N ms; the database is at 001
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        001_a: waits for a lock: blocked by pid PID (postgres, shop, idle in transaction for N ms): BEGIN; SELECT count(*) FROM a
        001_a: canceling statement due to lock timeout [55P03], blocked by pid PID (postgres, shop, idle in transaction for N ms): BEGIN; SELECT count(*) FROM a; retrying in N ms
    "#]].assert_eq(&once(&up_behind_a_reader(&project)));
    assert_eq!(
        project.query("SELECT statement, outcome FROM schema_migration_events ORDER BY id OFFSET 1 LIMIT 2"),
        "2|failed\n2|done\n"
    );
}

#[test]
fn a_transaction_inside_a_block_is_tried_again() {
    let project = Project::new();
    project.query("CREATE TABLE a (id int)");
    project.file(
        "migrations/001_a.sql",
        "-- migrate:up transaction:false\nBEGIN;\nALTER TABLE a ADD COLUMN b int;\nCOMMIT;\n-- migrate:down\nSELECT 1;\n",
    );
    expect![[r#"
        exit 0
        --- stdout
        applied 001_a (N ms)
        applied 1 migration in N ms; the database is at 001
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        001_a: waits for a lock: blocked by pid PID (postgres, shop, idle in transaction for N ms): BEGIN; SELECT count(*) FROM a
        001_a: canceling statement due to lock timeout [55P03], blocked by pid PID (postgres, shop, idle in transaction for N ms): BEGIN; SELECT count(*) FROM a; retrying in N ms
    "#]].assert_eq(&once(&up_behind_a_reader(&project)));
}

#[test]
fn when_patience_is_over_the_blocker_is_named() {
    let project = Project::new();
    project.query("CREATE TABLE a (id int)");
    project.file("migrator.toml", "[session]\nlock_timeout = \"1500ms\"\nretry_for = \"0\"\n");
    project.migration("001_a", "ALTER TABLE a ADD COLUMN b int;", "");
    let other = Other::new(&project);
    other.run("BEGIN; SELECT count(*) FROM a");
    expect![[r#"
        exit 3
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        001_a: waits for a lock: blocked by pid PID (postgres, shop, idle in transaction for N ms): BEGIN; SELECT count(*) FROM a
        error: migration 001_a failed and was rolled back
         --> db/migrations/001_a.sql:2:1
          |
        2 | ALTER TABLE a ADD COLUMN b int;
          | ^ canceling statement due to lock timeout [55P03], blocked by pid PID (postgres, shop, idle in transaction for N ms): BEGIN; SELECT count(*) FROM a
          = note: applied before it in this run: none. Not run: none.
          = help: another session holds what it needs: end its transaction, or raise `retry_for` under [session] in db/migrator.toml, then run it again
    "#]].assert_eq(&once(&project.run(&["up"])));
    drop(other);
}

#[test]
fn the_progress_of_an_index_is_shown() {
    let project = Project::new();
    project.query(
        "CREATE TABLE a (id int); INSERT INTO a SELECT generate_series(1, 8); \
         CREATE FUNCTION slow(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM pg_sleep(0.25); RETURN n; END'",
    );
    project.file(
        "migrations/001_a.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY a_i ON a (slow(id));\n-- migrate:down\nDROP INDEX a_i;\n",
    );
    let output = project.command(&["up"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("001_a{INDEX_BUILD}building index")), "{said}");
}
