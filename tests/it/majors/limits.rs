//! Limits that a database or a role sets, under every name that this release knows.

use crate::support::Project;

/// Those that a session can have, with the unit of a time.
const LIMITS: &str = "SELECT name FROM pg_settings WHERE name ~ '_timeout$' AND context IN ('user', 'superuser')
    AND unit IN ('ms', 's') AND name NOT IN ('deadlock_timeout', 'tcp_user_timeout', 'wal_sender_timeout') ORDER BY name";

#[test]
fn no_limit_of_the_database_ends_a_migration() {
    let project = Project::new();
    project.migration("001_slow", "CREATE TABLE a (id int);\nSELECT pg_sleep(1.5);", "DROP TABLE a;").file(
        "migrations/002_slow.sql",
        "-- migrate:up transaction:false\nSELECT pg_sleep(1.5);\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n\
         -- migrate:down transaction:false\nDROP INDEX CONCURRENTLY a_id;\n",
    );
    let limits = project.query(LIMITS);
    let limits: Vec<&str> = limits.lines().collect();
    for name in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] {
        assert!(limits.contains(&name), "{limits:?}");
    }
    for name in &limits {
        project.query(&format!("ALTER DATABASE {} SET {name} = '500ms'", project.database()));
    }
    let output = project.run(&["up"]);
    assert!(output.starts_with("exit 0\n"), "with {limits:?}: {output}");
    assert_eq!(project.query("SELECT to_regclass('a_id')"), "a_id\n");
}

#[test]
fn a_limit_of_a_migration_holds() {
    let project = Project::new();
    project.file(
        "migrations/001_slow.sql",
        "-- migrate:up statement_timeout:300ms\nCREATE TABLE a (id int);\nSELECT pg_sleep(60);\n\
         -- migrate:down\nDROP TABLE a;\n",
    );
    let output = project.run(&["up"]);
    assert!(output.starts_with("exit 3\n") && output.contains("57014"), "{output}");
    assert_eq!(project.query("SELECT to_regclass('a')"), "null\n");
}

#[test]
fn strings_are_read_as_the_standard_has_them_whatever_the_database_says() {
    let project = Project::new();
    // Since release 19 it cannot be off, which is all that we want.
    let off = format!("ALTER DATABASE {} SET standard_conforming_strings = off", project.database());
    project.query(&format!("DO $$ BEGIN {off}; EXCEPTION WHEN others THEN NULL; END $$"));
    project.migration("001_a", "CREATE TABLE a AS SELECT 'back\\slash' AS text;", "DROP TABLE a;");
    let output = project.run(&["up"]);
    assert!(output.starts_with("exit 0\n"), "{output}");
    assert_eq!(project.query("SELECT text FROM a"), "back\\slash\n");
}
