//! What the tasks print: results on stdout through the engine's `output`, everything else on stderr.
//!
//! Paths, git, cargo and servers may say what a terminal obeys: `printable` makes text of it. A dead reader ends no work; what could not
//! be written to stdout for another reason is told at the end.

use std::fmt::{self, Display};
use std::io::{self, Write as _};
use std::process::ExitCode;

use migrator_diagnostic::printable;
use migrator_engine::Color;
use migrator_engine::output as engine;
use serde_json::json;

/// `check`, `dump --check` or `chaos` found something.
pub(crate) const FOUND: u8 = 1;
/// The command line makes no sense.
const USAGE: u8 = 2;
/// Anything else.
pub(crate) const FAILED: u8 = 9;

pub(crate) use migrator_engine::output::{hand_over, is_json};

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

/// The option of every task that prints a result.
#[derive(Debug, Default, Clone, clap::Args)]
#[group(skip)]
pub struct Json {
    /// Print JSON: one object per line, the last one with the result or the error
    #[arg(long)]
    pub json: bool,
}

/// Files that were written.
pub(crate) fn files(names: impl IntoIterator<Item = String>) {
    let names: Vec<String> = names.into_iter().collect();
    if engine::is_json() {
        engine::json(&json!({ "files": names }));
    }
    names.iter().for_each(result);
}

/// A line about what is going on. In a text of several lines, `help:` lines stay at the margin, the others belong to the first one.
pub(crate) fn note(line: impl Display) {
    if engine::is_json() {
        return event(&line.to_string());
    }
    let text = printable::lines(&line.to_string(), "  ").replace("\n  help: ", "\nhelp: ");
    pass_on(format!("{text}\n").as_bytes());
}

/// A note for a program that reads stdout. After an error the task has an end to come to, which says it.
fn event(text: &str) {
    let (text, help) = divide(text);
    match (text.strip_prefix("error: "), text.strip_prefix("warning: ")) {
        (Some(error), _) => engine::keep_error("other", error, &help),
        (_, Some(warning)) => engine::event("warning", json!({ "message": warning, "help": help })),
        _ => engine::event("note", json!({ "message": text, "help": help })),
    }
}

/// A text, and the ways out at its end.
fn divide(text: &str) -> (String, Vec<String>) {
    let (help, lines): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("help: "));
    (lines.join("\n"), help.iter().map(|line| line["help: ".len()..].to_owned()).collect())
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
            engine::fail(error, Color::Auto, error.exit() as u8);
            return ExitCode::from(error.exit() as u8);
        }
        let is_usage = error.is::<Usage>();
        if engine::is_json() {
            let (message, help) = divide(&describe(&error));
            engine::keep_error(if is_usage { "usage" } else { "other" }, &message, &help);
        } else {
            note(format!("error: {}", describe(&error)));
        }
        ExitCode::from(if is_usage { USAGE } else { FAILED })
    });
    if engine::is_json() {
        let (Ok(code) | Err(code)) = ended;
        engine::conclude(None, number(code));
    }
    let unwritten = engine::unwritten();
    if let Some(unwritten) = &unwritten {
        note(format!("error: the result could not be written to stdout: {}", unwritten.cause));
    }
    match ended {
        Ok(_) if unwritten.is_some() => ExitCode::from(FAILED),
        Ok(code) | Err(code) => code,
    }
}

/// The number of an exit code.
pub(crate) fn number(code: ExitCode) -> u8 {
    (0..=u8::MAX).find(|number| ExitCode::from(*number) == code).unwrap_or(FAILED)
}

/// Prints clap's message and returns the exit code of the process.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    match (engine::usage(error), error.use_stderr()) {
        (false, _) => ExitCode::from(FAILED),
        (true, true) => ExitCode::from(USAGE),
        (true, false) => ExitCode::SUCCESS,
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
