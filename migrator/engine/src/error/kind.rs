//! The kinds of errors, from which sentence, exit code and the name for programs follow.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::exit::Exit;
use crate::embedded::Direction;
use crate::plan::Divergence;

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

    /// The stable name of the kind, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            ErrorKind::Usage { .. } => "usage",
            ErrorKind::Connect { .. } => "connect_failed",
            ErrorKind::NoConnection { .. } => "no_connection",
            ErrorKind::NoAnswer { .. } => "no_answer",
            ErrorKind::Lost { .. } => "connection_lost",
            ErrorKind::Unfinished { .. } => "unfinished",
            ErrorKind::Server { is_denied: true, .. } => "permission_denied",
            ErrorKind::Server { .. } => "server_refused",
            ErrorKind::Locked { .. } => "locked",
            ErrorKind::Diverged { .. } => "diverged",
            ErrorKind::MigrationFailed { .. } => "migration_failed",
            ErrorKind::Stopped { .. } => "stopped",
            ErrorKind::InDoubt { .. } => "in_doubt",
            ErrorKind::Refused { .. } => "refused",
            ErrorKind::Io { .. } => "io",
            ErrorKind::Other { .. } => "other",
        }
    }

    /// The way out that all errors of this kind share.
    pub(super) fn help(&self) -> Option<&'static str> {
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
