//! What is printed fits the terminal, whatever its width and whatever script the names are in.

use unicode_width::UnicodeWidthStr as _;

use super::shown;
use crate::support::Project;

/// Text without what moves or colours.
fn plain(screen: &str) -> String {
    let (mut text, mut rest) = (String::new(), screen);
    while let Some((before, behind)) = rest.split_once("\u{1b}[") {
        text.push_str(before);
        rest = behind.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';' || c == '?');
        rest = rest.get(1..).unwrap_or_default();
    }
    (text + rest).replace('\r', "")
}

/// A project with names in scripts that are wide, and that run from right to left.
fn peopled() -> Project {
    let project = Project::new();
    project.tables(3).file("repeatable/views.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS a;\n");
    project.run(&["up"]);
    project.query("UPDATE schema_migrations SET applied_by = '表を作る担当者の名前' WHERE version = '001'");
    project.query("UPDATE schema_migrations SET applied_by = 'מנהל מסד הנתונים' WHERE version = '002'");
    project.query("UPDATE schema_migration_events SET actor = '表を作る担当者@ホスト名', detail = repeat('長い詳細 ', 30) WHERE version = '001'");
    project.tables(5);
    project
}

#[test]
fn tables_and_help_fit_40_80_and_200_columns() {
    let project = peopled();
    let commands: [&[&str]; 9] = [
        &["status"],
        &["history"],
        &["history", "--version", "1"],
        &["config"],
        &["help"],
        &["up", "--help"],
        &["help", "history"],
        &["help", "ban-drop-column"],
        &["list"],
    ];
    for columns in [40, 80, 200] {
        for arguments in commands {
            let (code, screen) = shown(project.command(arguments), columns);
            assert_eq!(code, Some(0), "{screen}");
            for line in plain(&screen).lines() {
                // A word that is longer than the terminal cannot be helped in a text.
                let longest = line.split_whitespace().map(|word| word.width()).max().unwrap_or(0);
                let is_text = arguments.iter().any(|word| word.contains("help"));
                if is_text && line.trim_start().starts_with("-- migrate:") {
                    // SQL stays as it is to be copied.
                    continue;
                }
                let indent = line.width() - line.trim_start().width();
                let fits = line.width() <= columns.into() || (is_text && longest + indent + 4 > columns.into());
                assert!(fits, "{columns} {arguments:?}: {line:?} in\n{screen}");
            }
        }
    }
}

#[test]
fn columns_of_wide_names_are_aligned() {
    let project = peopled();
    let output = project.command(&["status"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let begins: Vec<usize> = text
        .lines()
        .filter(|line| line.contains(" UTC  "))
        .map(|line| line.split(" UTC  ").next().unwrap().width())
        .collect();
    assert!(begins.len() >= 3 && begins.windows(2).all(|pair| pair[0] == pair[1]), "{begins:?} {text}");
    let ends: Vec<usize> = text.lines().filter(|line| line.ends_with(" ms")).map(|line| line.width()).collect();
    assert!(ends.len() >= 3 && ends.windows(2).all(|pair| pair[0] == pair[1]), "{ends:?} {text}");
}

#[test]
fn a_terminal_that_cannot_move_gets_plain_lines() {
    let project = peopled();
    for (name, value) in [("TERM", "dumb"), ("NO_COLOR", "1")] {
        for arguments in [&["status"][..], &["history"], &["help", "up"], &["help", "M012"]] {
            let mut command = project.command(arguments);
            command.env(name, value);
            let (_, screen) = shown_as_it_is(command);
            assert!(!screen.contains("\u{1b}["), "{name} {arguments:?}: {screen:?}");
        }
    }
}

/// On a terminal with the variables that the command has.
fn shown_as_it_is(command: std::process::Command) -> (Option<i32>, String) {
    let (ended, screen) = crate::terminal::on_terminal(command, 80, "");
    (ended.code(), screen)
}
