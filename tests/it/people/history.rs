//! `history`: the event log as people and programs read it.

use std::io::Read as _;
use std::process::Stdio;

use expect_test::expect;
use serde_json::Value;

use super::shown;
use crate::support::Project;

/// The object that the command prints.
fn json(project: &Project, arguments: &[&str]) -> Value {
    let output = project.command(arguments).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn every_kind_of_event_is_shown_newest_first() {
    let project = Project::new();
    assert!(project.run(&["history"]).contains("no events"));
    project.tables(2).file("repeatable/views.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS a;\n");
    project.file("seeds/development.sql", "INSERT INTO t1 VALUES (1);\n");
    project.file(
        "migrations/003_steps.sql",
        "-- migrate:up transaction:false\nSELECT 1;\nSELECT 1 / 0;\n-- migrate:down\n",
    );
    project.run(&["stamp", "--to", "1"]);
    project.query("CREATE TABLE t1 (id int)");
    project.run(&["up", "--approved-by", "jane"]);
    project.run(&["environment", "set", "staging"]);
    project.run(&["seed", "development"]);
    let told = project.run(&["history"]);
    let rows: Vec<String> = told
        .lines()
        .skip(2)
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            // Without the moment, the run, the user and what takes its time.
            let kept = words.iter().filter(|word| !word.contains('@') && !word.starts_with("database_"));
            kept.skip(if words[0] == "TIME" { 0 } else { 3 }).copied().collect::<Vec<_>>().join(" ")
        })
        .collect();
    expect![[r#"
        TIME (UTC) RUN EVENT OF BY RELEASE TOOK DETAIL
        seed development 1.0.0 N ms
        environment staging 1.0.0 N ms
        up failed 003_steps 1.0.0 N ms division by zero [22012]; approved by jane; plan ed86e9b86ca3
        up statement 2 failed 003_steps 1.0.0 N ms division by zero [22012]; approved by jane; plan ed86e9b86ca3
        up statement 1 003_steps 1.0.0 N ms approved by jane; plan ed86e9b86ca3
        up 002_t2 1.0.0 N ms approved by jane; plan ed86e9b86ca3
        stamp 001_t1 1.0.0 N ms"#]]
    .assert_eq(&rows.join("\n"));
    let all = json(&project, &["history", "--json"]);
    let actions: Vec<&str> =
        all["events"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert!(["stamp", "up", "environment", "seed"].iter().all(|action| actions.contains(action)), "{actions:?}");
    let approved = all["events"].as_array().unwrap().iter().find(|event| event["action"] == "up").unwrap();
    assert_eq!(approved["approved_by"], "jane");
    let digest = approved["plan"].as_str().and_then(|plan| plan.split('.').next());
    assert_eq!((digest.map(str::len), &approved["release"]), (Some(64), &Value::from("1.0.0")));
}

#[test]
fn filters_take_a_version_however_it_is_written_and_the_beginning_of_a_run() {
    let project = Project::new();
    project.tables(3).run(&["up"]);
    project.run(&["down", "--yes"]);
    let count = |arguments: &[&str]| json(&project, arguments)["events"].as_array().unwrap().len();
    assert_eq!(count(&["history", "--json", "--version", "3"]), 2);
    assert_eq!(count(&["history", "--json", "--version", "003"]), 2);
    assert_eq!(count(&["history", "--json", "--version", "0"]), 0);
    assert_eq!(count(&["history", "--json", "--version", "3' OR 'a' = 'a"]), 0);
    let all = json(&project, &["history", "--json"]);
    let run = all["events"][0]["run"].as_str().unwrap().to_owned();
    assert_eq!(count(&["history", "--json", "--run", &run[..6]]), 1);
    assert_eq!(count(&["history", "--json", "--run", &run, "--version", "1"]), 0);
    let none = project.run(&["history", "--run", "nonesuch"]);
    assert!(none.contains("no events that match"), "{none}");
    let cut = project.run(&["history", "--limit", "1"]);
    assert!(cut.contains("and 3 more: --limit 0 shows all") && cut.lines().count() == 5, "{cut}");
    assert_eq!(json(&project, &["history", "--json", "--limit", "1"])["more"], 3);
}

#[test]
fn a_log_of_100_000_rows_is_read_in_portions_in_constant_memory() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    project.query(
        "INSERT INTO schema_migration_events (run_id, action, name, outcome, detail) \
         SELECT 'run' || n, 'seed', 'development', 'done', repeat('x', 100) FROM generate_series(1, 100000) n",
    );
    let told = project.run(&["history"]);
    assert!(told.contains("and 99,951 more") && told.lines().count() == 54, "{}", told.len());
    let (text, peak) = read(&project, &["history", "--limit", "0"], || {});
    // With the names of the columns.
    assert_eq!(text.lines().count(), 100_002);
    // All events at once would be more than 60 MB.
    assert!((1..40_000).contains(&peak), "{peak} kB");
    let json = ["history", "--limit", "0", "--json"];
    let (text, peak) = read(&project, &json, || {});
    let [last] = &crate::support::schema::lines(&text)[..] else { panic!("one line") };
    let numbers = last["events"].as_array().unwrap().iter().map(|event| event["id"].as_i64().unwrap());
    assert!(numbers.clone().rev().is_sorted() && numbers.count() == 100_001);
    assert_eq!((&last["more"], &last["exit"]), (&Value::from(0), &Value::from(0)));
    assert!((1..40_000).contains(&peak), "{peak} kB");
    // It cannot go on: no one reads what it has printed. Then it has no connection.
    let sessions = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let (text, _) =
        read(&project, &json, || drop(project.query(&format!("SELECT pg_terminate_backend(pid) {sessions}"))));
    let [last] = &crate::support::schema::lines(&text)[..] else { panic!("one line") };
    let told = last["events"].as_array().unwrap().len();
    assert!((1..100_001).contains(&told), "{told}");
    let code = last["error"]["code"].as_str().unwrap_or_else(|| panic!("{}", last["error"]));
    assert!(
        ["connection_lost", "no_connection", "connect_failed"].contains(&code) && last["exit"] == 6,
        "{}",
        last["error"]
    );
}

/// What a run prints, and how much memory it takes at most, in kB; `then` is done when it has begun to print.
fn read(project: &Project, arguments: &[&str], then: impl FnOnce()) -> (String, usize) {
    let mut child = project.command(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let (mut text, mut peak, mut part) = (Vec::new(), 0, vec![0; 1 << 18]);
    let mut stdout = child.stdout.take().unwrap();
    let mut then = Some(then);
    loop {
        let read = stdout.read(&mut part).unwrap();
        if read == 0 {
            break;
        }
        text.extend(&part[..read]);
        then.take().into_iter().for_each(|then| then());
        peak = peak.max(memory(child.id()));
    }
    child.wait().unwrap();
    (String::from_utf8(text).unwrap(), peak)
}

/// The resident memory of a process, in kB.
fn memory(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse().ok()).unwrap_or(0)
}

#[test]
fn what_is_in_the_log_commands_no_terminal_and_begins_no_line() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    project.query(
        "INSERT INTO schema_migration_events (run_id, action, name, outcome, detail, actor, release) \
         VALUES (E'r\\n\\x1b[2J', E'up\\x1b]0;x\\x07', E'n\\rerror: forged', E'done\\n', E'd\\nerror: forged', E'\\u202eevil', E'1\\n2')",
    );
    for columns in [60, 160] {
        let (_, screen) = shown(project.command(&["history", "--color", "never"]), columns);
        assert!(!screen.contains('\u{1b}') && !screen.contains('\u{7}') && !screen.contains('\u{202e}'), "{screen:?}");
        assert!(!screen.contains("\nerror: forged"), "{screen:?}");
    }
    assert_eq!(json(&project, &["history", "--json"])["events"][0]["detail"], "d\nerror: forged");
}

#[test]
fn the_table_of_another_tool_has_no_log() {
    let project = Project::new();
    project.tables(1);
    project.query(
        "CREATE TABLE schema_migrations (version varchar PRIMARY KEY); INSERT INTO schema_migrations VALUES ('001')",
    );
    assert!(project.run(&["history"]).contains("no events"));
    assert_eq!(project.query("SELECT to_regclass('schema_migration_events') IS NULL"), "t\n");
}
