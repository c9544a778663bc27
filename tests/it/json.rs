//! `--json`: what a program reads of every command, of what happens on the way and of every failure. That each line is as its schema in
//! docs/schema says, `support` checks of every output that any test sees.

mod failures;
mod hostile;
mod reading;
mod schemas;
mod tasks;
mod usage;

use serde_json::{Value, json};

use crate::support::{Project, fingerprint};

/// The names of the events, in order.
fn events(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["event"].as_str()).collect()
}

/// The line that says how it ended.
fn last(lines: &[Value]) -> &Value {
    lines.last().unwrap()
}

/// The events of that name.
fn of<'l>(lines: &'l [Value], event: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["event"] == event).collect()
}

#[test]
fn a_run_tells_each_step_and_how_it_ended() {
    let project = Project::new();
    project.tables(2).file("repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;\n");
    let (code, lines) = project.json(&["up"]);
    assert_eq!(code, 0);
    assert_eq!(
        events(&lines),
        ["writes_to", "started", "started", "started", "applied", "applied", "applied"],
        "a step is told once it is durable: {lines:#?}"
    );
    assert_eq!(lines[0]["database"], project.database());
    let steps: Vec<Value> = of(&lines, "applied")
        .iter()
        .map(|line| json!([line["step"], line["kind"], line["version"], line["direction"]]))
        .collect();
    assert_eq!(
        steps,
        [
            json!(["001_t1", "migration", "001", "up"]),
            json!(["002_t2", "migration", "002", "up"]),
            json!(["v", "repeatable", null, null])
        ]
    );
    let end = last(&lines);
    assert_eq!((&end["command"], &end["newest"], &end["by_another"]), (&json!("up"), &json!("002"), &json!(false)));
    assert_eq!(end["applied"].as_array().unwrap().len(), 3);
    let sentence = end["message"].as_str().unwrap();
    assert!(sentence.starts_with("applied 2 migrations and 1 repeatable in "), "{sentence}");
    let (code, lines) = project.json(&["up"]);
    assert_eq!((code, &last(&lines)["message"]), (0, &json!("nothing to apply")));
}

#[test]
fn quiet_leaves_out_what_is_no_result_and_verbose_leaves_out_nothing() {
    let project = Project::new();
    project.migration("001_a", "DO $$ BEGIN RAISE NOTICE 'hello'; END $$;", "SELECT 1;");
    let (_, lines) = project.json(&["up", "--quiet"]);
    assert_eq!(events(&lines), ["applied"]);
    project.json(&["down", "--yes"]);
    let (_, lines) = project.json(&["up", "--verbose"]);
    for event in ["connected", "history_read", "locked", "sent", "notice", "applied"] {
        assert_eq!(of(&lines, event).len(), 1, "{event}: {lines:#?}");
    }
    let notice = of(&lines, "notice")[0];
    assert_eq!((&notice["step"], &notice["message"]), (&json!("001_a"), &json!("hello")));
}

#[test]
fn what_goes_back_and_forth_is_told_in_order() {
    let project = Project::new();
    project.tables(3).run(&["up"]);
    let (code, lines) = project.json(&["redo", "--yes"]);
    assert_eq!((code, last(&lines)["done"].as_array().unwrap().len()), (0, 2));
    assert_eq!(of(&lines, "rolled_back").len(), 1);
    let (code, lines) = project.json(&["down", "--steps", "2", "--yes"]);
    assert_eq!(code, 0);
    let steps: Vec<&Value> = of(&lines, "rolled_back").iter().map(|line| &line["step"]).collect();
    assert_eq!(steps, ["003_t3", "002_t2"]);
    let message = last(&lines)["message"].as_str().unwrap();
    assert!(
        message.starts_with("rolled back 2 migrations in ") && message.ends_with("; the database is at 001"),
        "{message}"
    );
    assert_eq!(last(&lines)["newest"], "001");
    let (code, lines) = project.json(&["down", "--to", "0", "--yes"]);
    assert_eq!((code, last(&lines)["rolled_back"][0]["version"].as_str()), (0, Some("001")));
    let (code, lines) = project.json(&["down", "--yes"]);
    assert_eq!((code, &last(&lines)["rolled_back"]), (0, &json!([])));
}

#[test]
fn the_other_commands_that_write_have_their_results() {
    let project = Project::new();
    project.tables(2).file("seeds/test.sql", "INSERT INTO t1 VALUES (1);\n");
    let (code, lines) = project.json(&["stamp", "--to", "1"]);
    assert_eq!((code, &last(&lines)["stamped"]), (0, &json!(["001_t1"])));
    project.query("CREATE TABLE t1 (id int)");
    project.json(&["up"]);
    let (code, lines) = project.json(&["seed", "test"]);
    assert_eq!((code, &last(&lines)["seed"]), (0, &json!("test")));
    let (code, lines) = project.json(&["environment", "set", "staging"]);
    assert_eq!((code, &last(&lines)["has_policy"]), (0, &json!(false)));
    assert_eq!(of(&lines, "warning").len(), 1, "{lines:#?}");
    let (_, lines) = project.json(&["environment"]);
    assert_eq!((&last(&lines)["environment"], &last(&lines)["from"]), (&json!("staging"), &json!("database")));
    let (code, lines) = project.json(&["wait"]);
    assert_eq!((code, last(&lines)["database"].as_str()), (0, Some(project.database())));
}

#[test]
fn another_tool_is_adopted_with_numbers() {
    let project = Project::new();
    project.tables(2).query(
        "CREATE TABLE schema_migrations (version varchar PRIMARY KEY); INSERT INTO schema_migrations VALUES ('001')",
    );
    let before = fingerprint(&project);
    let (code, lines) = project.json(&["adopt", "dbmate", "--dry-run"]);
    let end = last(&lines);
    assert_eq!((code, &end["dry_run"], &end["adopted"]), (0, &json!(true), &json!(["001_t1"])), "{lines:#?}");
    assert_eq!(fingerprint(&project), before);
    let (_, lines) = project.json(&["adopt", "dbmate"]);
    assert_eq!((&last(&lines)["is_ours"], &last(&lines)["pending"]), (&json!(true), &json!(["002_t2"])));
}
