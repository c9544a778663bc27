//! What the tasks print: results on stdout through the engine's `output`, everything else on stderr.
//!
//! Paths, git, cargo and servers may say what a terminal obeys: `printable` makes text of it. A dead reader ends no work; what could not
//! be written to stdout for another reason is told at the end.

use std::fmt::{self, Display};
use std::io::{self, Write};
use std::process::ExitCode;

use migrator_diagnostic::printable;
use migrator_engine::Color;
use migrator_engine::output as engine;

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
    engine::result(&line.to_string());
}

/// What was asked for, in a form that is fit to be printed already, colours included.
pub(crate) fn rendered(text: impl Display) {
    engine::rendered(&text.to_string());
}

/// A line about what is going on. In a text of several lines, `help:` lines stay at the margin, the others belong to the first one.
pub(crate) fn note(line: impl Display) {
    let text = printable::lines(&line.to_string(), "  ").replace("\n  help: ", "\nhelp: ");
    pass_on(format!("{text}\n").as_bytes());
}

/// What another program of ours has said, as it has said it.
pub(crate) fn pass_on(said: &[u8]) {
    // There is no one left to tell that no one reads this.
    let _ = io::stderr().lock().write_all(said);
}

/// An error with its causes, and with the way out that a server's error knows.
pub(crate) fn describe(error: &anyhow::Error) -> String {
    let help = error.chain().find_map(|cause| cause.downcast_ref::<migrator_postgres::Error>()?.help());
    let help = help.map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    format!("{error:#}{help}")
}

/// Prints the error, if any, and returns the exit code of the process.
pub fn exit_code(result: anyhow::Result<ExitCode>) -> ExitCode {
    let ended = result.map_err(|error| {
        if let Some(error) = error.downcast_ref::<migrator_engine::Error>() {
            pass_on(format!("{}\n", error.render(color_of_messages())).as_bytes());
            return ExitCode::from(error.exit() as u8);
        }
        note(format!("error: {}", describe(&error)));
        ExitCode::from(if error.is::<Usage>() { USAGE } else { FAILED })
    });
    let unwritten = engine::unwritten();
    if let Some(unwritten) = &unwritten {
        note(format!("error: the result could not be written to stdout: {}", unwritten.cause));
    }
    match ended {
        Ok(_) if unwritten.is_some() => ExitCode::from(FAILED),
        Ok(code) | Err(code) => code,
    }
}

/// Prints clap's message and returns the exit code of the process.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    match error.print().and_then(|()| io::stdout().flush()) {
        Err(cause) if !error.use_stderr() && cause.kind() != io::ErrorKind::BrokenPipe => {
            note(format!("error: the result could not be written to stdout: {cause}"));
            ExitCode::from(FAILED)
        }
        _ => ExitCode::from(if error.use_stderr() { USAGE } else { 0 }),
    }
}

/// Whether stderr takes colours.
pub(crate) fn color_of_messages() -> bool {
    Color::Auto.on_stderr()
}

/// Whether stdout takes colours: `NO_COLOR`, then `CLICOLOR_FORCE`, then whether it is a terminal that can.
pub(crate) fn color() -> bool {
    Color::Auto.on_stdout()
}
