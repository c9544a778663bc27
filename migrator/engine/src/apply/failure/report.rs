//! The report of a failed step: what failed and where, what is true now, and the way out that fits the cause.

use tokio_postgres::error::SqlState;

use super::{Failure, Place};
use crate::apply::truth::{self, Truth};
use crate::apply::{Done, Executor, advice};
use crate::connect::said;
use crate::error::{Error, Exit};
use crate::excerpt::Excerpt;
use crate::history::Direction;
use crate::output::list;
use crate::plan::Step;
use crate::sql::NewEvent;
use crate::store;

/// A run that was stopped between two steps.
pub(in crate::apply) fn stopped(executor: &Executor, done: &[String], rest: &[String]) -> Error {
    Error::new(Exit::Failed, format!("stopped by {}", executor.interrupt.name()))
        .note(format!("done in this run: {}. Not run: {}.", list(done), list(rest)))
        .help("run the command again: it goes on where it stopped")
}

/// Records the failure, reads what is true, and puts the report together.
pub(in crate::apply) async fn report(
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
    let mut notes = Vec::new();
    let mut truth = Truth::Unknown("the connection was lost".to_owned());
    if !failure.lost {
        notes = record(executor, step, &failure, done).await;
        truth = truth::read(executor, step).await;
    }
    let mut error = describe(&format!("{kind} {}", step.label()), direction, &failure, Some(&truth));
    error = notes.into_iter().fold(error, Error::note);
    if let Truth::Unknown(reason) = &truth
        && !failure.lost
    {
        error = error.note(format!("what is in the database now could not be read: {reason}"));
    }
    let verb = if direction == Direction::Up { "applied" } else { "rolled back" };
    error = error.note(format!("{verb} before it in this run: {}. Not run: {}.", list(&done.labels), list(rest)));
    if executor.interrupt.signal().is_some() && !failure.in_doubt {
        let name = executor.interrupt.name();
        return error.help(format!("it was stopped by {name}: run the command again, it goes on where it stopped"));
    }
    way_out(error, step, kind, direction, (&failure, &truth))
}

fn way_out(error: Error, step: &Step, kind: &str, direction: Direction, (failure, truth): (&Failure, &Truth)) -> Error {
    let command = direction.word();
    match failure {
        failure if failure.lost || fenced_off(failure) => error,
        Failure { in_doubt: true, statement: Some((number, _)), session, .. } if !session.is_empty() => error.help(format!(
            "finish the block by hand and run `migrator resolve {} --statement {number} --applied`, or go on in the session as it is with `--retry`",
            step.version()
        )),
        Failure { in_doubt: true, statement: Some((number, _)), .. } => error.help(format!(
            "check what of it is in the database, then run `migrator resolve {} --statement {number} --applied`, or `--retry` to run it again",
            step.version()
        )),
        failure if failure.is_about_locks() => error.help(
            "another session holds what it needs: end its transaction, or raise `retry_for` under [session] in migrator.toml, and run it again",
        ),
        failure if failure.is_swallowed() => error.help(SWALLOWED),
        failure if failure.is_about_rights() => error.help(GRANT),
        failure => match truth {
            Truth::Unknown(_) => error.help(format!("run `migrator status` to see what is in the database, then `{command}` again")),
            Truth::Done { .. } => error.help("nothing is left to do for it: run the command again for the rest"),
            Truth::HalfDone { is_finished: true, .. } => {
                error.help(format!("remove the cause and run `{command}` again: nothing but its row in the history is left to write"))
            }
            _ if failure.statement.is_some() => {
                let number = failure.statement.map_or(0, |(number, _)| number);
                error.help(format!(
                    "correct statement {number} or its cause, build, and run `{command}` again: it goes on at statement {number}"
                ))
            }
            // What fits the cause has been said.
            _ if !error.helps().is_empty() => error,
            _ if direction == Direction::Down => {
                error.help("correct the down block (it may always be edited), build, and run `down` again")
            }
            _ if kind == "repeatable" => error.help("correct the file, build, and run `up` again"),
            Truth::Untouched { was_applied: false } => {
                error.help("correct the file (it has never been applied, so it may be edited), build, and run `up` again")
            }
            _ => error.help("correct the file (it is not applied, so it may be edited), build, and run `up` again"),
        },
    }
}

/// A row that does not stay.
const SWALLOWED: &str = "drop the trigger or the rule that keeps the row away, and run the command again";

/// What it could not record it must be allowed to.
const GRANT: &str = "connect as the owner of the history tables, or grant the migrator's user INSERT, UPDATE, DELETE and SELECT on both";

/// What has become of it.
fn state(direction: Direction, failure: &Failure, truth: Option<&Truth>) -> String {
    match (failure.statement, truth) {
        (_, Some(Truth::HalfDone { is_finished: true, .. })) => "ran to its end".to_owned(),
        (Some((number, of)), _) if failure.in_doubt => {
            format!("failed at statement {number} of {of}, which may have done a part of its work")
        }
        (Some((number, of)), _) => format!("failed at statement {number} of {of}"),
        (None, Some(Truth::Done { .. })) => "failed here, but another migrator has done it".to_owned(),
        (None, Some(Truth::HalfDone { .. })) => "failed half-done".to_owned(),
        (None, Some(Truth::Unknown(_))) => "failed".to_owned(),
        (None, Some(Truth::Untouched { .. })) if direction == Direction::Down => {
            "failed, it is still applied".to_owned()
        }
        // Without a history of its own: the server has refused the whole transaction.
        (None, Some(Truth::Untouched { .. }) | None) => "failed and was rolled back".to_owned(),
    }
}

fn fence_refused(what: &str, direction: Direction, failure: &Failure, truth: Option<&Truth>) -> Error {
    let (exit, reason) = match failure.place {
        Place::Fence(1 | 2) => (Exit::Locked, "this session no longer holds the migration lock"),
        _ => (Exit::Diverged, "the history was changed by another session meanwhile"),
    };
    let error = Error::new(exit, format!("{what} was not run: {reason}"));
    let error = match (truth, direction) {
        (Some(Truth::Done { .. }), Direction::Up) => error.note("it is applied: another migrator has done it"),
        (Some(Truth::Done { .. }), Direction::Down) => error.note("it is rolled back: another migrator has done it"),
        _ => error,
    };
    error.help("check `migrator status`, and run the command again")
}

/// The fence refused: nothing has failed but our own assumption.
fn fenced_off(failure: &Failure) -> bool {
    matches!(failure.place, Place::Fence(_)) && failure.code() == Some(&SqlState::DIVISION_BY_ZERO)
}

/// The headline, the place and the server's words; `truth`: what was read from the database since, if anything was.
pub(crate) fn describe(what: &str, direction: Direction, failure: &Failure, truth: Option<&Truth>) -> Error {
    if failure.lost {
        return Error::new(
            Exit::InDoubt,
            format!("the connection was lost while {what} was run: {}", failure.summary()),
        )
        .note("whether it was committed is not known: the server has not answered")
        .help("run `migrator status`: it shows what is in the database; then run the command again");
    }
    if fenced_off(failure) {
        return fence_refused(what, direction, failure, truth);
    }
    let state = state(direction, failure, truth);
    let back = if direction == Direction::Down { "rollback of " } else { "" };
    let exit = match failure {
        Failure { in_doubt: true, .. } => Exit::InDoubt,
        failure if failure.is_about_rights() || failure.is_swallowed() => Exit::Refused,
        _ => Exit::Failed,
    };
    if !failure.session.is_empty() {
        let error =
            Error::new(exit, format!("{what} cannot go on: its session is not the one in which it was interrupted"));
        return failure.session.iter().fold(error, Error::note);
    }
    let error = match &failure.place {
        Place::Body(place) => Error::new(exit, format!("{back}{what} {state}")).at(Some(Excerpt::new(
            place.file,
            place.text,
            failure.inside(place),
            failure.summary(),
        ))),
        Place::Recording if failure.is_swallowed() => Error::new(
            exit,
            format!("{back}{what} {state}: the history has not kept its row: a trigger or a rule swallows it"),
        ),
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
    let sql = if let Place::Body(place) = &failure.place { place.text.get(failure.inside(place)..) } else { None };
    let version = what.strip_prefix("migration ").and_then(|label| label.split('_').next());
    let version = version.filter(|_| direction == Direction::Up);
    let advice = sql.and_then(|sql| advice::advice(server, sql, version));
    advice.into_iter().fold(error, Error::help)
}

/// Writes the failure into the event log, which makes everything before it durable too; then that may be announced. If
/// it cannot be written, the notes say so.
async fn record(executor: &Executor, step: &Step, failure: &Failure, done: &mut Done) -> Vec<String> {
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
        done.announce(&executor.progress);
    } else {
        notes.push("what was applied before it is committed, but could not be made durable: check `migrator status` after a server crash".to_owned());
    }
    notes
}
