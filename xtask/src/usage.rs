//! What is said about an unknown task: printable, and with the task that was meant.

use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::output;
use migrator_engine::is_command;

/// What other tools call our tasks, and what to write instead.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (&["info"], "run `cargo xtask status`"),
    (&["create"], "run `cargo xtask migrate create`"),
    (&["rollback", "revert", "undo", "downgrade"], "run `cargo xtask down` to roll back"),
    (&["apply", "run", "upgrade", "latest", "deploy"], "run `cargo xtask up` to apply what is pending"),
    (&["convert"], "run `cargo xtask import TOOL DIR` to make files of ours of another tool's migrations"),
    (&["add", "generate", "make", "create-migration"], "run `cargo xtask new NAME` to write a new migration"),
    (&["fresh", "refresh", "setup"], "run `cargo xtask reset` to begin with an empty database"),
    (&["drop"], "run `cargo xtask migrate drop`, or `cargo xtask reset` to begin with an empty database"),
    (&["start", "stop", "psql", "url"], "run `cargo xtask db COMMAND`"),
    (&["lint", "validate"], "run `cargo xtask check`"),
    (&["test"], "run `cargo xtask verify` to prove that the migrations go up and down"),
];

/// Prints help, version or what is wrong, and returns the exit code of the process.
pub(crate) fn report(mut error: clap::Error) -> ExitCode {
    suggest(&mut error);
    migrator_engine::make_printable(&mut error);
    output::usage(&error)
}

fn suggest(error: &mut clap::Error) {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return;
    }
    let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidSubcommand) else { return };
    let given = given.to_lowercase();
    let tip = match ELSEWHERE.iter().find(|(names, _)| names.contains(&&*given)) {
        Some((_, tip)) => tip.replace("COMMAND", &given),
        None if is_command(&given) => format!("run `cargo xtask migrate {given}`"),
        None => return,
    };
    error.remove(ContextKind::SuggestedSubcommand);
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn an_unknown_task_leads_to_the_one_that_does_it() {
        let known: Vec<&str> = ELSEWHERE
            .iter()
            .flat_map(|(names, _)| *names)
            .copied()
            .chain(["plan", "stamp", "redo", "history", "config"])
            .collect();
        for name in known {
            let mut error = Cli::command().try_get_matches_from(["xtask", name]).unwrap_err();
            suggest(&mut error);
            let said = error.render().to_string();
            assert!(said.contains("tip: run `cargo xtask ") && !said.contains("similar"), "{said}");
        }
    }
}
