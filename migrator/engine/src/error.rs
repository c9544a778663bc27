//! The error type of this crate: what failed, where, why, what to do, and the exit code for a pipeline.

mod exit;
mod kind;

use std::error::Error as StdError;
use std::fmt;

use anstyle::{AnsiColor, Style};
use migrator_diagnostic::printable::lines;
use migrator_model::Corrupt;

use crate::account::Account;
use crate::excerpt::Excerpt;
use crate::peers::Holder;
pub use exit::Exit;
pub use kind::ErrorKind;

/// The cause of an error.
type Source = Box<dyn StdError + Send + Sync>;

/// A failed operation, ready to be shown: its kind, the place in the SQL, notes, and ways out.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    excerpt: Option<Excerpt>,
    notes: Vec<String>,
    help: Vec<String>,
    account: Option<Account>,
    holder: Option<Holder>,
    source: Option<Source>,
}

impl From<Corrupt> for Error {
    fn from(error: Corrupt) -> Error {
        Error::other(error.to_string()).help("run `cargo clean` for the package of the migrator, and build it again")
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Error {
        let help = kind.help().into_iter().map(str::to_owned).collect();
        Error(Box::new(Inner {
            kind,
            excerpt: None,
            notes: Vec::new(),
            help,
            account: None,
            holder: None,
            source: None,
        }))
    }
}

impl Error {
    /// An invalid command line or option.
    pub fn usage(message: impl Into<String>) -> Error {
        ErrorKind::Usage { message: message.into() }.into()
    }

    /// An operation that is not allowed.
    pub fn refused(message: impl Into<String>) -> Error {
        ErrorKind::Refused { message: message.into() }.into()
    }

    /// Something that another session holds.
    pub(crate) fn locked(message: impl Into<String>) -> Error {
        ErrorKind::Locked { message: message.into() }.into()
    }

    /// A history that does not fit the binary.
    pub fn diverged(message: impl Into<String>) -> Error {
        ErrorKind::Diverged { message: message.into(), places: Vec::new() }.into()
    }

    /// An unknown outcome.
    pub(crate) fn in_doubt(message: impl Into<String>) -> Error {
        ErrorKind::InDoubt { message: message.into() }.into()
    }

    /// Anything else.
    pub fn other(message: impl Into<String>) -> Error {
        ErrorKind::Other { message: message.into() }.into()
    }

    /// Adds the place in the SQL file.
    #[must_use]
    pub(crate) fn at(mut self, excerpt: Option<Excerpt>) -> Error {
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

    /// Adds what is true now.
    #[must_use]
    pub(crate) fn account_for(mut self, account: Account) -> Error {
        self.0.account = Some(account);
        self
    }

    /// Adds the session that is in the way.
    #[must_use]
    pub(crate) fn held_by(mut self, holder: Option<Holder>) -> Error {
        self.0.holder = holder;
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Source>) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The exit code of the process.
    pub fn exit(&self) -> Exit {
        self.0.kind.exit()
    }

    /// The place in the SQL, where it has one: `db/migrations/002_x.sql:2:36`.
    pub fn place(&self) -> Option<String> {
        self.0.excerpt.as_ref().map(Excerpt::position)
    }

    /// The file, the line and the column, both from 1, where it has a place.
    pub(crate) fn line_and_column(&self) -> Option<(&str, usize, usize)> {
        self.0.excerpt.as_ref().map(Excerpt::line_and_column)
    }

    /// What is true of the run, where it has begun and the error is about one of its steps.
    pub fn account(&self) -> Option<&Account> {
        self.0.account.as_ref()
    }

    /// The session that is in the way, where that was seen.
    pub fn holder(&self) -> Option<&Holder> {
        self.0.holder.as_ref()
    }

    /// Facts that belong to it, one per line in [`Error::render`].
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }

    /// The ways out, the first one first.
    pub fn ways_out(&self) -> &[String] {
        &self.0.help
    }

    /// The whole message as it is printed, without a final line end. No text of a server or a file in it controls the
    /// terminal or begins a line.
    ///
    /// `color` switches terminal colours on.
    pub fn render(&self, color: bool) -> String {
        self.render_in(color, None)
    }

    /// The same for a terminal of that many columns.
    pub(crate) fn render_in(&self, color: bool, columns: Option<usize>) -> String {
        let Inner { kind, excerpt, notes, help, .. } = &*self.0;
        let message = kind.to_string();
        if let Some(excerpt) = excerpt {
            return excerpt.render(&message, notes, help, color, columns);
        }
        let styled = |style: Style| if color { style } else { Style::new() };
        let (red, bold) = (styled(AnsiColor::Red.on_default().bold()), styled(Style::new().bold()));
        let mut text = format!("{red}error{red:#}{bold}: {}{bold:#}", lines(&message, "       "));
        for (kind, entries) in [("note", notes), ("help", help)] {
            for entry in entries {
                text.push_str(&format!("\n  {bold}= {kind}{bold:#}: {}", lines(entry, "          ")));
            }
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.kind.fmt(f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests;
