//! A seed: one transaction that is not part of a plan.

use super::executor::Executor;
use super::patience::{Patience, patiently};
use super::report::{Subject, describe};
use super::transaction::Durability;
use super::{aftermath, message, watch};
use crate::account::{Account, Failed, State};
use crate::embedded::{Direction, Script};
use crate::error::{Error, ErrorKind};
use crate::event::Event;

/// Runs a seed in one transaction, with its event.
///
/// # Errors
/// What the server refused, a lost connection, a cancellation.
pub(crate) async fn seed(executor: &Executor, script: &'static Script) -> Result<(), Error> {
    executor.tell(Event::Started { step: &script.name, number: 1, of: 1 });
    let outcome = patiently(executor, &script.name, Patience::new(executor), async || {
        let message = message::of_script(executor, script, "seed", None, Durability::AtOnce);
        let sent = message.send(&executor.connection.client, executor.session(None));
        watch::while_running(executor, &script.name, sent).await
    })
    .await;
    executor.tell(Event::Ended);
    let Err(failure) = outcome else { return Ok(()) };
    if failure.lost {
        return aftermath::look_for_seed(executor, script, failure).await;
    }
    let error = describe(&Subject::other(format!("seed {}", script.name)), &failure, None);
    let error = match error.kind() {
        ErrorKind::MigrationFailed { .. } => {
            error.help("correct the file, build, and run `seed` again: none of it is in the database")
        }
        _ => error,
    };
    let step = Failed::script(script.name.to_string(), Direction::Up, State::NotApplied);
    Err(failure.explain(error.account_for(Account { step: Some(step), ..Account::default() })))
}
