//! The schemas themselves.

use std::collections::BTreeSet;
use std::process::Command;

use crate::support::Project;
use crate::support::schema::documents;

/// The commands that a help text lists.
fn commands(help: &str) -> BTreeSet<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let named =
        lines.take_while(|line| !line.is_empty()).filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    named.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn every_schema_is_one() {
    for (name, document) in documents() {
        jsonschema::meta::validate(document).unwrap_or_else(|error| panic!("docs/schema/{name}.json: {error}"));
        assert!(document["$id"].as_str().unwrap().ends_with(&format!("/{name}.json")), "{name}");
    }
}

#[test]
fn every_command_has_a_schema() {
    let help = Project::without_database().run(&["--help"]);
    let mut known = commands(&help);
    assert!(known.remove("help") && known.len() > 15, "{help}");
    let xtask = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let tasks = commands(&xtask(&["--help"])).into_iter().filter(|task| xtask(&[task, "--help"]).contains("--json"));
    let tasks: Vec<String> = tasks.collect();
    assert!(tasks.len() > 6, "{tasks:?}");
    known.extend(tasks.into_iter().filter(|task| !["up", "down", "status", "reset", "seed"].contains(&&**task)));
    for name in &known {
        assert!(documents().contains_key(name), "docs/schema/{name}.json is missing");
    }
}

#[test]
fn the_example_in_the_readme_is_as_the_schemas_say() {
    let section = crate::workspace::section("### JSON output");
    let example = section.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(crate::support::schema::lines(example).len(), 3);
}

#[test]
fn a_line_that_is_not_as_its_schema_says_is_found() {
    let line = |text: &str| std::panic::catch_unwind(|| crate::support::schema::lines(text)).is_ok();
    assert!(line(r#"{"format":1,"command":"wait","database":"d","exit":0,"host":"h","message":"m"}"#));
    for wrong in [
        r#"{"format":1,"command":"wait","database":"d","exit":0,"host":"h","message":"m","more":1}"#,
        r#"{"format":1,"command":"wait","database":1,"exit":0,"host":"h","message":"m"}"#,
        r#"{"format":1,"command":"nonesuch","exit":0}"#,
        r#"{"format":1,"command":"up","event":"nonesuch"}"#,
        r#"{"format":1,"command":"up","error":{"code":"nonesuch","message":"m","notes":[],"help":[]},"exit":3}"#,
        r#"{"format":1,"command":"up","event":"no_drift"}"#,
        "applied 001_a (3 ms)",
    ] {
        assert!(!line(wrong), "{wrong}");
    }
}
