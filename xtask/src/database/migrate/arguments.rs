//! The arguments of `cargo xtask migrate`: what is ours among the migrator's.

use std::ffi::{OsStr, OsString};

use anyhow::Result;

use crate::output;

/// Migrator commands that never connect: no server is started for them.
const OFFLINE: &[&str] = &["version", "list", "show", "completions", "man", "help"];

/// Migrator commands that decide themselves whether the database exists.
const OWN_DATABASE: &[&str] = &["create", "drop"];

/// Migrator commands after which the schema on disk may be out of date.
const UPWARDS: &[&str] = &["up", "reset"];

/// Options of every migrator command that are followed by a value.
const WITH_VALUE: &[&str] = &["--database-url", "--color"];

/// A command line, divided.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    /// The name of `--env NAME`.
    pub(super) env: Option<String>,
    /// `--no-dump`.
    pub(super) no_dump: bool,
    /// What is left for the migrator.
    pub(super) rest: Vec<OsString>,
}

impl Arguments {
    /// Takes `--env NAME`, `--env=NAME` and `--no-dump` out, wherever they are before a `--`.
    ///
    /// # Errors
    /// `--env` without a name.
    pub(super) fn divide(arguments: Vec<OsString>) -> Result<Arguments> {
        let mut divided = Arguments::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            if argument == "--" {
                divided.rest.push(argument);
                break;
            }
            if argument == "--env" {
                let name = arguments.next().and_then(|name| name.into_string().ok());
                divided.env = Some(name.ok_or_else(|| output::Usage("`--env` needs a name".to_owned()))?);
            } else if let Some(name) = argument.to_str().and_then(|argument| argument.strip_prefix("--env=")) {
                divided.env = Some(name.to_owned());
            } else if argument == "--no-dump" {
                divided.no_dump = true;
            } else {
                divided.rest.push(argument);
            }
        }
        divided.rest.extend(arguments);
        Ok(divided)
    }

    /// Whether the command connects to a database that it does not name itself.
    pub(super) fn need_database(&self) -> bool {
        let names_one = |argument: &OsString| {
            is(argument, &["--database-url"]) || argument.to_string_lossy().starts_with("--database-url=")
        };
        self.command().is_some_and(|command| !is(command, OFFLINE))
            && !self.rest.iter().any(names_one)
            && !self.ask_for(&["--help", "-h", "--version", "-V"])
    }

    /// Whether the command decides itself if the database exists.
    pub(super) fn find_database(&self) -> bool {
        self.rest.iter().any(|argument| is(argument, OWN_DATABASE))
    }

    /// Whether the command applies migrations.
    pub(super) fn go_up(&self) -> bool {
        self.command().is_some_and(|command| is(command, UPWARDS))
            && !self.ask_for(&["--dry-run", "--help", "-h", "--version", "-V"])
    }

    /// Whether the command runs the plan on a copy and does not say where to make it.
    pub(super) fn need_scratch(&self) -> bool {
        let names_one = |argument: &OsString| argument.to_string_lossy().starts_with("--scratch-url");
        self.command().is_some_and(|command| command == "plan")
            && self.ask_for(&["--locks"])
            && !self.rest.iter().any(names_one)
            && !self.ask_for(&["--help", "-h"])
    }

    /// Whether the command loads the committed schema.
    pub(super) fn load_the_schema(&self) -> bool {
        self.ask_for(&["--from-dump"])
    }

    fn ask_for(&self, flags: &[&str]) -> bool {
        self.rest.iter().take_while(|argument| *argument != "--").any(|argument| is(argument, flags))
    }

    /// The migrator's command: the first word that is neither an option nor the value of one.
    fn command(&self) -> Option<&OsString> {
        let mut arguments = self.rest.iter();
        while let Some(argument) = arguments.next() {
            if is(argument, WITH_VALUE) {
                arguments.next();
            } else if !argument.to_string_lossy().starts_with('-') {
                return Some(argument);
            }
        }
        None
    }
}

fn is(argument: &OsStr, words: &[&str]) -> bool {
    words.iter().any(|word| argument == *word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn divide(line: &str) -> Arguments {
        Arguments::divide(words(line)).unwrap()
    }

    #[test]
    fn takes_out_what_is_ours_wherever_it_is() {
        for (line, env, no_dump, rest) in [
            ("up --to 3", None, false, "up --to 3"),
            ("up --env test --to 3", Some("test"), false, "up --to 3"),
            ("--env=test status", Some("test"), false, "status"),
            ("--no-dump up", None, true, "up"),
            ("up --no-dump --quiet", None, true, "up --quiet"),
            ("show -- --env test --no-dump", None, false, "show -- --env test --no-dump"),
        ] {
            let expected = Arguments { env: env.map(str::to_owned), no_dump, rest: words(rest) };
            assert_eq!(divide(line), expected, "{line}");
        }
        assert!(Arguments::divide(words("up --env")).unwrap_err().is::<output::Usage>());
    }

    #[test]
    fn starts_no_server_for_commands_that_do_not_connect() {
        for (line, expected) in [
            ("up", true),
            ("--json status", true),
            ("--color always version", false),
            ("reset --yes", true),
            ("version --verbose", false),
            ("up --help", false),
            ("--version", false),
            ("show 001", false),
            ("up --database-url postgresql://x", false),
            ("up --database-url=postgresql://x", false),
        ] {
            assert_eq!(divide(line).need_database(), expected, "{line}");
        }
    }

    #[test]
    fn knows_what_applies_migrations() {
        for (line, expected) in [
            ("up", true),
            ("--color always up --to 3", true),
            ("reset --seed development --yes", true),
            ("up --dry-run", false),
            ("reset --help", false),
            ("down", false),
            ("show up", false),
            ("seed reset", false),
            ("--quiet", false),
        ] {
            assert_eq!(divide(line).go_up(), expected, "{line}");
        }
    }

    #[test]
    fn starts_a_server_for_a_copy_only_where_the_locks_are_asked_for() {
        for (line, expected) in [
            ("plan --locks", true),
            ("--color never plan --to 3 --locks --json", true),
            ("plan", false),
            ("plan --locks --help", false),
            ("plan --locks --scratch-url=postgresql://x", false),
            ("plan --locks --scratch-url postgresql://x", false),
            ("up --locks", false),
            ("show -- --locks", false),
        ] {
            let arguments = Arguments { rest: words(line), ..Arguments::default() };
            assert_eq!(arguments.need_scratch(), expected, "{line}");
        }
    }
}
