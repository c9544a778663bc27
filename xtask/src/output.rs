//! The only place that prints: results on stdout, everything else on stderr.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};
use std::process::{ExitCode, ExitStatus};

/// `check`, `dump --check` or `chaos` found something.
pub(crate) const FOUND: u8 = 1;
/// The command line makes no sense.
const USAGE: u8 = 2;
/// Anything else.
pub(crate) const FAILED: u8 = 9;

/// An error in how a command was called: exit code 2.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// A line of what was asked for.
pub(crate) fn result(line: impl Display) {
    // A reader that has seen enough (`| head`) is no failure of ours, hence no `println!`.
    let _ = writeln!(io::stdout(), "{line}");
}

/// A line about what is going on.
pub(crate) fn note(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Ends as a program that we ran has ended.
pub(crate) fn exit_code_of(status: ExitStatus) -> ExitCode {
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED))
}

/// Prints the error, if any, and says how the process ends.
pub(crate) fn exit_code(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        note(format!("error: {error:#}"));
        ExitCode::from(if error.is::<Usage>() { USAGE } else { FAILED })
    })
}

/// Whether stdout takes colours: `NO_COLOR`, then `CLICOLOR_FORCE`, then whether it is a terminal.
pub(crate) fn color() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    !set("NO_COLOR") && (set("CLICOLOR_FORCE") || io::stdout().is_terminal())
}
