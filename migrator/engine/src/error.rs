//! The one error type of this crate: what failed, where, why, what to do, and the exit code that says so to a pipeline.

use std::fmt;

use migrator_diagnostic::printable::lines;

use crate::excerpt::Excerpt;

/// The documented exit codes, the same for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// `--check` found something pending, `audit` or `drift` a difference.
    Found = 1,
    /// The command line is wrong, or a question could not be asked.
    Usage = 2,
    /// A migration failed; the state is known and reported.
    Failed = 3,
    /// The history and the binary diverge.
    Diverged = 4,
    /// Somebody else holds the lock past the deadline.
    Locked = 5,
    /// The server could not be reached or refused the session.
    NoConnection = 6,
    /// The outcome of something is unknown; a person has to look.
    InDoubt = 7,
    /// Refused by policy or for want of approval.
    Refused = 8,
    /// Anything else.
    Other = 9,
}

/// A failed command, ready to be shown.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    exit: Exit,
    message: String,
    excerpt: Option<Excerpt>,
    notes: Vec<String>,
    help: Vec<String>,
}

impl Error {
    /// An error with its exit code and its first line: lowercase, what failed, on which object in backticks, the cause.
    pub fn new(exit: Exit, message: impl Into<String>) -> Error {
        Error(Box::new(Inner { exit, message: message.into(), excerpt: None, notes: Vec::new(), help: Vec::new() }))
    }

    /// What stands behind the last colon of the first line: the cause.
    pub fn reason(&self) -> &str {
        self.0.message.rsplit_once("`: ").map_or(&self.0.message, |(_, reason)| reason)
    }

    /// The ways out.
    pub fn helps(&self) -> &[String] {
        &self.0.help
    }

    /// Adds the place in the SQL file.
    #[must_use]
    pub fn at(mut self, excerpt: Option<Excerpt>) -> Error {
        self.0.excerpt = excerpt;
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Error {
        self.0.notes.push(note.into());
        self
    }

    /// Adds a way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Error {
        self.0.help.push(help.into());
        self
    }

    /// The exit code of the process.
    pub fn exit(&self) -> Exit {
        self.0.exit
    }

    /// The whole message as it is printed, without a final line end: nothing that a server or a file has said in it commands a
    /// terminal or begins a line.
    ///
    /// `color` switches terminal colours on.
    pub fn render(&self, color: bool) -> String {
        self.render_in(color, None)
    }

    /// The same for a terminal of so many columns.
    pub(crate) fn render_in(&self, color: bool, columns: Option<usize>) -> String {
        let Inner { message, excerpt, notes, help, .. } = &*self.0;
        if let Some(excerpt) = excerpt {
            return excerpt.render(message, notes, help, color, columns);
        }
        let (red, bold, reset) = if color { ("\x1b[1;31m", "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
        let mut text = format!("{red}error{reset}{bold}: {}{reset}", lines(message, "       "));
        for (kind, entries) in [("note", notes), ("help", help)] {
            for entry in entries {
                text.push_str(&format!("\n  {bold}= {kind}{reset}: {}", lines(entry, "          ")));
            }
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_its_cause_its_facts_and_the_way_out() {
        let error = Error::new(Exit::Locked, "cannot take the migration lock on `crm`: held by pid 4711")
            .note("the holder is idle")
            .help("wait, or end pid 4711");
        assert_eq!(error.exit() as u8, 5);
        expect_test::expect![[r#"
            error: cannot take the migration lock on `crm`: held by pid 4711
              = note: the holder is idle
              = help: wait, or end pid 4711"#]]
        .assert_eq(&error.render(false));
    }
}
