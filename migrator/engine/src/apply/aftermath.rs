//! After a lost session: connect again, take the lock (which proves that the old session is over), read what is true.

use std::time::{Duration, Instant};

use super::done::Done;
use super::executor::Executor;
use super::failure::Failure;
use super::report::{labels, owned};
use super::truth::{self, Truth};
use crate::account::{Account, Failed, State};
use crate::connect::{Connection, connect, failed};
use crate::embedded::{Direction, Script};
use crate::error::{Error, ErrorKind, Exit};
use crate::event::{Event, Waiting};
use crate::history::History;
use crate::peers::Holder;
use crate::plan::Step;
use crate::words::list;
use crate::{lock, store};

/// How long the server is given to come back.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reports the truth about a run whose session was lost: which of its steps are committed, and what to do.
///
/// # Errors
/// Always, unless every step turns out to be committed: exit code 6 where the state is known, 7 where it is not.
pub(super) async fn look(executor: &Executor, steps: &[Step], done: &mut Done, failure: Failure) -> Result<(), Error> {
    let reason = failure.summary();
    executor.tell(Event::ConnectionLost { reason: &reason });
    let (connection, history) = match reconnect(executor).await {
        Ok(found) => found,
        Err(cause) => {
            // What was answered and not announced was not durable: a crash may have lost it.
            let next = done.announced();
            return Err(Error::in_doubt(format!(
                "the connection was lost ({reason}), and the check of what was committed failed: {cause}"
            ))
            .note(format!("in doubt: {}", list(&labels(&steps[next..]))))
            .account_for(Account {
                done: owned(done).into_iter().take(next).collect(),
                in_doubt: labels(&steps[next..]),
                ..Account::default()
            })
            .help("when the server is back, check `migrator status`, then run the command again"));
        }
    };
    let recorded = steps.iter().take_while(|step| truth::is_recorded(step, &history, &executor.run.id)).count();
    done.keep(recorded);
    while done.steps.len() < recorded {
        let step = &steps[done.steps.len()];
        done.add(step, Duration::ZERO);
    }
    // What can be read now may not be on the disk yet.
    let durable = store::flush(&connection.client).await.is_ok();
    lock::release(&connection).await;
    if durable {
        done.announce(&*executor.migrator.observer);
    }
    let rest = truth::of_all(&steps[recorded..], &history, &executor.run.id);
    account(executor, &rest, done, &reason).map_err(|error| failure.explain(error))
}

/// The same for a seed: unlike a step it is not part of a plan, and would run a second time.
///
/// # Errors
/// Always, unless it is committed: exit code 6 where that is known, 7 where it is not.
pub(super) async fn look_for_seed(executor: &Executor, script: &Script, failure: Failure) -> Result<(), Error> {
    let (reason, name) = (failure.summary(), &*script.name);
    executor.tell(Event::ConnectionLost { reason: &reason });
    let found = async {
        let (connection, _) = reconnect(executor).await?;
        let is_recorded = store::has_event(&connection.client, &executor.tables, &executor.run.id, "seed").await;
        let durable = store::flush(&connection.client).await;
        lock::release(&connection).await;
        durable.and(is_recorded).map_err(|error| failed("looking for the seed", error))
    };
    match found.await {
        Ok(true) => {
            executor.tell(Event::FoundDone { by_others: &[], is_seed: true });
            Ok(())
        }
        Ok(false) => {
            let what = format!("seed {name} was not committed by this run");
            let step = Some(Failed::script(name.to_owned(), Direction::Up, State::NotApplied));
            Err(Error::from(ErrorKind::Unfinished { what, reason })
                .help("run `seed` again")
                .account_for(Account { step, ..Account::default() }))
        }
        Err(cause) => Err(Error::in_doubt(format!("the connection was lost ({reason}), and the check whether seed {name} was committed failed: {cause}"),
        )
        .help("when the server is back, check whether its rows exist before you run `seed` again, which would add them twice")
        .account_for(Account {
            step: Some(Failed::script(name.to_owned(), Direction::Up, State::InDoubt)),
            in_doubt: vec![name.to_owned()],
            ..Account::default()
        })),
    }
}

/// The state of the steps that this run has not recorded.
fn account(executor: &Executor, rest: &[(&Step, Truth)], done: &Done, reason: &str) -> Result<(), Error> {
    let is_done = |(_, truth): &&(&Step, Truth)| matches!(truth, Truth::Done { .. });
    let label = |(step, _): &(&Step, Truth)| step.label();
    let by_others: Vec<String> = rest.iter().filter(is_done).map(label).collect();
    let open: Vec<&(&Step, Truth)> = rest.iter().filter(|step| !is_done(step)).collect();
    let Some((step, truth)) = open.first() else {
        executor.tell(Event::FoundDone { by_others: &by_others, is_seed: false });
        return Ok(());
    };
    let mut error = report(step, truth, reason);
    if !by_others.is_empty() {
        error = error.note(format!("done by another migrator meanwhile: {}", list(&by_others)));
    }
    let open: Vec<String> = open[1..].iter().map(|step| label(step)).collect();
    let account = Account {
        step: Some(truth.failed(step).at(open_statement(truth))),
        done: owned(done),
        done_by_others: by_others,
        not_run: open.clone(),
        in_doubt: matches!(error.kind(), ErrorKind::InDoubt { .. }).then(|| step.label()).into_iter().collect(),
    };
    error = error.account_for(account);
    Err(error.note(format!("done before it in this run: {}. Not run: {}.", list(&done.labels()), list(&open))))
}

/// The statement that was begun, and whose end is not recorded.
fn open_statement(truth: &Truth) -> Option<usize> {
    let Truth::HalfDone { progress, .. } = truth else { return None };
    progress.open.as_ref().and_then(|open| usize::try_from(open.number).ok())
}

/// The first step that is not done.
fn report(step: &Step, truth: &Truth, reason: &str) -> Error {
    let (kind, command) = match step {
        Step::Migration { direction, .. } => ("migration", direction.word()),
        Step::Repeatable(_) => ("repeatable", "up"),
    };
    let label = step.label();
    let unfinished = |state: &str| {
        Error::from(ErrorKind::Unfinished { what: format!("{kind} {label} {state}"), reason: reason.to_owned() })
    };
    let Truth::HalfDone { progress, .. } = truth else {
        let state = format!("is {}", truth.word(step));
        return unfinished(&state).help(format!("run `{command}` again"));
    };
    match progress.open.as_ref().filter(|open| !open.failed) {
        None => unfinished("is unfinished")
            .help(format!("run `{command}` again: it continues after the last completed statement")),
        Some(open) => Error::in_doubt(format!("the connection was lost while statement {} of migration {label} ran: {reason}", open.number),
        )
        .help(format!(
            "run `{command}` again: it continues if the catalog shows how that statement ended, and otherwise asks for `migrator resolve`"
        )),
    }
}

/// A new session that holds the lock, and what the history says in it.
async fn reconnect(executor: &Executor) -> Result<(Connection, History), Error> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(100);
    loop {
        let left = PATIENCE.saturating_sub(begun.elapsed());
        match attempt(executor, left).await {
            Ok(found) => return Ok(found),
            Err(error) if error.exit() != Exit::NoConnection || left.is_zero() => return Err(error),
            Err(_) => {}
        }
        if executor.migrator.cancellation.is_requested() {
            return Err(Error::in_doubt("stopped by a signal while checking what was committed"));
        }
        executor.tell(Event::Waiting(Waiting::Server { pause }));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

async fn attempt(executor: &Executor, deadline: Duration) -> Result<(Connection, History), Error> {
    let mut connection = connect(&executor.target, &executor.run.release, executor.migrator.notices()).await?;
    let waiting = |holder: &Holder, _| executor.tell(Event::Waiting(Waiting::OldSession { holder }));
    lock::acquire(&connection, &executor.tables, deadline, waiting).await?;
    let history = store::read(&mut connection, &executor.tables, store::Extent::Whole, store::LONGEST_WAIT).await?;
    Ok((connection, history))
}
