//! A step that failed: what the server said, and where.

use tokio_postgres::error::{DbError, SqlState};

use super::advice;
use crate::connect::{is_lost, said};
use crate::error::Error;
use crate::peers::Holder;

/// A failed message or statement.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What the server or the connection said; `None`: a signal came before anything was sent.
    pub(crate) error: Option<tokio_postgres::Error>,
    pub(crate) place: Place,
    /// The session is gone: how the statement ended is unknown.
    pub(crate) lost: bool,
    /// The number of the non-transactional statement, and how many there are.
    pub(crate) statement: Option<(usize, usize)>,
    /// It is unknown whether the statement had any effect.
    pub(crate) in_doubt: bool,
    /// The session that held the lock.
    pub(crate) blocker: Option<Holder>,
    /// How the session differs from the one that was interrupted.
    pub(crate) session: Vec<String>,
    /// What failed is ours, and was sent in its short form, which does not say why: nothing of the step remains, and the full form
    /// is to be tried.
    pub(crate) in_short: bool,
}

/// Where it failed.
#[derive(Debug)]
pub(crate) enum Place {
    /// In the file.
    Body(InFile),
    /// In the fence, at this command (0 is `BEGIN`).
    Fence(usize),
    /// In the history's own statements.
    Recording,
    /// At COMMIT.
    AtCommit,
    /// In a statement of ours outside the message.
    Own,
}

/// A byte of a file.
#[derive(Debug)]
pub(crate) struct InFile {
    pub(crate) file: &'static str,
    pub(crate) text: &'static str,
    pub(crate) byte: usize,
}

impl Failure {
    pub(crate) fn new(error: tokio_postgres::Error, place: Place) -> Failure {
        let lost = is_lost(&error);
        Failure {
            error: Some(error),
            place,
            lost,
            statement: None,
            in_doubt: false,
            blocker: None,
            session: Vec::new(),
            in_short: false,
        }
    }

    /// A failure of a statement of ours outside a step's message.
    pub(crate) fn own(error: tokio_postgres::Error) -> Failure {
        Failure::new(error, Place::Own)
    }

    /// A cancellation came before the next statement was sent.
    pub(crate) fn stopped_before(statement: usize, of: usize) -> Failure {
        let statement = Some((statement, of));
        Failure {
            error: None,
            place: Place::Own,
            lost: false,
            statement,
            in_doubt: false,
            blocker: None,
            session: Vec::new(),
            in_short: false,
        }
    }

    /// The block cannot continue: the session is not in the state in which the previous statements left it.
    pub(crate) fn in_another_session(session: Vec<String>, statement: (usize, usize)) -> Failure {
        Failure { session, in_doubt: true, ..Failure::stopped_before(statement.0, statement.1) }
    }

    /// The error with what the server or the connection said as its source.
    pub(crate) fn explain(self, error: Error) -> Error {
        match self.error {
            Some(cause) => error.caused_by(cause),
            None => error,
        }
    }

    /// The byte of the file, also of what a DO block has run.
    pub(super) fn inside(&self, place: &InFile) -> usize {
        self.server().map_or(place.byte, |server| advice::inside(server, place.text, place.byte))
    }

    pub(super) fn server(&self) -> Option<&DbError> {
        self.error.as_ref().and_then(|error| error.as_db_error())
    }

    pub(super) fn code(&self) -> Option<&SqlState> {
        self.server().map(DbError::code)
    }

    /// Another session held what it needed.
    pub(crate) fn is_about_locks(&self) -> bool {
        let codes =
            [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE];
        !self.lost && self.code().is_some_and(|code| codes.contains(code))
    }

    /// The history tables belong to another role.
    pub(super) fn is_about_rights(&self) -> bool {
        matches!(self.place, Place::Recording) && self.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE)
    }

    /// The history did not keep the row that was written to it.
    pub(super) fn is_swallowed(&self) -> bool {
        matches!(self.place, Place::Recording) && self.code() == Some(&SqlState::DIVISION_BY_ZERO)
    }

    /// Another try may succeed: nothing of this one remains, and the cause is temporary.
    pub(crate) fn is_contention(&self) -> bool {
        // Until the session's own limit is set, that of the role holds, for microseconds.
        let cut_short = matches!(self.place, Place::Own) && self.code() == Some(&SqlState::QUERY_CANCELED);
        !self.in_doubt && (self.is_about_locks() || cut_short)
    }

    /// `canceling statement due to lock timeout [55P03], blocked by pid 4711 (...)`.
    pub(crate) fn summary(&self) -> String {
        let said = self.error.as_ref().map_or_else(|| "not begun".to_owned(), said);
        match &self.blocker {
            Some(blocker) => format!("{said}, blocked by {blocker}"),
            None => said,
        }
    }
}
