//! Many migrators at once.

use expect_test::expect;

use crate::support::{Project, wait_until_asleep};

#[test]
fn sixteen_at_once_apply_every_migration_once() {
    let project = Project::new();
    project.tables(5).migration("006_index", "", "");
    project.file(
        "migrations/006_index.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY t1_id ON t1 (id);\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY t1_id;\n",
    );
    let children: Vec<_> = (0..16).map(|_| project.start(&["up"])).collect();
    let mut applied = 0;
    for child in children {
        let output = project.finish(child);
        assert!(output.starts_with("exit 0"), "{output}");
        applied += output.lines().filter(|line| line.starts_with("applied 0")).count();
    }
    assert_eq!(applied, 6);
    assert_eq!(project.query("SELECT count(*), count(DISTINCT version) FROM schema_migration_events WHERE action = 'up' AND statement IS NULL"), "6|6\n");
    assert_eq!(project.query("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0\n");
}

#[test]
fn the_one_who_waits_says_for_whom_and_gives_up_in_time() {
    let project = Project::new();
    project.migration("001_slow", "SELECT pg_sleep(3);", "");
    let slow = project.start(&["up"]);
    wait_until_asleep(&project);
    let output = project.run(&["up", "--wait-lock", "100ms"]);
    expect![[r#"
        exit 5
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        waiting for the migration lock: held by pid PID (postgres, migrator 1.0.0, connected since DATE TIME UTC)
        error: cannot take the migration lock on `DB` within 100ms: held by pid PID (postgres, migrator 1.0.0, connected since DATE TIME UTC)
          = help: wait for that migrator, or raise --wait-lock; if it hangs, end it with `SELECT pg_terminate_backend(pid)`
    "#]].assert_eq(&output);
    let output = project.finish(slow);
    assert!(output.starts_with("exit 0"), "{output}");
}

#[test]
fn an_older_release_waits_for_a_newer_one_and_then_has_nothing_to_do() {
    let newer = Project::new();
    newer.migration("001_slow", "SELECT pg_sleep(2);", "");
    let older = newer.release("0.9.0");
    newer.migration("002_b", "CREATE TABLE b ();", "");
    let slow = newer.start(&["up"]);
    wait_until_asleep(&newer);
    expect![[r#"
        exit 0
        --- stdout
        nothing to apply: another migrator has already done it
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        waiting for the migration lock: held by pid PID (postgres, migrator 1.0.0, connected since DATE TIME UTC)
        warning: a newer release has migrated this database: it has 002, which this binary does not know; repeatables are skipped
    "#]].assert_eq(&older.run(&["up"]));
    assert!(newer.finish(slow).starts_with("exit 0"));
}

#[test]
fn a_newer_release_waits_for_an_older_one_and_does_the_rest() {
    let older = Project::new();
    older.migration("001_slow", "SELECT pg_sleep(2);", "");
    let newer = older.release("2.0.0");
    newer.migration("002_b", "CREATE TABLE b ();", "");
    let slow = older.start(&["up"]);
    wait_until_asleep(&older);
    expect![[r#"
        exit 0
        --- stdout
        applied 002_b (N ms)
        applied 1 migration in N ms; the database is at 002
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        waiting for the migration lock: held by pid PID (postgres, migrator 1.0.0, connected since DATE TIME UTC)
    "#]]
    .assert_eq(&newer.run(&["up"]));
    assert!(older.finish(slow).starts_with("exit 0"));
}

#[test]
fn a_statement_that_another_one_is_running_is_not_in_doubt() {
    let project = Project::new();
    project.file(
        "migrations/001_slow.sql",
        "-- migrate:up transaction:false\nCREATE TABLE a ();\nDO $$ BEGIN PERFORM pg_sleep(2); END $$;\n-- migrate:down\nDROP TABLE a;\n",
    );
    let slow = project.start(&["up"]);
    wait_until_asleep(&project);
    expect![[r#"
        exit 0
        --- stdout
        nothing to apply: another migrator has already done it
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        waiting for the migration lock: held by pid PID (postgres, migrator 1.0.0, connected since DATE TIME UTC)
    "#]]
    .assert_eq(&project.run(&["up"]));
    let output = project.finish(slow);
    assert!(output.starts_with("exit 0"), "{output}");
}

#[test]
fn what_is_running_is_not_called_in_doubt() {
    let project = Project::new();
    project.file(
        "migrations/001_slow.sql",
        "-- migrate:up transaction:false\nDO $$ BEGIN PERFORM pg_sleep(3); END $$;\n-- migrate:down\nSELECT 1;\n",
    );
    let slow = project.start(&["up"]);
    wait_until_asleep(&project);
    expect![[r#"
        exit 5
        --- stderr
        error: cannot plan now: another migrator is running, pid PID (postgres, migrator 1.0.0, connected since DATE TIME UTC)
          = help: wait until it has finished; `migrator status` shows the statement that it is running
    "#]].assert_eq(&project.run(&["plan"]));
    assert!(project.run(&["up", "--dry-run"]).starts_with("exit 5"));
    assert!(project.finish(slow).starts_with("exit 0"));
}
