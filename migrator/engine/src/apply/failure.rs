//! A step that failed: what the server said and where, what it means for the history, and the report of it.

use tokio_postgres::error::{DbError, SqlState};

use super::{Done, Executor, advice};
use crate::connect::{is_lost, said};
use crate::error::{Error, Exit};
use crate::excerpt::Excerpt;
use crate::history::Direction;
use crate::output::list;
use crate::plan::Step;
use crate::sql::NewEvent;
use crate::store;

/// A failed message or statement.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What the server or the connection said; `None`: a signal came before anything was sent.
    pub(crate) error: Option<tokio_postgres::Error>,
    pub(crate) place: Place,
    /// The session is gone: nobody has told us how it ended.
    pub(crate) lost: bool,
    /// The number of the non-transactional statement, and how many there are.
    pub(crate) statement: Option<(usize, usize)>,
    /// Nobody can say whether the statement has done something.
    pub(crate) in_doubt: bool,
    /// Who was in the way when a lock could not be had.
    pub(crate) blocker: Option<String>,
    /// How the session differs from the one in which the block was interrupted.
    pub(crate) session: Vec<String>,
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
        }
    }

    /// Somebody wants us to stop, and the next statement was not begun.
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
        }
    }

    /// The block cannot go on: the session is not the one that the statements before have left.
    pub(crate) fn in_another_session(session: Vec<String>, statement: (usize, usize)) -> Failure {
        Failure { session, in_doubt: true, ..Failure::stopped_before(statement.0, statement.1) }
    }

    fn server(&self) -> Option<&DbError> {
        self.error.as_ref().and_then(|error| error.as_db_error())
    }

    fn code(&self) -> Option<&SqlState> {
        self.server().map(DbError::code)
    }

    /// Somebody else held what it needed.
    pub(crate) fn is_about_locks(&self) -> bool {
        let codes =
            [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE];
        !self.lost && self.code().is_some_and(|code| codes.contains(code))
    }

    /// The history tables are somebody else's.
    fn is_about_rights(&self) -> bool {
        matches!(self.place, Place::Recording) && self.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE)
    }

    /// The same may work in a moment: nothing of it remains, and what was in the way passes.
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

/// A run that was stopped between two steps.
pub(super) fn stopped(executor: &Executor, done: &[String], rest: &[String]) -> Error {
    Error::new(Exit::Failed, format!("stopped by {}", executor.interrupt.name()))
        .note(format!("done in this run: {}. Not run: {}.", list(done), list(rest)))
        .help("run the command again: it goes on where it stopped")
}

/// Records the failure and puts its report together.
pub(super) async fn report(
    executor: &Executor,
    step: &Step,
    failure: Failure,
    done: &mut Done,
    rest: &[String],
) -> Error {
    let (kind, direction) = match step {
        Step::Migration { direction, .. } => ("migration", *direction),
        Step::Repeatable(_) => ("repeatable", Direction::Up),
    };
    let mut error = describe(&format!("{kind} {}", step.label()), direction, &failure);
    if !failure.lost {
        error = record(executor, step, &failure, error, done).await;
    }
    let verb = if direction == Direction::Up { "applied" } else { "rolled back" };
    error = error.note(format!("{verb} before it in this run: {}. Not run: {}.", list(&done.labels), list(rest)));
    if executor.interrupt.signal().is_some() && !failure.in_doubt {
        let name = executor.interrupt.name();
        return error.help(format!("it was stopped by {name}: run the command again, it goes on where it stopped"));
    }
    way_out(error, step, kind, direction, &failure)
}

fn way_out(error: Error, step: &Step, kind: &str, direction: Direction, failure: &Failure) -> Error {
    match (direction, failure) {
        (_, failure) if failure.lost || fenced_off(failure) => error,
        (_, Failure { in_doubt: true, statement: Some((number, _)), .. }) => error.help(format!(
            "look what of it is in the database, then run `migrator resolve {} --statement {number} --applied`, or `--retry` to run it again",
            step.version()
        )),
        (_, failure) if failure.is_about_locks() => error.help(
            "somebody else holds what it needs: end that transaction, or raise `retry_for` under [session] in migrator.toml, and run it again",
        ),
        (_, failure) if failure.is_about_rights() => error.help(GRANT),
        (Direction::Up, Failure { statement: Some((number, _)), .. }) => error.help(format!(
            "correct statement {number} or what it stumbled over, build, and run `up` again: it goes on at statement {number}"
        )),
        // What fits the cause has been said.
        _ if !error.helps().is_empty() => error,
        (Direction::Up, _) if kind == "repeatable" => error.help("correct the file, build, and run `up` again"),
        (Direction::Up, _) => {
            error.help("correct the file (it has never been applied, so it may be edited), build, and run `up` again")
        }
        (Direction::Down, _) => error.help("correct the down block (it may always be edited), build, and run `down` again"),
    }
}

/// What it could not record it must be allowed to.
const GRANT: &str = "connect as the owner of the history tables, or grant the migrator's user INSERT, UPDATE, DELETE and SELECT on both";

/// The fence refused: nothing has failed but our own assumption.
fn fenced_off(failure: &Failure) -> bool {
    matches!(failure.place, Place::Fence(_)) && failure.code() == Some(&SqlState::DIVISION_BY_ZERO)
}

/// The headline, the place and the server's words.
pub(crate) fn describe(what: &str, direction: Direction, failure: &Failure) -> Error {
    if failure.lost {
        return Error::new(
            Exit::InDoubt,
            format!("the connection was lost while {what} was run: {}", failure.summary()),
        )
        .note("whether it was committed is not known: nobody has answered")
        .help("run `migrator status`: it shows what is in the database; then run the command again");
    }
    if fenced_off(failure) {
        let (exit, reason) = match failure.place {
            Place::Fence(1 | 2) => (Exit::Locked, "this session no longer holds the migration lock"),
            _ => (Exit::Diverged, "the history was changed by somebody else meanwhile"),
        };
        return Error::new(exit, format!("{what} was not run: {reason}"))
            .help("look at `migrator status`, and run the command again");
    }
    let state = match (failure.statement, failure.in_doubt) {
        (Some((number, of)), true) => {
            format!("failed at statement {number} of {of}, which may have done a part of its work")
        }
        (Some((number, of)), false) => format!("failed at statement {number} of {of}"),
        (None, _) => "failed and was rolled back".to_owned(),
    };
    let back = if direction == Direction::Down { "rollback of " } else { "" };
    let exit = match failure {
        Failure { in_doubt: true, .. } => Exit::InDoubt,
        failure if failure.is_about_rights() => Exit::Refused,
        _ => Exit::Failed,
    };
    let error = match &failure.place {
        Place::Body(place) => Error::new(exit, format!("{back}{what} {state}")).at(Some(Excerpt::new(
            place.file,
            place.text,
            failure.server().map_or(place.byte, |server| advice::inside(server, place.text, place.byte)),
            failure.summary(),
        ))),
        Place::Recording => {
            Error::new(exit, format!("{back}{what} {state}: it could not be recorded: {}", failure.summary()))
        }
        Place::AtCommit => Error::new(exit, format!("{back}{what} {state}: at COMMIT: {}", failure.summary())),
        Place::Fence(_) | Place::Own => Error::new(exit, format!("{back}{what} {state}: {}", failure.summary())),
    };
    let Some(server) = failure.server() else { return error };
    let mut error = error;
    for (name, text) in [("DETAIL", server.detail()), ("HINT", server.hint()), ("CONTEXT", server.where_())] {
        if let Some(text) = text {
            error = error.note(format!("{name}: {text}"));
        }
    }
    let sql = if let Place::Body(place) = &failure.place { place.text.get(place.byte..) } else { None };
    let version = what.strip_prefix("migration ").and_then(|label| label.split('_').next());
    let version = version.filter(|_| direction == Direction::Up);
    let advice = sql.and_then(|sql| advice::advice(server, sql, version));
    advice.into_iter().fold(error, Error::help)
}

/// Writes the failure into the event log, which makes everything before it durable too; then that may be announced. If
/// it cannot be written, the report says so.
async fn record(executor: &Executor, step: &Step, failure: &Failure, error: Error, done: &mut Done) -> Error {
    let detail = failure.summary();
    let failed = NewEvent { outcome: "failed", detail: Some(&detail), duration_ms: Some(0), ..NewEvent::default() };
    let event = match step {
        Step::Migration { migration, direction, .. } => NewEvent {
            action: direction.word(),
            version: Some(migration.version),
            name: Some(migration.name),
            checksum: Some(migration.checksum),
            ..failed
        },
        Step::Repeatable(script) => {
            NewEvent { action: "repeatable", name: Some(script.name), checksum: Some(script.checksum), ..failed }
        }
    };
    let client = &executor.connection.client;
    let recorded = if fenced_off(failure) {
        // Without the lock the history is somebody else's to write.
        None
    } else {
        Some(executor.record(&event).await)
    };
    let (error, durable) = match recorded {
        Some(Ok(())) => (error, true),
        None => (error, store::flush(client).await.is_ok()),
        Some(Err(cause)) => {
            let note = format!("the failure could not be recorded in the event log: {}", said(&cause));
            (error.note(note), store::flush(client).await.is_ok())
        }
    };
    if durable {
        done.announce(&executor.progress);
        return error;
    }
    error.note("what was applied before it is committed, but could not be made durable: look at `migrator status` after a server crash")
}
