//! Many migrators at once.

use std::process::Stdio;

use expect_test::expect;

use crate::support::Project;

#[test]
fn sixteen_at_once_apply_every_migration_once() {
    let project = Project::new();
    project.tables(5).migration("006_index", "", "");
    project.file(
        "migrations/006_index.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY t1_id ON t1 (id);\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY t1_id;\n",
    );
    let start = |_| project.command(&["up"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let children: Vec<_> = (0..16).map(start).collect();
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
    let slow = project.command(&["up"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let running = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ~ 'pg_sleep' AND pid <> pg_backend_pid()";
    while project.query(running) == "0\n" {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
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
