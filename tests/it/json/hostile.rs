//! Texts of others: whatever a server, a name or an error holds, each line stays one JSON document. And readers that go.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::json;

use super::{last, of};
use crate::support::Project;

/// Ends a line, clears a terminal, turns a line around, forges the last line.
const EVIL: &str = "x\n{\"format\":1,\"command\":\"up\",\"exit\":0}\r\n\u{1b}[2J\u{2028}\u{2029}\u{85}\u{202e}\u{7f}\u{feff}\"\\\u{1}é東";

#[test]
fn notices_errors_and_names_cannot_break_a_line() {
    let project = Project::new();
    // A file is read with the line ends of Unix.
    let text = EVIL.replace("\r\n", "\n");
    let name = EVIL.replace('"', "\"\"");
    let raise = |kind: &str| {
        format!(
            "DO $$ BEGIN RAISE {kind} USING MESSAGE = $m${EVIL}$m$, DETAIL = $m${EVIL}$m$, HINT = $m${EVIL}$m$; END $$;"
        )
    };
    project.migration("001_notice", &format!("{}\nCREATE TABLE \"{name}\" ();", raise("NOTICE")), "");
    let (code, lines) = project.json(&["up"]);
    let notices = of(&lines, "notice");
    let notice = notices.iter().find(|notice| notice["detail"] != json!(null)).unwrap();
    assert_eq!((code, notices.len()), (0, 2), "the name is cut: {notices:#?}");
    assert_eq!(json!([notice["message"], notice["detail"], notice["hint"]]), json!([text, text, text]));
    project.migration("002_error", &raise("EXCEPTION"), "");
    let (code, lines) = project.json(&["up"]);
    let error = &last(&lines)["error"];
    assert_eq!((code, &error["server_message"], &error["detail"]), (3, &json!(text), &json!(text)));
}

#[test]
fn a_very_long_text_is_one_line() {
    let project = Project::new();
    project.migration("001_long", "DO $$ BEGIN RAISE NOTICE '%', repeat(E'a\\n', 500000); END $$;", "");
    let (code, lines) = project.json(&["up"]);
    assert_eq!((code, of(&lines, "notice")[0]["message"].as_str().unwrap().len()), (0, 1_000_000));
}

#[test]
fn words_of_a_command_line_are_text_too() {
    let project = Project::without_database();
    for arguments in [&[EVIL][..], &["up", "--to", EVIL], &["up", EVIL], &["environment", "set", EVIL], &["seed", EVIL]]
    {
        let (code, lines) = project.json(arguments);
        assert_eq!((code, &last(&lines)["error"]["code"]), (2, &json!("usage")), "{arguments:?}");
    }
}

#[test]
fn a_password_is_in_no_line() {
    let project = Project::without_database();
    let url = "postgresql://deploy:canary-7f3a9@127.0.0.1:1/crm";
    for arguments in [&["up", "--database-url", url][..], &["up", url], &["status", "--verbose", "--database-url", url]]
    {
        let (code, lines) = project.json(arguments);
        assert_ne!(code, 0);
        assert!(!format!("{lines:?}").contains("canary"), "{lines:?}");
    }
}

#[test]
fn the_work_goes_on_when_the_reader_has_gone() {
    let project = Project::new();
    let up = "DO $$ BEGIN RAISE NOTICE 'hello'; END $$;";
    for n in 1..=20 {
        project.migration(&format!("{n:03}_n"), up, "SELECT 1;");
    }
    let mut child = project.command(&["up", "--json", "--one-by-one"]).stdout(Stdio::piped()).spawn().unwrap();
    // `| head -1`
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("\"event\":\"writes_to\""), "{line}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(project.query("SELECT count(*) FROM schema_migrations"), "20\n");
}

#[test]
fn a_full_disk_is_told_on_stderr_since_stdout_cannot_be_written() {
    let project = Project::new();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = project.command(&["status", "--json"]).stdout(full).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(9));
    assert!(said.starts_with("error: the result could not be written to stdout: "), "{said}");
}
