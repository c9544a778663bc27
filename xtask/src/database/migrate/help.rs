//! The help of the migrator's commands, for `cargo xtask help`: nothing is built for it.

use std::ffi::{OsStr, OsString};

use migrator_engine::{is_command, reference};

/// The commands of `migrate` that have a short form.
const SHORT: [&str; 5] = ["up", "down", "status", "reset", "seed"];

/// Whether a task is short for a command of `migrate`.
pub(crate) fn is_short(task: &OsStr) -> bool {
    SHORT.iter().any(|short| task == *short)
}

/// The words after `migrate` that print what `cargo xtask help up`, `help migrate plan` or `help M012` asks for. `None`: the words name a
/// task, or nothing. `is_of_tasks`: whether a line asks for a task and not for a command of the migrator.
pub(crate) fn help(words: &[OsString], is_of_tasks: fn(&[OsString]) -> bool) -> Option<Vec<OsString>> {
    let command = match words {
        [migrate, rest @ ..] if migrate == "migrate" => rest,
        [code] if reference::code(&code.to_string_lossy()).is_some() => return Some(vec!["help".into(), code.clone()]),
        words => words,
    };
    let is_known = is_of_tasks(command) || command.first().is_some_and(|word| is_command(&word.to_string_lossy()));
    is_known.then(|| command.iter().cloned().chain(["--help".into()]).collect())
}
