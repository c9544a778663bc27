//! Failures: what kind, where, what the server says, and what is true now.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{last, of};
use crate::support::{Other, Project, finish_json, wait_until_asleep};

fn truth(error: &Value) -> Value {
    let truth = &error["true"];
    json!([truth["state"], truth["done"], truth["not_run"], truth["in_doubt"]])
}

#[test]
fn a_statement_that_fails_has_its_place_and_what_is_true() {
    let project = Project::new();
    project.tables(1);
    project.migration("002_bad", "CREATE TABLE half ();\nALTER TABLE t1 DROP COLUMN idd;", "SELECT 1;");
    project.migration("003_later", "SELECT 1;", "SELECT 1;");
    let (code, lines) = project.json(&["up"]);
    let (end, error) = (last(&lines), &last(&lines)["error"]);
    assert_eq!((code, &end["command"], &error["code"]), (3, &json!("up"), &json!("migration_failed")));
    assert_eq!(json!([error["step"], error["version"], error["direction"]]), json!(["002_bad", "002", "up"]));
    assert_eq!(
        json!([error["file"], error["line"], error["column"], error["sqlstate"]]),
        json!(["db/migrations/002_bad.sql", 3, 1, "42703"])
    );
    assert_eq!(error["message"], "migration 002_bad failed and was rolled back");
    assert_eq!(error["server_message"], "column \"idd\" of relation \"t1\" does not exist");
    assert_eq!(truth(error), json!(["not_applied", ["001_t1"], ["003_later"], []]));
    assert_eq!(of(&lines, "applied").len(), 1, "what is done is told before: {lines:#?}");
    assert!(error["help"][0].as_str().unwrap().starts_with("correct the file"), "{error}");
}

#[test]
fn what_the_server_adds_is_in_keys_of_its_own() {
    let project = Project::new();
    project.migration(
        "001_a",
        "CREATE TABLE a (id int CONSTRAINT small CHECK (id < 9)); INSERT INTO a VALUES (10);",
        "",
    );
    let (_, lines) = project.json(&["up"]);
    let error = &last(&lines)["error"];
    assert_eq!(json!([error["schema"], error["table"], error["constraint"]]), json!(["public", "a", "small"]));
    assert_eq!(error["detail"], "Failing row contains (10).");
    project.migration("001_a", "DO $$ BEGIN RAISE EXCEPTION 'no' USING HINT = 'ask', ERRCODE = 'XX123'; END $$;", "");
    let (_, lines) = project.json(&["up"]);
    let error = &last(&lines)["error"];
    assert_eq!(json!([error["hint"], error["sqlstate"]]), json!(["ask", "XX123"]));
    assert!(error["context"].as_str().unwrap().contains("inline_code_block"), "{error}");
}

#[test]
fn a_rollback_that_fails_is_still_applied() {
    let project = Project::new();
    project.tables(2).migration("002_t2", "SELECT 1;", "SELECT 1 / 0;").json(&["up"]);
    let (code, lines) = project.json(&["down", "--to", "0", "--yes"]);
    let error = &last(&lines)["error"];
    assert_eq!((code, &error["direction"]), (3, &json!("down")));
    assert_eq!(truth(error), json!(["still_applied", [], ["001_t1"], []]));
}

#[test]
fn a_block_outside_a_transaction_names_the_statement() {
    let project = Project::new();
    project.migration("001_a", "CREATE TABLE a (id int);", "DROP TABLE a;").file(
        "migrations/002_index.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON a (nope);\n-- migrate:down\n",
    );
    let (code, lines) = project.json(&["up"]);
    let error = &last(&lines)["error"];
    assert_eq!((code, &error["statement"], &error["line"]), (3, &json!(1), &json!(2)));
    assert_eq!(truth(error), json!(["half_done", ["001_a"], [], []]));
    let (_, lines) = project.json(&["status"]);
    let half = &last(&lines)["migrations"][1]["half_done"];
    assert_eq!(json!([half["statement"], half["failed"], half["statements_done"]]), json!([1, true, 0]));
}

#[test]
fn what_is_in_doubt_is_named_until_a_person_decides() {
    let project = Project::new();
    project.tables(1).file(
        "migrations/002_do.sql",
        "-- migrate:up transaction:false\nDO $$ BEGIN INSERT INTO t1 VALUES (1); COMMIT; PERFORM 1 / 0; END $$;\n-- migrate:down\n",
    );
    let (code, lines) = project.json(&["up"]);
    let error = &last(&lines)["error"];
    assert_eq!((code, &error["code"], &error["statement"]), (7, &json!("in_doubt"), &json!(1)), "{error}");
    assert_eq!(truth(error), json!(["half_done", ["001_t1"], [], ["002_do"]]));
    let (code, lines) = project.json(&["up"]);
    let error = &last(&lines)["error"];
    assert_eq!((code, &error["code"], &error["version"]), (7, &json!("in_doubt"), &json!("002")));
    assert_eq!(error["true"]["in_doubt"], json!(["002_do"]));
    let (code, lines) = project.json(&["resolve", "2", "--statement", "1", "--applied"]);
    let end = last(&lines);
    assert_eq!(
        json!([code, end["migration"], end["decision"], end["direction"]]),
        json!([0, "002_do", "applied", "up"])
    );
    assert_eq!(project.json(&["up"]).0, 0);
}

#[test]
fn a_lost_connection_is_told_on_the_way_and_at_the_end() {
    let project = Project::new();
    project.tables(1).migration("002_gone", "SELECT pg_terminate_backend(pg_backend_pid());", "SELECT 1;");
    let (code, lines) = project.json(&["up", "--one-by-one"]);
    let error = &last(&lines)["error"];
    assert_eq!((code, &error["code"], of(&lines, "connection_lost").len()), (6, &json!("unfinished"), 1));
    assert_eq!(truth(error), json!(["not_applied", ["001_t1"], [], []]));
}

#[test]
fn who_holds_the_lock_is_data() {
    let project = Project::new();
    project.migration("001_slow", "SELECT pg_sleep(3);", "");
    let slow = project.start(&["up"]);
    wait_until_asleep(&project);
    let (_, lines) = project.json(&["status"]);
    let held = last(&lines)["lock"].clone();
    assert_eq!((&held["user"], &held["application"]), (&json!("postgres"), &json!("migrator 1.0.0")), "{held}");
    let (code, lines) = project.json(&["up", "--wait-lock", "100ms"]);
    let (waiting, error) = (of(&lines, "waiting")[0], &last(&lines)["error"]);
    assert_eq!((code, &error["code"]), (5, &json!("locked")));
    assert_eq!((&waiting["for"], &waiting["holder"]), (&json!("lock"), &held));
    assert_eq!(error["holder"], held);
    assert!(project.finish(slow).starts_with("exit 0"));
    assert_eq!(last(&project.json(&["status"]).1)["lock"], Value::Null);
}

#[test]
fn who_blocks_a_step_is_data() {
    let project = Project::new();
    project.file("migrator.toml", "[session]\nlock_timeout = \"1s\"\nretry_for = \"2s\"\n").tables(1).run(&["up"]);
    let other = Other::new(&project);
    other.run("BEGIN; LOCK TABLE t1");
    project.migration("002_wait", "ALTER TABLE t1 ADD COLUMN b int;", "ALTER TABLE t1 DROP COLUMN b;");
    let (code, lines) = project.json(&["up"]);
    let (blocked, retrying) = (of(&lines, "blocked")[0], of(&lines, "retrying")[0]);
    for holder in [&blocked["holder"], &retrying["holder"], &last(&lines)["error"]["holder"]] {
        assert_eq!(
            json!([holder["application"], holder["state"]]),
            json!(["shop", "idle in transaction"]),
            "{lines:#?}"
        );
        assert_eq!(holder["query"], "BEGIN; LOCK TABLE t1");
    }
    assert_eq!((code, &retrying["sqlstate"]), (3, &json!("55P03")));
    other.run("ROLLBACK");
}

#[test]
fn without_a_server_there_is_an_error_and_while_it_is_waited_for_an_event() {
    let project = Project::without_database();
    let nowhere = [("DATABASE_URL", "postgresql://postgres@127.0.0.1:1/x")];
    let run = |arguments: &[&str]| {
        let mut command = project.command(&[arguments, &["--json"]].concat());
        command.envs(nowhere).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        finish_json(command.spawn().unwrap())
    };
    for command in [&["up"][..], &["down", "--yes"], &["status"], &["plan"], &["seed"], &["audit"], &["stats"]] {
        let expected = if command == ["seed"] { (2, "usage") } else { (6, "connect_failed") };
        let (code, lines) = run(command);
        assert_eq!((code, last(&lines)["error"]["code"].as_str()), (expected.0, Some(expected.1)), "{command:?}");
        assert_eq!(last(&lines)["command"], command[0]);
    }
    let (code, lines) = run(&["wait", "--timeout", "100ms"]);
    assert_eq!((code, &of(&lines, "waiting")[0]["for"]), (6, &json!("connection")));
}

#[test]
fn what_the_policy_forbids_and_what_does_not_fit_have_their_codes() {
    let project = Project::new();
    project.file("migrator.toml", "[environments.production]\ndown = false\n").tables(2).run(&["up"]);
    project.run(&["environment", "set", "production"]);
    let (code, lines) = project.json(&["down", "--yes"]);
    assert_eq!((code, &last(&lines)["error"]["code"]), (8, &json!("refused")));
    project.migration("001_t1", "CREATE TABLE other ();", "").remove("migrations/002_t2.sql");
    let (code, lines) = project.json(&["up"]);
    let error = &last(&lines)["error"];
    let kinds: Vec<Value> =
        error["divergences"].as_array().unwrap().iter().map(|place| json!([place["kind"], place["version"]])).collect();
    assert_eq!((code, &error["code"]), (4, &json!("diverged")));
    assert_eq!(kinds, [json!(["changed", "001"])]);
}

#[test]
fn a_signal_ends_with_an_object_too() {
    let project = Project::new();
    project.migration("001_slow", "SELECT pg_sleep(60);", "");
    let up = project.start(&["up", "--json"]);
    wait_until_asleep(&project);
    kill_process(Pid::from_child(&up), Signal::TERM).unwrap();
    let (code, lines) = finish_json(up);
    let error = &last(&lines)["error"];
    assert_eq!((code, &error["true"]["state"]), (143, &json!("not_applied")), "{lines:#?}");
    assert!(of(&lines, "warning")[0]["message"].as_str().unwrap().starts_with("SIGTERM"));
    // Nothing can be cancelled yet while it looks for the server.
    let waits = Project::without_database();
    let mut wait = waits.command(&["wait", "--json"]);
    wait.env("DATABASE_URL", "postgresql://postgres@127.0.0.1:1/x").stdout(std::process::Stdio::piped());
    let mut wait = wait.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut reader = std::io::BufReader::new(wait.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut reader, &mut first).unwrap();
    kill_process(Pid::from_child(&wait), Signal::INT).unwrap();
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut reader, &mut rest).unwrap();
    let lines = crate::support::schema::lines(&format!("{first}{rest}"));
    assert_eq!((wait.wait().unwrap().code(), &last(&lines)["exit"]), (Some(130), &json!(130)), "{lines:#?}");
}
