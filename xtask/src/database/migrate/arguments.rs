//! The arguments of `cargo xtask migrate`: what is ours among the migrator's.

use std::ffi::OsString;

use anyhow::Result;

use crate::output;

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
}
