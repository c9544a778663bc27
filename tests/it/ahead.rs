//! A database that a newer release has migrated, rolled back by the binary of an older one.

mod refused;

use expect_test::expect;

use crate::support::{Project, fingerprint, wait_until};

/// What release 1.22.0 adds to the two tables of release 1.21.0: a column and an index that is built outside a transaction.
fn newer(project: &Project) {
    project.migration("041_mail", "ALTER TABLE t1 ADD mail text;", "ALTER TABLE t1 DROP mail;").file(
        "migrations/042_by_mail.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY by_mail ON t1 (mail);\n\
         -- migrate:down transaction:false\nDROP INDEX CONCURRENTLY by_mail;\n",
    );
}

/// Both binaries over one database that the newer one has migrated: the older one, and the newer one.
fn releases() -> (Project, Project) {
    let newest = Project::new().release("1.22.0");
    newest.tables(2).file("repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT id FROM t1;\n");
    let older = newest.release("1.21.0");
    older.run(&["up"]);
    newer(&newest);
    let up = newest.run(&["up"]);
    assert!(up.starts_with("exit 0\n"), "{up}");
    (older, newest)
}

#[test]
fn the_older_binary_rolls_back_what_it_does_not_have() {
    let (older, newest) = releases();
    expect![[r#"
        exit 0
        --- stdout
        database DB at SERVER · release 1.21.0
        VERSION  NAME  STATE  APPLIED  BY  TIME
        001  t1  applied  DATE TIME UTC  postgres  N ms
        002  t2  applied  DATE TIME UTC  postgres  N ms
        041  mail  ahead  DATE TIME UTC  postgres  N ms
        042  by_mail  ahead  DATE TIME UTC  postgres  N ms
        -  v  applied  DATE TIME UTC  WHO  N ms
        not in this binary: 041, 042, recorded by postgres with release 1.22.0
        2 ahead. Next: nothing, because a newer release has migrated this database.
        041, 042 can be rolled back with the recorded down blocks: `migrator down --to 002`
    "#]]
    .assert_eq(&older.run(&["status"]));
    expect![[r#"
        exit 0
        --- stdout
        rolled back 042_by_mail (N ms)
        rolled back 041_mail (N ms)
        rolled back 2 migrations in N ms; the database is at 002
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        042_by_mail is newer than this binary: rolling it back with the down block recorded at DATE TIME UTC by release 1.22.0
        041_mail is newer than this binary: rolling it back with the down block recorded at DATE TIME UTC by release 1.22.0
        the repeatables of this release must be applied again: run `migrator up`
    "#]]
    .assert_eq(&older.run(&["down", "--to", "2", "--yes"]));
    assert_eq!(older.query("SELECT count(*) FROM information_schema.columns WHERE table_name = 't1'"), "1\n");
    assert!(older.run(&["up"]).contains("applied repeatable v"));
    assert!(older.run(&["status", "--check"]).ends_with("up to date\n"));
    // And forth again.
    assert!(newest.run(&["up"]).contains("applied 042_by_mail"));
    assert_eq!(
        older.query("SELECT action, version, release FROM schema_migration_events WHERE action = 'down' AND statement IS NULL ORDER BY id"),
        "down|042|1.21.0\ndown|041|1.21.0\n"
    );
}

#[test]
fn as_far_as_asked_and_beyond_its_own_newest() {
    let (older, _) = releases();
    assert!(older.run(&["down", "--to", "41", "--yes"]).contains("rolled back 042_by_mail"));
    assert!(
        older
            .run(&["status"])
            .contains("041 can be rolled back with the recorded down blocks: `migrator down --to 002`")
    );
    let down = older.run(&["down", "--to", "0", "--yes"]);
    assert!(!down.contains("exit 0"), "the view of the repeatable depends on t1: {down}");
    older.query("DROP VIEW v");
    let down = older.run(&["down", "--to", "0", "--yes"]);
    assert!(down.starts_with("exit 0\n") && down.contains("rolled back 001_t1"), "{down}");
}

#[test]
fn status_says_it_to_programs() {
    let (older, newest) = releases();
    let json = |project: &Project| {
        let output = project.command(&["status", "--json"]).output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["rollback_of_newer"].clone()
    };
    let expected = serde_json::json!({ "versions": ["041", "042"], "to": "002", "possible": true, "reason": null });
    assert_eq!(json(&older), expected);
    assert_eq!(json(&newest), serde_json::Value::Null);
}

#[test]
fn a_killed_rollback_is_resumed_by_either_binary() {
    for resumed_by_newer in [false, true] {
        let (older, newest) = releases();
        let newest = newest.release("1.23.0");
        newest.file(
            "migrations/043_steps.sql",
            "-- migrate:up transaction:false\nCREATE TABLE a (id int);\nCREATE TABLE b (id int);\n\
             -- migrate:down transaction:false\nDROP TABLE a;\nDROP TABLE b;\n",
        );
        assert!(newest.run(&["up"]).starts_with("exit 0\n"));
        let holder = crate::support::Other::new(&older);
        holder.run("BEGIN; LOCK TABLE b");
        let mut child = older.start(&["down", "--to", "2", "--yes"]);
        wait_until(&older, "SELECT to_regclass('a') IS NULL");
        child.kill().unwrap();
        older.finish(child);
        holder.run("COMMIT");
        // The other session is over once the server has noticed.
        let up = older.run(&["up", "--wait-lock", "30s"]);
        assert!(up.starts_with("exit 4\n") && up.contains("version 043: its `down` is half-done"), "{up}");
        let by = if resumed_by_newer { &newest } else { &older };
        let down = by.run(&["down", "--to", "2", "--yes"]);
        assert!(down.starts_with("exit 0\n") && down.contains("rolled back 043_steps"), "{down}");
        assert_eq!(older.query("SELECT to_regclass('b') IS NULL, count(*) FROM schema_migrations"), "t|2\n");
    }
}

#[test]
fn of_two_at_once_one_rolls_back() {
    let (older, _) = releases();
    let both = [(); 2].map(|()| older.start(&["down", "--to", "2", "--yes"]));
    let said = both.map(|child| older.finish(child));
    let done = said.iter().filter(|said| said.contains("rolled back 041_mail")).count();
    assert_eq!(done, 1, "{said:?}");
    assert!(said.iter().all(|said| said.starts_with("exit 0\n") || said.starts_with("exit 8\n")), "{said:?}");
    assert_eq!(
        older.query("SELECT count(*) FROM schema_migration_events WHERE action = 'down' AND statement IS NULL"),
        "2\n"
    );
}

#[test]
fn the_policy_of_the_environment_holds() {
    let (older, _) = releases();
    older
        .file("migrator.toml", "[environments.production]\nbackup = \"required\"\n[environments.live]\ndown = false\n");
    older.run(&["environment", "set", "production"]);
    let refused = older.run(&["down", "--to", "2", "--yes"]);
    assert!(
        refused.starts_with("exit 8\n") && refused.contains("041_mail, statement 1: ALTER TABLE t1 DROP mail"),
        "{refused}"
    );
    older.run(&["environment", "set", "live"]);
    let before = fingerprint(&older);
    assert!(older.run(&["down", "--to", "2", "--yes"]).contains("`down` is forbidden in the environment `live`"));
    assert!(older.run(&["status"]).contains("cannot be rolled back by this binary: `down` is forbidden"));
    assert_eq!(fingerprint(&older), before);
    older.run(&["environment", "set", "production"]);
    let line = ["down", "--to", "2", "--yes", "--backup-reference", "dump"];
    assert!(older.run(&line).starts_with("exit 0\n"));
}
