//! After a lost session: connect again, take the lock (which proves that the old session is over), read what is true.

use std::time::{Duration, Instant};

use super::failure::Failure;
use super::{Done, Executor, labels};
use crate::connect::{Connection, connect};
use crate::error::{Error, Exit};
use crate::history::{Event, History};
use crate::output;
use crate::plan::Step;
use crate::{lock, store};

/// How long the server is given to come back.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reports the truth about a run whose session was lost: which of its steps are committed, and what to do.
///
/// # Errors
/// Always, unless every step turns out to be committed: exit code 6 where the state is known, 7 where it is not.
pub(super) async fn look(executor: &Executor, steps: &[Step], done: &mut Done, failure: Failure) -> Result<(), Error> {
    let reason = failure.summary();
    executor.progress.warn(&format!("the connection was lost: {reason}; looking at what has been committed"));
    let (connection, history) = match reconnect(executor).await {
        Ok(found) => found,
        Err(cause) => {
            // What was answered and not announced was not durable: a crash may have taken it back.
            let next = done.labels.len() - done.unannounced.len();
            return Err(Error::new(
                Exit::InDoubt,
                format!("the connection was lost ({reason}), and it cannot be seen what has been committed: {cause}"),
            )
            .note(format!("in doubt: {}", output::list(&labels(&steps[next..]))))
            .help(
                "when the server is back, `migrator status` shows what is in the database; then run the command again",
            ));
        }
    };
    let recorded = steps.iter().take_while(|step| is_recorded(step, &history, &executor.run.id)).count();
    done.keep(recorded);
    while done.labels.len() < recorded {
        let step = &steps[done.labels.len()];
        done.add(step, Duration::ZERO);
    }
    // What can be read now may not be on the disk yet.
    let durable = store::flush(&connection.client).await.is_ok();
    lock::release(&connection, &executor.tables).await;
    if durable {
        done.announce(&executor.progress);
    }
    let next = done.labels.len();
    let Some(step) = steps.get(next) else {
        executor.progress.warn("everything had been committed before the connection was lost");
        return Ok(());
    };
    Err(report(step, &history, &reason).note(format!(
        "done before it in this run: {}. Not run: {}.",
        output::list(&done.labels),
        output::list(&labels(&steps[next + 1..])),
    )))
}

/// The step that was not committed.
fn report(step: &Step, history: &History, reason: &str) -> Error {
    let label = step.label();
    let Step::Migration { migration, direction, .. } = step else {
        return Error::new(
            Exit::NoConnection,
            format!("repeatable {label} was rolled back: the connection was lost: {reason}"),
        )
        .help("run `up` again");
    };
    let command = direction.word();
    if migration.block(*direction).is_none_or(|block| block.transaction) {
        return Error::new(
            Exit::NoConnection,
            format!("migration {label} was rolled back: the connection was lost: {reason}"),
        )
        .help(format!("run `{command}` again"));
    }
    let open = history.progress().remove(migration.version).and_then(|progress| progress.open);
    match open.filter(|open| !open.failed) {
        None => Error::new(Exit::NoConnection, format!("migration {label} is unfinished: the connection was lost: {reason}"))
            .help(format!("run `{command}` again: it goes on behind the last statement that is done")),
        Some(open) => Error::new(
            Exit::InDoubt,
            format!("the connection was lost while statement {} of migration {label} ran: {reason}", open.number),
        )
        .help(format!(
            "run `{command}` again: if the catalog shows how that statement ended it goes on, else it asks for `migrator resolve`"
        )),
    }
}

/// Whether this run's event says that the step is done.
fn is_recorded(step: &Step, history: &History, run_id: &str) -> bool {
    let ours = |event: &&Event| event.run_id == run_id && event.outcome == "done" && event.statement.is_none();
    history.events.iter().filter(ours).any(|event| match step {
        Step::Migration { migration, direction, .. } => {
            event.action == direction.word() && event.version.as_deref() == Some(migration.version)
        }
        Step::Repeatable(script) => event.action == "repeatable" && event.name.as_deref() == Some(script.name),
    })
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
        if executor.interrupt.signal().is_some() {
            return Err(Error::new(Exit::InDoubt, "stopped by a signal while looking"));
        }
        executor.progress.say(&format!("the server is not back yet; trying again in {}", output::duration(pause)));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

async fn attempt(executor: &Executor, deadline: Duration) -> Result<(Connection, History), Error> {
    let mut connection = connect(&executor.target, &executor.run.release, executor.notices.clone()).await?;
    let waiting = |holder: &str| executor.progress.say(&format!("waiting for the old session to end: {holder}"));
    lock::acquire(&connection, &executor.tables, deadline, waiting).await?;
    let history = store::read(&mut connection, &executor.tables, store::LONGEST_WAIT).await?;
    Ok((connection, history))
}
