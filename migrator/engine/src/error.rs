//! The error type of this crate: what failed, where, why, what to do, and the exit code for a pipeline.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use migrator_diagnostic::printable::lines;
use migrator_model::Corrupt;

use crate::embedded::Direction;
use crate::excerpt::Excerpt;
use crate::plan::Divergence;

/// The documented exit codes, the same for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// `--check` found something pending, `audit` or `drift` a difference.
    Found = 1,
    /// The command line is invalid, or there is no terminal for a confirmation.
    Usage = 2,
    /// A migration failed; the state is known and reported.
    Failed = 3,
    /// The history and the binary diverge.
    Diverged = 4,
    /// Another session holds the lock past the deadline.
    Locked = 5,
    /// The server could not be reached or refused the session.
    NoConnection = 6,
    /// The outcome of something is unknown; a person has to check.
    InDoubt = 7,
    /// Refused by policy or for want of approval.
    Refused = 8,
    /// Anything else.
    Other = 9,
}

/// What went wrong. Its [`Display`](fmt::Display) is the first line of the error: lowercase, what failed, on which object in
/// backticks, the cause.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The command line or an option makes no sense here.
    Usage {
        /// The whole sentence.
        message: String,
    },
    /// The connection to the server failed.
    Connect {
        /// Where to, without the password.
        target: String,
        /// What the server, the network or TLS says.
        reason: String,
    },
    /// No connection was tried, or none succeeded in time: a certificate or a key is unusable, or no server answers.
    NoConnection {
        /// The whole sentence.
        message: String,
    },
    /// The server accepted the connection and does not answer.
    NoAnswer {
        /// `reading the history`.
        doing: String,
        /// The time limit.
        limit: Duration,
    },
    /// The connection was lost outside a migration.
    Lost {
        /// `reading the history`.
        doing: String,
        /// What the server or the network says.
        reason: String,
    },
    /// The connection was lost, and a step is known not to be done.
    Unfinished {
        /// Which step, and its state: `migration 003_x is not applied`.
        what: String,
        /// What the server or the network says.
        reason: String,
    },
    /// The server refused a statement of ours.
    Server {
        /// `reading the history`.
        doing: String,
        /// The server's message with its SQLSTATE.
        reason: String,
        /// The user lacks a right.
        is_denied: bool,
    },
    /// Another session holds what is needed past the deadline.
    Locked {
        /// The whole sentence.
        message: String,
    },
    /// The history and the binary do not fit together.
    Diverged {
        /// The whole sentence.
        message: String,
        /// Every place where they diverge; empty where something else is in the way.
        places: Vec<Divergence>,
    },
    /// A migration, a repeatable or a seed failed; the state of the database is known.
    MigrationFailed {
        /// `migration 003_x`, `repeatable views`, `seed test`.
        step: String,
        /// Which way it was going.
        direction: Direction,
        /// What the server says, where it is the server that refused it.
        sqlstate: Option<String>,
        /// The whole sentence.
        message: String,
    },
    /// The work was cancelled between two steps.
    Stopped {
        /// By what: `SIGTERM`.
        by: String,
    },
    /// How something ended is unknown.
    InDoubt {
        /// The whole sentence.
        message: String,
    },
    /// Refused by policy, for want of approval, or because it could do harm.
    Refused {
        /// The whole sentence.
        message: String,
    },
    /// A file of this machine.
    Io {
        /// `cannot write the page `report.html``.
        what: String,
        /// What the system says.
        reason: String,
    },
    /// Anything else.
    Other {
        /// The whole sentence.
        message: String,
    },
}

impl ErrorKind {
    /// The exit code of the process.
    pub fn exit(&self) -> Exit {
        match self {
            ErrorKind::Usage { .. } => Exit::Usage,
            ErrorKind::Connect { .. }
            | ErrorKind::NoConnection { .. }
            | ErrorKind::NoAnswer { .. }
            | ErrorKind::Lost { .. }
            | ErrorKind::Unfinished { .. } => Exit::NoConnection,
            ErrorKind::Locked { .. } => Exit::Locked,
            ErrorKind::Diverged { .. } => Exit::Diverged,
            ErrorKind::MigrationFailed { .. } | ErrorKind::Stopped { .. } => Exit::Failed,
            ErrorKind::InDoubt { .. } => Exit::InDoubt,
            ErrorKind::Refused { .. } | ErrorKind::Server { is_denied: true, .. } => Exit::Refused,
            ErrorKind::Server { .. } | ErrorKind::Io { .. } | ErrorKind::Other { .. } => Exit::Other,
        }
    }

    /// The way out that all errors of this kind share.
    fn help(&self) -> Option<&'static str> {
        match self {
            ErrorKind::NoAnswer { .. } => Some(
                "check whether the server is overloaded, stopped or cut off; `migrator wait` returns once it answers again",
            ),
            ErrorKind::Lost { .. } => Some("check `migrator status`, then run the command again"),
            _ => None,
        }
    }

    /// The cause alone, where the kind has one.
    pub fn cause(&self) -> Cow<'_, str> {
        match self {
            ErrorKind::Connect { reason, .. }
            | ErrorKind::Lost { reason, .. }
            | ErrorKind::Unfinished { reason, .. }
            | ErrorKind::Server { reason, .. }
            | ErrorKind::Io { reason, .. } => Cow::Borrowed(reason),
            kind => Cow::Owned(kind.to_string()),
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ErrorKind::Usage { message }
            | ErrorKind::NoConnection { message }
            | ErrorKind::Locked { message }
            | ErrorKind::Diverged { message, .. }
            | ErrorKind::MigrationFailed { message, .. }
            | ErrorKind::InDoubt { message }
            | ErrorKind::Refused { message }
            | ErrorKind::Other { message } => f.write_str(message),
            ErrorKind::Connect { target, reason } => write!(f, "cannot connect to `{target}`: {reason}"),
            ErrorKind::NoAnswer { doing, limit } => {
                write!(f, "no answer from the server within {} while {doing}", crate::words::duration(*limit))
            }
            ErrorKind::Lost { doing, reason } => write!(f, "the connection was lost while {doing}: {reason}"),
            ErrorKind::Unfinished { what, reason } => write!(f, "{what}: the connection was lost: {reason}"),
            ErrorKind::Server { doing, reason, .. } => write!(f, "the server refused {doing}: {reason}"),
            ErrorKind::Stopped { by } => write!(f, "stopped by {by}"),
            ErrorKind::Io { what, reason } => write!(f, "{what}: {reason}"),
        }
    }
}

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
        Error(Box::new(Inner { kind, excerpt: None, notes: Vec::new(), help, source: None }))
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
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_its_cause_its_facts_and_the_way_out() {
        let error = Error::locked("cannot take the migration lock on `crm`: held by pid 4711")
            .note("the holder is idle")
            .help("wait, or end pid 4711");
        assert_eq!(error.exit() as u8, 5);
        expect_test::expect![[r#"
            error: cannot take the migration lock on `crm`: held by pid 4711
              = note: the holder is idle
              = help: wait, or end pid 4711"#]]
        .assert_eq(&error.render(false));
    }

    #[test]
    fn a_kind_knows_its_sentence_its_code_and_its_way_out() {
        let kind = ErrorKind::Lost { doing: "reading the history".into(), reason: "connection reset".into() };
        let error = Error::from(kind).caused_by(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        assert_eq!((error.exit() as u8, error.kind().cause().as_ref()), (6, "connection reset"));
        assert!(error.source().is_some_and(|source| source.is::<std::io::Error>()));
        expect_test::expect![[r#"
            error: the connection was lost while reading the history: connection reset
              = help: check `migrator status`, then run the command again"#]]
        .assert_eq(&error.render(false));
    }
}
