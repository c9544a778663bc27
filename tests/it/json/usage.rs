//! Command lines that make no sense, and those that ask for help.

use serde_json::json;

use super::last;
use crate::support::Project;

#[test]
fn an_invalid_command_line_is_an_object_wherever_json_stands() {
    let project = Project::without_database();
    for (arguments, command) in [
        (&["up", "--nonesuch"][..], json!("up")),
        (&["--color", "sometimes", "status"], json!("status")),
        (&["stamp"], json!("stamp")),
        (&["nonesuch"], json!(null)),
        (&["stauts"], json!(null)),
        (&["drift", "--facts"], json!("drift")),
        (&["resolve", "1", "--statement", "1"], json!("resolve")),
        (&["up", "--wait-lock", "soon"], json!("up")),
    ] {
        let (code, lines) = project.json(arguments);
        let end = last(&lines);
        assert_eq!((code, &end["error"]["code"], &end["command"]), (2, &json!("usage"), &command), "{arguments:?}");
        assert!(!end["error"]["message"].as_str().unwrap().contains("error:"), "{end}");
    }
    let (_, lines) = project.json(&["stauts"]);
    let error = &last(&lines)["error"];
    assert_eq!(error["help"], json!(["did you mean `migrator status` or `migrator stats`?"]), "{error}");
    let (_, lines) = project.json(&["rollback"]);
    let error = &last(&lines)["error"];
    assert_eq!(error["message"], "unrecognized command `rollback`");
    assert_eq!(error["help"], json!(["`migrator down` rolls back the newest migration"]), "{error}");
    let first = project.run(&["--json", "status", "--nonesuch"]);
    assert!(first.contains("\"command\":\"status\"") && !first.contains("--- stderr"), "{first}");
}

#[test]
fn an_empty_variable_and_a_missing_answer_are_usage_errors() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    let output = project.run_with(&["up", "--json"], &[("MIGRATOR_PLAN", "")]);
    assert!(output.starts_with("exit 0"), "removed: {output}");
    let mut command = project.command(&["up", "--json"]);
    let output = command.env("MIGRATOR_WAIT_LOCK", "").output().unwrap();
    let lines = crate::support::schema::lines(&String::from_utf8(output.stdout).unwrap());
    assert_eq!((output.status.code(), &last(&lines)["exit"]), (Some(2), &json!(2)));
    let (code, lines) = project.json(&["down"]);
    assert_eq!((code, &last(&lines)["error"]["help"]), (2, &json!(["pass --yes"])));
}

#[test]
fn help_is_an_object_too() {
    let project = Project::without_database();
    for arguments in [&["--help"][..], &["up", "--help"], &["--version"]] {
        let (code, lines) = project.json(arguments);
        assert_eq!(code, 0, "{arguments:?}");
        assert!(last(&lines)["help"].as_str().unwrap().contains("migrator"), "{lines:?}");
    }
    let (code, lines) = project.json(&[]);
    let message = last(&lines)["error"]["message"].as_str().unwrap();
    assert!(code == 2 && message.contains("requires a subcommand"), "{message}");
}
