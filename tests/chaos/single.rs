//! Single points: those that prove that the oracle can find something, and those that have found something.

use std::io::{BufRead as _, BufReader};
use std::sync::Arc;

use expect_test::expect;
use rustix::process::{Signal, kill_process};

use crate::command::{Command, Task};
use crate::fault::Fault;
use crate::migrator;
use crate::point::Point;
use crate::proxy::{Harm, Proxy, Strike};
use crate::sweep::{calm, rough};

/// Whether the oracle notices a defect of the migrator at this point, and nothing without the defect.
fn is_caught(defect: &'static str, task: Task, fault: Fault, text: &str, words: &str) {
    let sound = Point::of(task, fault, calm().place_in(task, text));
    let planted = Point { planted: Some(defect), ..sound.clone() };
    let wrong = calm().run(&planted).wrong.join("\n");
    assert!(wrong.contains(words), "the oracle has not noticed `{defect}` by `{words}`: {wrong}");
    assert_eq!(calm().run(&sound).wrong, Vec::<String>::new(), "without the defect");
}

#[test]
fn a_history_row_outside_the_migrations_transaction_is_caught() {
    let is_caught = |task, text, words| is_caught("history-outside", task, Fault::Cut, text, words);
    is_caught(Task::Up, "CREATE TABLE orders", "migration 001 was done (up) by transaction");
    is_caught(Task::Down, "D/009", "migration 010 was done (down) by transaction");
    is_caught(Task::DownOfNewer, "D/009", "migration 010 was done (down) by transaction");
    is_caught(Task::Seed, "pg_advisory_unlock_all", "seed test was done by transactions");
}

#[test]
fn an_ignored_error_at_commit_is_caught() {
    // The last one before the run leaves the pipeline: nothing that follows corrects the mistake.
    is_caught("commit-ignored", Task::Up, Fault::Terminate, "INSERT INTO orders", "untrue: `applied 003_rows");
    is_caught("commit-ignored", Task::Down, Fault::Terminate, "D/007", "untrue: `rolled back 007_touch");
    is_caught("commit-ignored", Task::DownOfNewer, Fault::Terminate, "D/007", "untrue: `rolled back 007_touch");
    is_caught("commit-ignored", Task::Seed, Fault::Terminate, "S/test", "untrue: `seeded test");
}

/// Runs `up` of migrations of which one gives the lock away, while another session waits for it, takes it and reads the history;
/// what the history has gained when it gives the lock back, and the exit code.
fn up_without_the_lock(give_away: &str, planted: &str) -> (Vec<String>, Option<i32>) {
    let db = tempfile::TempDir::new().unwrap();
    std::fs::create_dir(db.path().join("migrations")).unwrap();
    let write = |number: usize, up: &str| {
        let text = format!("-- migrate:up\n{up}\n-- migrate:down\nSELECT 1;\n");
        std::fs::write(db.path().join(format!("migrations/{number:03}_m.sql")), text).unwrap();
    };
    write(1, "SELECT pg_sleep(0.5);");
    write(2, give_away);
    // Long enough for the other session to take the lock and to look.
    write(3, "SELECT pg_sleep(1);");
    (4..=9).for_each(|number| write(number, &format!("CREATE TABLE t{number} ();")));
    let world = calm();
    let database = world.create();
    let url = world.server.url(&database);
    let mut up = migrator::command(db.path(), &url, &["up"]);
    let up = up.env("MIGRATOR_PLANTED_BUG", planted).spawn().unwrap();
    let other = world.server.session(&database);
    let key = "(SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 \
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1)";
    let key = loop {
        let key = other.value(&format!("SELECT {key}"));
        if !key.is_empty() {
            break key;
        }
    };
    while other.value(&format!("SELECT pg_try_advisory_lock({key})")) != "t" {}
    let history = || other.rows("SELECT version FROM schema_migrations ORDER BY 1").into_iter().flatten().flatten();
    let before: Vec<String> = history().collect();
    let said = migrator::finish(up);
    let gained = history().filter(|version| !before.contains(version)).collect();
    (gained, said.exit)
}

#[test]
fn a_lock_that_was_lost_is_caught() {
    for give_away in [
        "SELECT pg_advisory_unlock_all();",
        "DO $$ BEGIN EXECUTE 'DISCARD ALL'; EXCEPTION WHEN OTHERS THEN PERFORM pg_advisory_unlock_all(); END $$;",
    ] {
        let (gained, exit) = up_without_the_lock(give_away, "");
        assert_eq!((gained, exit), (vec![], Some(5)), "{give_away}");
        let (gained, exit) = up_without_the_lock(give_away, "lock-unseen");
        // All that comes after it; with the defect the lock is free before the one that gives it away has committed.
        let after: Vec<String> = (3..=9).map(|number| format!("{number:03}")).collect();
        assert_eq!((&gained[gained.len() - after.len()..], exit), (&after[..], Some(0)), "{give_away}");
    }
}

#[test]
fn what_a_crash_takes_back_is_not_called_applied() {
    let world = rough();
    let place = world.place_of("ALTER TABLE accounts ADD COLUMN mood");
    // The migration before it has been answered, but its commit was to become durable with a later one.
    let outcome = world.run(&Point::new(Fault::Restart, place));
    assert!(outcome.log.contains("migration 007_touch is not applied"), "{}", outcome.log);
    assert_eq!(outcome.wrong, Vec::<String>::new(), "{}", outcome.log);
}

#[test]
fn a_session_that_the_server_ends_is_a_lost_connection() {
    for text in ["current_setting('server_version')", "pg_backend_pid() AS pid", "pg_try_advisory_lock", "RESET ALL"] {
        let outcome = calm().run(&Point::new(Fault::Terminate, calm().place_of(text)));
        assert_eq!((outcome.exit, outcome.wrong), (Some(6), vec![]), "{text}\n{}", outcome.log);
    }
}

#[test]
fn what_was_not_durable_is_in_doubt_when_the_server_does_not_come_back() {
    let world = calm();
    let database = world.create();
    // From the fault on, the proxy finds nobody where the server was.
    let server = world.server.address();
    let (gone, ended) = (Arc::clone(&server), Arc::clone(&world.server));
    let act = move |process| {
        *gone.lock().unwrap() = "/nowhere".into();
        ended.session("postgres").rows(&format!("SELECT pg_terminate_backend({process})"));
    };
    let harm = Harm::Strike(Strike { behind: false, ends: false, act: Arc::new(act) });
    let harms = vec![(world.place_of("ALTER TABLE accounts ADD COLUMN mood"), harm)];
    let proxy = Proxy::harming(server, harms);
    let mut up = migrator::command(world.db(Command::Up), &proxy.url(&database), &["up"]).spawn().unwrap();
    let mut lines = BufReader::new(up.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("the server is not back yet")));
    kill_process(migrator::pid(&up), Signal::TERM).unwrap();
    let stderr: Vec<String> = lines.filter(|line| !line.starts_with("the server is not back yet")).collect();
    expect![[r#"
        warning: SIGTERM: stopping; the running statement is cancelled
        error: the connection was lost (terminating connection due to administrator command [57P01]), and the check of what was committed failed: stopped by a signal while checking what was committed
          = note: in doubt: 007_touch, 008_mood, 009_backfill and 3 more
          = help: when the server is back, check `migrator status`, then run the command again"#]].assert_eq(&stderr.join("\n"));
    let said = migrator::finish(up);
    assert_eq!(said.exit, Some(7));
    assert!(said.stdout.contains("applied 006_mixed") && !said.stdout.contains("007_touch"), "{}", said.stdout);
}

/// Runs one fault before the first message with these words, or, where `behind`, behind it: exit code and log of a run that
/// breaks no promise.
fn sound(task: Task, fault: Fault, text: &str, behind: bool) -> (Option<i32>, String) {
    let place = calm().place_in(task, text);
    let outcome = calm().run(&Point { behind, ..Point::of(task, fault, place) });
    assert!(outcome.reached, "{}", outcome.log);
    assert_eq!(outcome.wrong, Vec::<String>::new(), "{}", outcome.log);
    (outcome.exit, outcome.log)
}

#[test]
fn of_a_seed_whose_answer_is_lost_it_is_said_whether_it_is_in_the_database() {
    let (exit, log) = sound(Task::Seed, Fault::LoseReply, "S/test", false);
    assert_eq!(exit, Some(0), "{log}");
    assert!(log.contains("warning: it had been committed before the connection was lost"), "{log}");
    let (exit, log) = sound(Task::Seed, Fault::Cut, "S/test", false);
    assert_eq!(exit, Some(6), "{log}");
    assert!(log.contains("error: seed test was not committed by this run: the connection was lost: "), "{log}");
}

#[test]
fn a_rollback_that_is_asked_for_while_another_migrator_works_does_not_call_that_half_done() {
    // Its statement is on its way: neither is it half-done for good, nor is its end unknown.
    let (_, log) = sound(Task::Up, Fault::Race, "Q DO", false);
    assert!(log.contains("error: cannot plan now: another migrator is running, pid "), "{log}");
    let (_, log) = sound(Task::Down, Fault::Race, "Q DO", false);
    assert!(log.contains("waiting for the migration lock: held by pid "), "{log}");
}

#[test]
fn who_wakes_up_after_another_has_done_the_work_says_so() {
    let (exit, log) = sound(Task::Up, Fault::Freeze, "Q DO", false);
    assert_eq!(exit, Some(7), "{log}");
    let (exit, log) = sound(Task::Up, Fault::Freeze, "CREATE TABLE orders", false);
    assert_eq!(exit, Some(0), "{log}");
    assert!(log.contains("warning: the rest was done by another migrator meanwhile: 002_orders"), "{log}");
    let (exit, log) = sound(Task::Down, Fault::Freeze, "D/009", false);
    assert_eq!(exit, Some(0), "{log}");
    assert!(log.contains("warning: the rest was done by another migrator meanwhile: 009_backfill"), "{log}");
}

#[test]
fn who_wakes_up_after_another_has_undone_the_work_says_so() {
    let (exit, log) = sound(Task::Up, Fault::FreezeOpposed, "INSERT INTO orders", false);
    assert_eq!(exit, Some(6), "{log}");
    let (exit, log) = sound(Task::Down, Fault::FreezeOpposed, "D/009", false);
    assert_eq!(exit, Some(6), "{log}");
    assert!(log.contains("error: migration 009_backfill is still applied: the connection was lost: "), "{log}");
}
