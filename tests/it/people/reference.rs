//! The command line of both programs: one snapshot of all help, completions, man pages, and the paragraphs of the codes.

use std::process::Command;

use expect_test::expect_file;

use crate::support::Project;

/// A program with its words in front.
fn command(program: &str, project: &Project, words: &[&str]) -> Command {
    let mut command = match program {
        "migrator" => project.command(words),
        _ => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
            command.args(words).current_dir(project.db()).env("CARGO", "cargo");
            command
        }
    };
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MIGRATOR_")) {
        command.env_remove(name);
    }
    command.env("COLUMNS", "100").env_remove("DATABASE_URL");
    command
}

fn said(program: &str, project: &Project, words: &[&str]) -> String {
    let output = command(program, project, words).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    text
}

/// The commands that a help lists.
fn listed(help: &str) -> Vec<String> {
    let list = help.split("\nCommands:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
    let is_command = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    list.lines().filter(is_command).filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}

/// The help of a command and of all below it, each under a line `===== name`.
pub(crate) fn collect(program: &str, project: &Project, words: &[String], all: &mut String) {
    let mut line: Vec<&str> = words.iter().map(String::as_str).collect();
    let name = [&[program], &*line].concat().join(" ");
    let is_help = words.last().is_some_and(|word| word == "help");
    line.insert(if is_help { 0 } else { line.len() }, if is_help { "help" } else { "--help" });
    let help = said(program, project, &line);
    assert!(is_help || help.contains("Example: "), "{name} has no example: {help}");
    all.push_str(&format!("===== {name}\n{help}\n"));
    for below in listed(&help).into_iter().filter(|below| program == "migrator" || below != "help") {
        collect(program, project, &[words, &[below]].concat(), all);
    }
}

#[test]
fn the_whole_command_line() {
    let project = Project::without_database();
    let mut all = String::new();
    for program in ["migrator", "cargo xtask"] {
        collect(program, &project, &[], &mut all);
    }
    assert!(all.matches("===== ").count() > 45, "{all}");
    let lines: Vec<String> = all.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    expect_file!["reference.txt"].assert_eq(&lines.concat());
}

#[test]
fn help_needs_no_build_and_no_workspace() {
    let project = Project::without_database();
    let of_up = said("migrator", &project, &["help", "up"]);
    assert!(of_up.contains("--allow-out-of-order"), "{of_up}");
    // There is no migrator to build here.
    for words in [&["help", "up"][..], &["up", "--help"], &["migrate", "up", "--help"], &["help", "migrate", "up"]] {
        assert_eq!(said("cargo xtask", &project, words), of_up, "{words:?}");
    }
    for words in [&["help", "history"][..], &["migrate", "history", "--help"]] {
        assert!(said("cargo xtask", &project, words).contains("event log"), "{words:?}");
    }
    assert!(said("cargo xtask", &project, &["help", "check"]).contains("Usage: cargo xtask check"));
    assert!(said("cargo xtask", &project, &["help", "db", "start"]).contains("cargo xtask db start"));
    let invalid = command("cargo xtask", &project, &["migrate", "up", "--nonesuch"]).output().unwrap();
    assert_eq!(invalid.status.code(), Some(2), "{invalid:?}");
}

#[test]
fn a_code_and_a_hazard_are_explained_by_both_programs() {
    let project = Project::without_database();
    let mut names: Vec<String> = migrator_build::Code::ALL.iter().map(|code| code.to_string()).collect();
    names.extend(migrator_lint::RULES.iter().map(|rule| rule.name.to_owned()));
    assert!(names.len() > 80);
    for name in &names {
        assert!(migrator_engine::reference::code(name).is_some(), "db/README.md has no paragraph of {name}");
    }
    for program in ["migrator", "cargo xtask"] {
        let code = said(program, &project, &["help", "M012"]);
        assert!(code.starts_with("M012 misspelled marker\n\nAn error. A marker is"), "{code}");
        let hazard = said(program, &project, &["help", "ban-drop-column"]);
        assert!(hazard.contains("AccessExclusive on the table") && hazard.contains("-- migrate:allow"), "{hazard}");
        let unknown = command(program, &project, &["help", "M999"]).output().unwrap();
        assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
    }
}

#[test]
fn completions_are_for_every_shell_and_bash_takes_them() {
    let project = Project::without_database();
    for program in ["migrator", "cargo xtask"] {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            assert!(said(program, &project, &["completions", shell]).lines().count() > 50, "{program} {shell}");
        }
    }
    let complete = |script: &str, line: &[&str], function: &str| {
        let words = line.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let script = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD={}; {function} {} {:?} {:?}; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            line.len() - 1,
            line[0],
            line[line.len() - 1],
            line[line.len() - 2],
        );
        let output = Command::new("bash").args(["--norc", "-c", &script]).output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let of_migrator = said("migrator", &project, &["completions", "bash"]);
    assert_eq!(complete(&of_migrator, &["migrator", "hist"], "_migrator"), ["history"]);
    let of_tasks = said("cargo xtask", &project, &["completions", "bash"]);
    assert_eq!(complete(&of_tasks, &["cargo", "xtask", "veri"], "_migrator_xtask_of_cargo"), ["verify"]);
    let others = format!("_theirs() {{ COMPREPLY=(theirs); }}; complete -F _theirs cargo\n{of_tasks}\n{of_tasks}");
    assert_eq!(complete(&others, &["cargo", "bui"], "_migrator_xtask_of_cargo"), ["theirs"]);
    assert_eq!(
        complete(&others, &["cargo", "xtask", "db", "st"], "_migrator_xtask_of_cargo"),
        ["start", "stop", "status"]
    );
}

#[test]
fn there_is_a_man_page_for_each_command() {
    let project = Project::without_database();
    for (program, name) in [("migrator", "migrator"), ("cargo xtask", "migrator-xtask")] {
        let page = said(program, &project, &["man"]);
        assert!(page.starts_with(".ie") && page.contains(&format!(".TH {name} 1")), "{page}");
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().to_str().unwrap();
        said(program, &project, &["man", "--out", path]);
        let of_command = if program == "migrator" { "environment-set" } else { "db-start" };
        let text = std::fs::read_to_string(folder.path().join(format!("{name}-{of_command}.1"))).unwrap();
        assert!(text.contains("SYNOPSIS") && text.contains("Example"), "{text}");
        let count = std::fs::read_dir(folder.path()).unwrap().count();
        let commands = listed(&said(program, &project, &["--help"])).len();
        assert!(count > commands, "{count} {commands}");
        let unknown = command(program, &project, &["man", "nonesuch"]).output().unwrap();
        assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
    }
}
