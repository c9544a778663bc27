//! Single points: those that prove that the oracle can find something, and those that have found something.

use crate::point::{Fault, Point};
use crate::sweep::{calm, rough};

/// Whether the oracle notices a defect of the migrator at this point, and nothing without the defect.
fn is_caught(defect: &'static str, fault: Fault, text: &str, words: &str) {
    let sound = Point::new(fault, calm().place_of(text));
    let planted = Point { planted: Some(defect), ..sound.clone() };
    let wrong = calm().run(&planted).wrong.join("\n");
    assert!(wrong.contains(words), "the oracle has not noticed `{defect}` by `{words}`: {wrong}");
    assert_eq!(calm().run(&sound).wrong, Vec::<String>::new(), "without the defect");
}

#[test]
fn a_history_row_outside_the_migrations_transaction_is_caught() {
    is_caught("history-outside", Fault::Cut, "CREATE TABLE orders", "migration 001 was done by transaction");
}

#[test]
fn an_ignored_error_at_commit_is_caught() {
    // The last one before the run leaves the pipeline: nothing that follows corrects the mistake.
    is_caught("commit-ignored", Fault::Terminate, "INSERT INTO orders", "untrue: `applied 003_rows");
}

#[test]
fn what_a_crash_takes_back_is_not_called_applied() {
    let world = rough();
    let place = world.place_of("ALTER TABLE accounts ADD COLUMN mood");
    // The migration before it has been answered, but its commit was to become durable with a later one.
    let outcome = world.run(&Point::new(Fault::Restart, place));
    assert!(outcome.log.contains("migration 007_touch was rolled back"), "{}", outcome.log);
    assert_eq!(outcome.wrong, Vec::<String>::new(), "{}", outcome.log);
}

#[test]
fn a_session_that_the_server_ends_is_a_lost_connection() {
    for text in ["current_setting('server_version')", "pg_backend_pid() AS pid", "pg_try_advisory_lock", "RESET ALL"] {
        let outcome = calm().run(&Point::new(Fault::Terminate, calm().place_of(text)));
        assert_eq!((outcome.exit, outcome.wrong), (Some(6), vec![]), "{text}\n{}", outcome.log);
    }
}
