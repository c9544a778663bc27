//! What is said about an unknown task: printable, and with the task that was meant.

use std::ffi::OsString;
use std::process::ExitCode;

use migrator_engine::{Elsewhere, Unknown, is_command, make_printable};

use crate::output::{self, Usage};

/// What other tools call our tasks, and what to type instead.
const ELSEWHERE: &[Elsewhere] = &[
    (&["info", "state", "current", "pending"], "`cargo xtask status` shows what is applied and what is not"),
    (&["rollback", "revert", "undo", "downgrade", "back"], "`cargo xtask down` rolls back the newest migration"),
    (&["apply", "run", "upgrade", "latest", "deploy", "forward", "update"], "`cargo xtask up` applies what is pending"),
    (&["add", "generate", "make", "create-migration"], "`cargo xtask new NAME` writes a new migration"),
    (&["create"], "`cargo xtask new NAME` writes a new migration; `cargo xtask migrate create` creates the database"),
    (
        &["fresh", "refresh", "setup", "clean"],
        "`cargo xtask reset` drops and creates the database, and applies everything",
    ),
    (&["drop"], "`cargo xtask migrate drop` drops the database; `cargo xtask reset` begins with an empty one"),
    (
        &["baseline"],
        "`cargo xtask init --baseline URL` makes the first migration of a database; `cargo xtask migrate stamp` records \
         migrations as applied without running them",
    ),
    (&["fake", "mark"], "`cargo xtask migrate stamp` records migrations as applied without running them"),
    (
        &["repair", "force"],
        "`cargo xtask status` shows what is wrong; `cargo xtask migrate resolve` settles a statement in doubt",
    ),
    (&["fix"], "`cargo xtask check --fix` rewrites new migrations without their hazards"),
    (&["lint", "validate"], "`cargo xtask check` checks the files"),
    (&["test"], "`cargo xtask verify` proves that the migrations go up and down"),
    (
        &["diff"],
        "`cargo xtask new NAME --from-schema` writes a migration from a schema; `cargo xtask migrate drift` compares the live one",
    ),
    (&["convert"], "`cargo xtask import TOOL DIR` imports the migrations of another tool"),
    (&["load"], "`cargo xtask reset` begins with an empty database, and applies everything"),
    (&["start", "stop", "psql", "url"], "`cargo xtask db COMMAND` does it, with the workspace's own PostgreSQL"),
];

/// Prints help, version or what is wrong with a command line of a program, and returns the exit code of the process.
pub(crate) fn report(mut error: clap::Error, tasks: &clap::Command, line: &[OsString], program: &str) -> ExitCode {
    if let Some(unknown) = Unknown::read(&error, tasks, line) {
        let text = format!("{}\nhelp: {}", unknown.message(), help(&unknown, program));
        return output::exit_code(Err(Usage(text).into()));
    }
    make_printable(&mut error);
    output::usage(&error)
}

fn help(unknown: &Unknown, program: &str) -> String {
    let word = unknown.word.to_lowercase();
    if unknown.below.is_empty() && is_command(&word) {
        return format!("`{program} migrate {word}` runs the migrator's");
    }
    unknown.help("cargo xtask", ELSEWHERE).replace("`cargo xtask ", &format!("`{program} "))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn said(words: &[&str], program: &str) -> String {
        let line: Vec<OsString> = std::iter::once("xtask").chain(words.iter().copied()).map(Into::into).collect();
        let error = Cli::command().try_get_matches_from(&line).unwrap_err();
        let unknown = Unknown::read(&error, &Cli::command(), &line).unwrap();
        format!("{}: {}", unknown.message(), help(&unknown, program))
    }

    #[test]
    fn an_unknown_task_leads_to_the_one_that_does_it() {
        let tasks = Cli::command();
        let names = || ELSEWHERE.iter().flat_map(|(names, _)| *names).copied();
        for name in names().chain(["plan", "stamp", "redo", "history", "config"]) {
            let said = said(&[name], "cargo xtask");
            assert!(said.starts_with(&format!("unrecognized command `{name}`: `cargo xtask ")), "{said}");
            for line in said.split('`').skip(1).step_by(2).filter_map(|line| line.strip_prefix("cargo xtask ")) {
                let words: Vec<&str> = line.split(' ').collect();
                let task = tasks.find_subcommand(words[0]).unwrap_or_else(|| panic!("{said}"));
                match (task.get_name(), words.get(1)) {
                    ("migrate", Some(word)) => assert!(is_command(word) || ["create", "drop"].contains(word), "{said}"),
                    ("db", Some(word)) => assert!(task.find_subcommand(word).is_some(), "{said}"),
                    _ => {}
                }
            }
        }
        let names: Vec<&str> = names().collect();
        assert!(names.iter().enumerate().all(|(at, name)| !names[..at].contains(name)), "{names:?}");
    }

    #[test]
    fn the_task_is_named_as_the_program_is_called() {
        let expected = "unrecognized command `undo`: `migrator-xtask down` rolls back the newest migration";
        assert_eq!(said(&["undo"], "migrator-xtask"), expected);
        let expected = "unrecognized command `statu`: did you mean `cargo xtask migrator status`?";
        assert_eq!(said(&["statu"], "cargo xtask migrator"), expected);
        let expected = "unrecognized command `db undo`: `cargo xtask db --help` lists the commands";
        assert_eq!(said(&["db", "undo"], "cargo xtask"), expected);
    }
}
