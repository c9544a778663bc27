//! The report of a failed step: what failed and where, what is true now, and the way out that fits the cause.

use tokio_postgres::error::SqlState;

use super::advice;
use super::done::Done;
use super::executor::Executor;
use super::failure::{Failure, Place};
use super::truth::{self, Truth};
use crate::account::{Account, State};
use crate::connect::said;
use crate::error::{Error, ErrorKind};
use crate::excerpt::Excerpt;
use crate::history::Direction;
use crate::plan::Step;
use crate::sql::NewEvent;
use crate::store;
use crate::words::list;

/// The subject of an error.
pub(crate) struct Subject {
    /// `migration 003_x`, `repeatable views`, `seed test`.
    pub(crate) name: String,
    /// Which way it was going.
    pub(crate) direction: Direction,
    /// The version that it would have applied.
    pub(crate) applies: Option<&'static str>,
}

impl Subject {
    fn of(step: &Step) -> Subject {
        let label = step.label();
        match step {
            Step::Migration { migration, direction, .. } => Subject {
                name: format!("migration {label}"),
                direction: *direction,
                applies: (*direction == Direction::Up).then_some(&*migration.version),
            },
            Step::Repeatable(_) => Subject::other(format!("repeatable {label}")),
        }
    }

    /// A subject that is not a migration.
    pub(crate) fn other(name: String) -> Subject {
        Subject { name, direction: Direction::Up, applies: None }
    }
}

/// A run that was stopped between two steps.
pub(super) fn stopped(executor: &Executor, done: &Done, rest: &[Step]) -> Error {
    let account = Account { done: owned(done), not_run: labels(rest), ..Account::default() };
    Error::from(ErrorKind::Stopped { by: executor.migrator.cancellation.reason() })
        .account_for(account)
        .note(format!("done in this run: {}. Not run: {}.", list(&done.labels()), list(&labels(rest))))
        .help("run the command again: it continues where it stopped")
}

/// Records the failure, reads what is true, and puts the report together.
pub(super) async fn report(
    executor: &Executor,
    step: &Step,
    failure: Failure,
    done: &mut Done,
    rest: &[Step],
) -> Error {
    let subject = Subject::of(step);
    let direction = subject.direction;
    let mut notes = Vec::new();
    let mut truth = Truth::Unknown("the connection was lost".to_owned());
    if !failure.lost {
        notes = record(executor, step, &failure, done).await;
        truth = truth::read(executor, step).await;
    }
    let mut error = describe(&subject, &failure, Some(&truth));
    error = notes.into_iter().fold(error, Error::note);
    if let Truth::Unknown(reason) = &truth
        && !failure.lost
    {
        error = error.note(format!("the state of the database could not be read: {reason}"));
    }
    let verb = if direction == Direction::Up { "applied" } else { "rolled back" };
    error = error.note(format!(
        "{verb} before it in this run: {}. Not run: {}.",
        list(&done.labels()),
        list(&labels(rest))
    ));
    if executor.migrator.cancellation.is_requested() && !failure.in_doubt {
        let name = executor.migrator.cancellation.reason();
        error = error.help(format!("{name} stopped it: run the command again, and it continues where it stopped"));
    } else {
        error = match recorded_way_out(executor, step, &failure) {
            Some(help) => error.help(help),
            None => way_out(error, step, &subject, (&failure, &truth)),
        };
    }
    let state = truth.state(step);
    let is_in_doubt = failure.in_doubt || state == State::InDoubt;
    let account = Account {
        step: Some(truth.failed(step).at(failure.statement.map(|(number, _)| number))),
        done: owned(done),
        not_run: labels(rest),
        in_doubt: is_in_doubt.then(|| step.label()).into_iter().collect(),
        ..Account::default()
    };
    failure.explain(error.account_for(account))
}

/// The names of what is done.
pub(super) fn owned(done: &Done) -> Vec<String> {
    done.labels().into_iter().map(str::to_owned).collect()
}

/// The way out where a recorded down block has failed: no one can correct it. `None` where it depends on something else.
fn recorded_way_out(executor: &Executor, step: &Step, failure: &Failure) -> Option<String> {
    let Step::Migration { migration, .. } = step else { return None };
    let compiled = executor.migrator.embedded.migrations.iter();
    let is_compiled = compiled.clone().any(|known| std::ptr::eq(known, *migration));
    if is_compiled || failure.lost || fenced_off(failure) || failure.in_doubt || failure.is_about_locks() {
        return None;
    }
    let is_newer = !compiled.clone().any(|known| known.number == migration.number);
    let cause = match failure.code() {
        Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) => {
            "drop what depends on it, such as a view that a repeatable of the newer release has made"
        }
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => "connect as the owner of what it drops, or as a member of that role",
        _ => "remove the cause",
    };
    Some(match is_newer {
        true => format!("{cause}, then run `down` again, or run it with the migrator of the newer release"),
        false => format!("{cause}, then run `down` again: it runs the block that was recorded, not that of the file"),
    })
}

fn way_out(error: Error, step: &Step, subject: &Subject, (failure, truth): (&Failure, &Truth)) -> Error {
    let direction = subject.direction;
    let command = direction.word();
    match failure {
        failure if failure.lost || fenced_off(failure) => error,
        Failure { in_doubt: true, statement: Some((number, _)), session, .. } if !session.is_empty() => error.help(format!(
            "finish the block by hand and run `migrator resolve {} --statement {number} --applied`, or continue in the current session with `--retry`",
            step.version()
        )),
        Failure { in_doubt: true, statement: Some((number, _)), .. } => error.help(format!(
            "check how much of it is in the database, then run `migrator resolve {} --statement {number} --applied`, or `--retry` to run it again",
            step.version()
        )),
        failure if failure.is_about_locks() => error.help(
            "another session holds what it needs: end its transaction, or raise `retry_for` under [session] in db/migrator.toml, then run it again",
        ),
        failure if failure.is_swallowed() => error.help(SWALLOWED),
        failure if failure.is_about_rights() => error.help(GRANT),
        failure => match truth {
            Truth::Unknown(_) => error.help(format!("run `migrator status` to see what is in the database, then `{command}` again")),
            Truth::Done { .. } => error.help("it is done: run the command again for the rest"),
            Truth::HalfDone { is_finished: true, .. } => {
                error.help(format!("remove the cause and run `{command}` again: only its row in the history is missing"))
            }
            _ if failure.statement.is_some() => {
                let number = failure.statement.map_or(0, |(number, _)| number);
                error.help(format!(
                    "correct statement {number} or its cause, build, and run `{command}` again: it continues at statement {number}"
                ))
            }
            // The help that fits the cause is there already.
            _ if advice(failure, subject).is_some() => error,
            _ if direction == Direction::Down => {
                error.help("correct the down block (it may always be edited), build, and run `down` again")
            }
            _ if matches!(step, Step::Repeatable(_)) => error.help("correct the file, build, and run `up` again"),
            Truth::Untouched { was_applied: false } => {
                error.help("correct the file (it has never been applied, so it may be edited), build, and run `up` again")
            }
            _ => error.help("correct the file (it is not applied, so it may be edited), build, and run `up` again"),
        },
    }
}

/// The names of steps.
pub(super) fn labels(steps: &[Step]) -> Vec<String> {
    steps.iter().map(Step::label).collect()
}

/// The way out where the history does not keep a row.
const SWALLOWED: &str = "drop the trigger or rule that discards the row, then run the command again";

/// The way out where the server denied the recording.
const GRANT: &str = "connect as the owner of the history tables, or grant the migrator's user INSERT, UPDATE, DELETE and SELECT on both";

/// What became of it.
fn state(direction: Direction, failure: &Failure, truth: Option<&Truth>) -> String {
    match (failure.statement, truth) {
        (_, Some(Truth::HalfDone { is_finished: true, .. })) => "ran to completion".to_owned(),
        (Some((number, of)), _) if failure.in_doubt => {
            format!("failed at statement {number} of {of}, which may be partly done")
        }
        (Some((number, of)), _) => format!("failed at statement {number} of {of}"),
        (None, Some(Truth::Done { .. })) => "failed here, but another migrator has completed it".to_owned(),
        (None, Some(Truth::HalfDone { .. })) => "failed half-done".to_owned(),
        (None, Some(Truth::Unknown(_))) => "failed".to_owned(),
        (None, Some(Truth::Untouched { .. })) if direction == Direction::Down => {
            "failed; the migration is still applied".to_owned()
        }
        // Not in the history: the server has refused the whole transaction.
        (None, Some(Truth::Untouched { .. }) | None) => "failed and was rolled back".to_owned(),
    }
}

fn fence_refused(subject: &Subject, failure: &Failure, truth: Option<&Truth>) -> Error {
    let what = &subject.name;
    let error = match failure.place {
        Place::Fence(1) => {
            Error::locked(format!("{what} was not run: this session no longer holds the migration lock"))
        }
        _ => Error::diverged(format!("{what} was not run: another session has changed the history meanwhile")),
    };
    let error = match (truth, subject.direction) {
        (Some(Truth::Done { .. }), Direction::Up) => error.note("another migrator has applied it"),
        (Some(Truth::Done { .. }), Direction::Down) => error.note("another migrator has rolled it back"),
        _ => error,
    };
    error.help("check `migrator status`, then run the command again")
}

/// The fence refused: only our own assumption has failed.
fn fenced_off(failure: &Failure) -> bool {
    matches!(failure.place, Place::Fence(_)) && failure.code() == Some(&SqlState::DIVISION_BY_ZERO)
}

/// The headline, the place and the server's words; `truth`: what was read from the database since, if anything.
pub(crate) fn describe(subject: &Subject, failure: &Failure, truth: Option<&Truth>) -> Error {
    let (what, direction) = (&subject.name, subject.direction);
    if failure.lost {
        return Error::in_doubt(format!("the connection was lost while {what} was run: {}", failure.summary()))
            .note("it is unknown whether it was committed: the server did not answer")
            .help("check `migrator status`, then run the command again");
    }
    if fenced_off(failure) {
        return fence_refused(subject, failure, truth);
    }
    let state = state(direction, failure, truth);
    let back = if direction == Direction::Down { "rollback of " } else { "" };
    let new = |message: String| match failure {
        Failure { in_doubt: true, .. } => Error::in_doubt(message),
        failure if failure.is_about_rights() || failure.is_swallowed() => Error::refused(message),
        _ => ErrorKind::MigrationFailed {
            step: what.clone(),
            direction,
            sqlstate: failure.code().map(|code| code.code().to_owned()),
            message,
        }
        .into(),
    };
    let new = |message: String| new(message).held_by(failure.blocker.clone());
    if !failure.session.is_empty() {
        let error = new(format!("{what} cannot continue: its session differs from the one that was interrupted"));
        return failure.session.iter().fold(error, Error::note);
    }
    let error = match &failure.place {
        Place::Body(place) => new(format!("{back}{what} {state}")).at(Some(Excerpt::new(
            place.file,
            place.text,
            failure.inside(place),
            failure.summary(),
        ))),
        Place::Recording if failure.is_swallowed() => {
            new(format!("{back}{what} {state}: the history did not keep its row: a trigger or rule discards it"))
        }
        Place::Recording => new(format!("{back}{what} {state}: it could not be recorded: {}", failure.summary())),
        Place::AtCommit => new(format!("{back}{what} {state}: at COMMIT: {}", failure.summary())),
        Place::Fence(_) | Place::Own => new(format!("{back}{what} {state}: {}", failure.summary())),
    };
    let Some(server) = failure.server() else { return error };
    let mut error = error;
    for (name, text) in [("DETAIL", server.detail()), ("HINT", server.hint()), ("CONTEXT", server.where_())] {
        if let Some(text) = text {
            error = error.note(format!("{name}: {text}"));
        }
    }
    advice(failure, subject).into_iter().fold(error, Error::help)
}

/// The way out that fits what the server said about a place in the file.
fn advice(failure: &Failure, subject: &Subject) -> Option<String> {
    let Place::Body(place) = &failure.place else { return None };
    advice::advice(failure.server()?, place.text.get(failure.inside(place)..)?, subject.applies)
}

/// Writes the failure into the event log, which makes everything before it durable too; then that may be announced. If
/// it cannot be written, the notes say so.
async fn record(executor: &Executor, step: &Step, failure: &Failure, done: &mut Done) -> Vec<String> {
    let detail = failure.summary();
    let failed = NewEvent { outcome: "failed", detail: Some(&detail), duration_ms: Some(0), ..NewEvent::default() };
    let event = match step {
        Step::Migration { migration, direction, .. } => NewEvent {
            action: direction.word(),
            version: Some(&migration.version),
            name: Some(&migration.name),
            checksum: Some(&migration.checksum),
            ..failed
        },
        Step::Repeatable(script) => {
            NewEvent { action: "repeatable", name: Some(&script.name), checksum: Some(&script.checksum), ..failed }
        }
    };
    let client = &executor.connection.client;
    let recorded = if fenced_off(failure) {
        // Without the lock the history is another migrator's to write.
        None
    } else {
        Some(executor.record(&event).await)
    };
    let mut notes = Vec::new();
    let durable = match recorded {
        Some(Ok(())) => true,
        None => store::flush(client).await.is_ok(),
        Some(Err(cause)) => {
            notes.push(format!("the failure could not be recorded in the event log: {}", said(&cause)));
            store::flush(client).await.is_ok()
        }
    };
    if durable {
        done.announce(&*executor.migrator.observer);
    } else {
        notes.push("what was applied before it is committed, but could not be made durable: check `migrator status` after a server crash".to_owned());
    }
    notes
}
