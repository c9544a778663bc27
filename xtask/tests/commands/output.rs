//! Where the tasks' words go, and what is in them.

use std::fs::File;
use std::process::Stdio;

use crate::workspace::{Workspace, without_cargo};

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let workspace = Workspace::new();
    for line in ["check", "check --format json", "new add_names", "db status", "--help", "new --help"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = workspace.xtask(line).stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(9), "{line}: {said}");
        assert!(said.contains("error: the result could not be written to stdout: No space left"), "{line}: {said}");
    }
}

#[test]
fn a_dead_reader_ends_no_task() {
    let workspace = Workspace::new();
    let dead = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    for (line, code) in
        [("check", 0), ("migrate show 7", 7), ("db status", 0), ("--help", 0), ("nonesuch", 2), ("db url", 9)]
    {
        let ended = workspace.xtask(line).stdout(dead()).stderr(dead()).status().unwrap();
        assert_eq!(ended.code(), Some(code), "{line}");
    }
}

#[test]
fn names_of_files_and_arguments_are_text() {
    let workspace = Workspace::new();
    let evil = "002_\u{1b}[2J\u{202e}\u{9b}x\nerror: forged\n::error::forged.sql";
    workspace.write(&format!("db/migrations/{evil}"), "-- migrate:up\nSELECT 1;\n");
    workspace.write(".env", "A=1\n");
    let runs: [&[&str]; 6] = [
        &["check"],
        &["check", "--format", "json"],
        &["migrate", "list"],
        &["migrate", "--env", "\u{1b}[2J\nerror: forged", "list"],
        &["new", "x", "--template", "\u{1b}[2J\nerror: forged"],
        &["\u{1b}[2J\nerror: forged"],
    ];
    for arguments in runs {
        let output = workspace.xtask("").args(arguments).output().unwrap();
        for said in [&output.stdout, &output.stderr] {
            let said = without_cargo(&String::from_utf8_lossy(said));
            let commands = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!said.contains(commands), "{arguments:?}: {said:?}");
            let forged = said.lines().find(|line| line.starts_with("error: forged") || line.starts_with("::error"));
            assert_eq!(forged, None, "{arguments:?}: {said}");
        }
    }
}
