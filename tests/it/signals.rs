//! Signals, to the migrator and to the session behind its back.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use expect_test::expect;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Other, Project, major, not_tested, wait_until, wait_until_asleep};

/// The session that migrates; the second one of a migrator is idle.
const SESSION: &str =
    "FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^migrator' AND state = 'active'";

const NOBODY: &str =
    "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^migrator'";

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Starts `up`, and returns when its session runs a statement that matches the pattern.
fn up_in(project: &Project, statement: &str) -> Child {
    let up = project.start(&["up"]);
    wait_until(project, &format!("SELECT count(*) = 1 {SESSION} AND query ~ '{statement}'"));
    up
}

/// Starts `up`, sends it the signal in the statement, and returns what it says in its last moments. Nothing is left.
fn stopped_by(project: &Project, signal: Signal, statement: &str) -> String {
    let up = up_in(project, statement);
    let begun = Instant::now();
    send(&up, signal);
    let output = project.finish(up);
    assert!(begun.elapsed() < Duration::from_secs(10), "the server went on for {:?}", begun.elapsed());
    wait_until(project, NOBODY);
    assert_eq!(
        project.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"),
        "0\n"
    );
    output
}

#[test]
fn a_signal_stops_the_statement_on_the_server_and_nothing_is_half_done() {
    for (signal, code) in [(Signal::TERM, "143"), (Signal::INT, "130"), (Signal::HUP, "129")] {
        let project = Project::new();
        project.tables(1);
        project.migration("002_slow", "CREATE TABLE half ();\nSELECT pg_sleep(60);", "DROP TABLE half;");
        project.migration("003_later", "CREATE TABLE later ();", "DROP TABLE later;");
        let output = stopped_by(&project, signal, "pg_sleep");
        let name = match signal {
            Signal::TERM => "SIGTERM",
            Signal::INT => "SIGINT",
            _ => "SIGHUP",
        };
        expect![[r#"
            exit CODE
            --- stdout
            applied 001_t1 (N ms)
            --- stderr
            SERVER · database DB · user postgres · PostgreSQL X
            warning: NAME: stopping; the running statement is cancelled
            error: migration 002_slow failed and was rolled back
             --> db/migrations/002_slow.sql:3:1
              |
            3 | SELECT pg_sleep(60);
              | ^ canceling statement due to user request [57014]
              |
              = note: applied before it in this run: 001_t1. Not run: 003_later.
              = help: NAME stopped it: run the command again, and it continues where it stopped
        "#]]
        .assert_eq(&output.replace(code, "CODE").replace(name, "NAME"));
        assert_eq!(
            project.query("SELECT to_regclass('half') IS NULL, string_agg(version, ',') FROM schema_migrations"),
            "t|001\n"
        );
        project.migration("002_slow", "CREATE TABLE half ();", "DROP TABLE half;");
        assert!(project.run(&["up"]).starts_with("exit 0"));
    }
}

#[test]
fn a_signal_outside_a_transaction_leaves_what_was_done_and_the_next_run_goes_on() {
    let project = Project::new();
    let file = |sleep: &str| {
        project.file(
            "migrations/001_steps.sql",
            &format!("-- migrate:up transaction:false\nCREATE TABLE once ();\n{sleep};\nCREATE TABLE later ();\n-- migrate:down\n"),
        );
    };
    file("SELECT pg_sleep(60)");
    expect![[r#"
        exit 143
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        warning: SIGTERM: stopping; the running statement is cancelled
        error: migration 001_steps failed at statement 2 of 3
         --> db/migrations/001_steps.sql:3:1
          |
        3 | SELECT pg_sleep(60);
          | ^ canceling statement due to user request [57014]
          |
          = note: applied before it in this run: none. Not run: none.
          = help: SIGTERM stopped it: run the command again, and it continues where it stopped
    "#]]
    .assert_eq(&stopped_by(&project, Signal::TERM, "pg_sleep"));
    file("SELECT 1");
    expect![[r#"
        exit 0
        --- stdout
        applied 001_steps (N ms)
        applied 1 migration in N ms; the database is at 001
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up"]));
}

#[test]
fn an_index_whose_build_a_signal_stopped_is_built_by_the_next_run() {
    let project = Project::new();
    project.query("CREATE TABLE a (id int)");
    project.file(
        "migrations/001_i.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY a_id;\n",
    );
    // The build waits for every transaction that could still write without the index.
    let other = Other::new(&project);
    other.run("BEGIN; INSERT INTO a VALUES (1)");
    expect![[r#"
        exit 143
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        warning: SIGTERM: stopping; the running statement is cancelled
        error: migration 001_i failed at statement 1 of 1
         --> db/migrations/001_i.sql:2:1
          |
        2 | CREATE INDEX CONCURRENTLY a_id ON a (id);
          | ^ canceling statement due to user request [57014]
          |
          = note: applied before it in this run: none. Not run: none.
          = help: SIGTERM stopped it: run the command again, and it continues where it stopped
    "#]]
    .assert_eq(&stopped_by(&project, Signal::TERM, "INDEX CONCURRENTLY"));
    let invalid = "SELECT count(*) FROM pg_index WHERE indexrelid = 'a_id'::regclass AND NOT indisvalid";
    assert_eq!(project.query(invalid), "1\n");
    other.run("COMMIT");
    expect![[r#"
        exit 0
        --- stdout
        applied 001_i (N ms)
        applied 1 migration in N ms; the database is at 001
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        001_i: index public.a_id is invalid, left by an unfinished build: dropping it and building it again
    "#]]
    .assert_eq(&project.run(&["up"]));
    assert_eq!(project.query(invalid), "0\n");
}

#[test]
fn a_second_signal_ends_the_migrator_at_once() {
    let project = Project::new();
    project.migration("001_slow", "CREATE TABLE half ();\nSELECT pg_sleep(60);", "");
    let mut up = up_in(&project, "pg_sleep");
    let backend: i32 = project.query(&format!("SELECT pid {SESSION}")).trim().parse().unwrap();
    let backend = Pid::from_raw(backend).unwrap();
    // A server that hears no cancel request.
    kill_process(backend, Signal::STOP).unwrap();
    send(&up, Signal::TERM);
    let mut stderr = BufReader::new(up.stderr.take().unwrap()).lines().map(Result::unwrap);
    let told = stderr.find(|line| line.contains("SIGTERM"));
    assert_eq!(told.as_deref(), Some("warning: SIGTERM: stopping; the running statement is cancelled"));
    send(&up, Signal::TERM);
    let ended = (0..600).find_map(|_| {
        std::thread::sleep(Duration::from_millis(50));
        up.try_wait().unwrap()
    });
    kill_process(backend, Signal::CONT).unwrap();
    let ended = ended.unwrap_or_else(|| {
        up.kill().unwrap();
        panic!("it still waits for the server");
    });
    assert_eq!(ended.code(), Some(143));
    wait_until(&project, NOBODY);
    assert_eq!(project.query("SELECT to_regclass('half') IS NULL, count(*) FROM schema_migrations"), "t|0\n");
}

#[test]
fn the_server_notices_that_a_migrator_was_killed_in_a_long_statement() {
    if major() < 14 {
        return not_tested(
            "a migrator killed in a long statement: PostgreSQL 13 does not ask whether its client is there",
        );
    }
    let project = Project::new();
    project.migration("001_slow", "CREATE TABLE half ();\nSELECT pg_sleep(60);", "");
    let mut up = up_in(&project, "pg_sleep");
    up.kill().unwrap();
    up.wait().unwrap();
    project.migration("001_slow", "CREATE TABLE half ();", "");
    let begun = Instant::now();
    let output = project.run(&["up"]);
    assert!(output.starts_with("exit 0"), "{output}");
    assert!(begun.elapsed() < Duration::from_secs(30), "the server went on for {:?}", begun.elapsed());
}

#[test]
fn one_who_slept_while_another_did_the_work_does_no_harm() {
    let project = Project::new();
    project.tables(1);
    project.file(
        "migrations/002_wait.sql",
        "-- migrate:up lock_timeout:10min\nCREATE TABLE two ();\nSELECT pg_advisory_xact_lock(42);\n-- migrate:down\nDROP TABLE two;\n",
    );
    project.migration("003_three", "CREATE TABLE three ();", "DROP TABLE three;");
    let other = Other::new(&project);
    other.run("SELECT pg_advisory_lock(42)");
    let sleeper = up_in(&project, "pg_advisory_xact_lock\\(42\\)");
    send(&sleeper, Signal::STOP);
    project.query(&format!("SELECT pg_terminate_backend(pid) {SESSION} AND query ~ '42'"));
    other.run("SELECT pg_advisory_unlock(42)");
    expect![[r#"
        exit 0
        --- stdout
        applied 002_wait (N ms)
        applied 003_three (N ms)
        applied 2 migrations in N ms; the database is at 003
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up"]));
    let history = "SELECT version, xmin, applied_at FROM schema_migrations ORDER BY version";
    let before = project.query(history);
    send(&sleeper, Signal::CONT);
    expect![[r#"
        exit 0
        --- stdout
        applied 001_t1 (N ms)
        applied 1 migration in N ms; another migrator has done the rest
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        warning: the connection was lost: terminating connection due to administrator command [57P01]; checking what was committed
        warning: the rest was done by another migrator meanwhile: 002_wait, 003_three
    "#]].assert_eq(&project.finish(sleeper));
    assert_eq!(project.query(history), before);
    assert_eq!(
        project.query("SELECT count(*), count(DISTINCT version) FROM schema_migration_events WHERE outcome = 'done'"),
        "3|3\n"
    );
}

#[test]
fn what_whoever_started_it_wants_ignored_stays_ignored() {
    let project = Project::new();
    project.migration("001_slow", "SELECT pg_sleep(4);", "");
    let migrator = project.command(&["up"]);
    let mut shell = std::process::Command::new("sh");
    // As `nohup`, and as a shell does that starts something in the background.
    shell.args(["-c", "trap '' HUP INT; exec \"$0\" \"$@\""]).arg(migrator.get_program()).args(migrator.get_args());
    for (name, value) in migrator.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let up = shell.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    wait_until_asleep(&project);
    send(&up, Signal::HUP);
    send(&up, Signal::INT);
    let output = project.finish(up);
    assert!(output.starts_with("exit 0") && output.contains("applied 001_slow"), "{output}");
}

/// This test starts itself once more, the way that `sh -c 'cargo test &'` starts it.
#[test]
fn what_the_tests_start_heeds_signals_that_they_were_started_to_ignore() {
    const INSIDE: &str = "MIGRATOR_TEST_STARTED_IGNORING";
    let project = Project::without_database();
    if std::env::var_os(INSIDE).is_some() {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            // Prepares the process as it does for every other test.
            drop(project.command(&[]));
            let mut sleep = Command::new("sleep").arg("20").spawn().unwrap();
            send(&sleep, signal);
            assert_eq!(sleep.wait().unwrap().signal(), Some(signal.as_raw()));
        }
        return;
    }
    let name = std::thread::current().name().unwrap().to_owned();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "trap '' INT TERM HUP; exec \"$0\" --exact \"$1\""])
        .arg(std::env::current_exe().unwrap())
        .arg(name);
    let output = shell.env(INSIDE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
