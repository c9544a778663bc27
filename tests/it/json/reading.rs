//! The commands that only read.

use serde_json::{Value, json};

use super::{events, last, of};
use crate::support::Project;

#[test]
fn a_plan_is_the_same_object_for_up_and_for_plan() {
    let project = Project::new();
    project.tables(2);
    let (_, lines) = project.json(&["plan", "--sql"]);
    let plan = last(&lines);
    assert_eq!((plan["steps"].as_array().unwrap().len(), &plan["message"]), (2, &json!("would apply 2 steps")));
    assert_eq!(plan["steps"][1]["sql"], "CREATE TABLE t2 (id int);\n\n");
    let (_, lines) = project.json(&["up", "--dry-run"]);
    assert_eq!((&last(&lines)["dry_run"], &last(&lines)["digest"]), (&json!(true), &plan["digest"]));
    assert_eq!(events(&lines), [""; 0]);
}

#[test]
fn what_a_check_finds_is_a_result_and_no_error() {
    let project = Project::new();
    project.tables(2).file("checks/few.sql", "SELECT id FROM t1;\n").run(&["up", "--to", "1"]);
    let (code, lines) = project.json(&["status", "--check"]);
    assert_eq!((code, last(&lines).get("error")), (1, None));
    assert_eq!(last(&lines)["counts"]["pending"], 1);
    assert_eq!(last(&lines)["message"], "1 pending. Next: `migrator up` applies what is pending.");
    project.query("INSERT INTO t1 VALUES (7)");
    let (code, lines) = project.json(&["audit"]);
    let check = &last(&lines)["checks"][0];
    assert_eq!((code, &check["result"], &check["first_rows"]), (1, &json!("violated"), &json!([["7"]])));
    let (code, lines) = project.json(&["up", "--audit"]);
    assert_eq!((code, of(&lines, "checked").len()), (1, 2), "{lines:#?}");
    assert_eq!(last(&lines)["exit"], 1);
    project.file("checks/few.sql", "SELECT nope FROM t1;\n");
    let (code, lines) = project.json(&["audit"]);
    let error = &last(&lines)["checks"][0]["error"];
    assert_eq!(json!([code, error["sqlstate"], error["line"], error["column"]]), json!([9, "42703", 1, 8]));
}

#[test]
fn what_is_in_the_binary_needs_no_database() {
    let project = Project::without_database();
    project.tables(1).file("seeds/test.sql", "SELECT 1;\n");
    let (_, lines) = project.json(&["list"]);
    assert_eq!(
        (&last(&lines)["migrations"][0]["name"], &last(&lines)["seeds"][0]["name"]),
        (&json!("t1"), &json!("test"))
    );
    let (_, lines) = project.json(&["show", "1"]);
    assert!(last(&lines)["text"].as_str().unwrap().starts_with("-- migrate:up\nCREATE TABLE t1"));
    let (code, lines) = project.json(&["show", "9"]);
    assert_eq!((code, &last(&lines)["error"]["code"]), (2, &json!("usage")));
    let (_, lines) = project.json(&["version"]);
    assert_eq!((&last(&lines)["migrations"], &last(&lines)["message"]), (&json!(1), &json!("migrator 1.0.0")));
}

#[test]
fn statistics_are_in_the_object_or_in_a_file() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    let (_, lines) = project.json(&["stats"]);
    let end = last(&lines);
    assert_eq!((&end["file"], &end["stats"]["database"]), (&Value::Null, &json!(project.database())));
    assert_eq!(end["tables"].as_u64().unwrap() as usize, end["stats"]["tables"].as_array().unwrap().len());
    let file = project.db().join("stats.json").display().to_string();
    let (_, lines) = project.json(&["stats", "--out", &file]);
    assert_eq!((&last(&lines)["file"], last(&lines).get("stats")), (&json!(file), None));
    let written: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(written["tables"], end["stats"]["tables"]);
}
