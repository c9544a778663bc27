//! Traces one migration after the other.

use std::collections::BTreeSet;

use super::effect::Trace;
use super::guess::makes_new_things_only;
use super::question::{Oid, Questions};
use super::run::{Eye, Run};
use super::state::{State, history};
use super::subject::Subject;
use migrator_engine::Error;
use migrator_engine::Locked;
use migrator_engine::client::failed;
use migrator_engine::embedded::Migration;

/// Runs one after the other in the session that holds the lock, which no one else disturbs.
pub(crate) struct Tracer<'a>(Eye<'a>);

impl<'a> Tracer<'a> {
    /// Looks what is there.
    ///
    /// # Errors
    /// A lost connection; none for a second session.
    pub(crate) async fn new(locked: &'a Locked) -> Result<Tracer<'a>, Error> {
        let read = async {
            let history = history(locked.client(), locked.tables()).await?;
            Ok((State::read(locked.client(), &history).await?, history))
        };
        let (state, history) =
            read.await.map_err(|error: tokio_postgres::Error| failed("reading the existing relations", error))?;
        let (questions, new) = (Questions::new(&history), BTreeSet::new());
        let monitor = locked.monitor().await?;
        Ok(Tracer(Eye { locked, monitor, state, new, history, questions, session: None, is_prepared: false }))
    }

    /// Looks again what is there: others have changed it.
    ///
    /// # Errors
    /// A lost connection.
    pub(crate) async fn look_again(&mut self) -> Result<(), Error> {
        let new = std::mem::take(&mut self.0.new);
        *self = Tracer::new(self.0.locked).await?;
        self.0.new = new;
        Ok(())
    }

    /// Runs one that production does not have: nor has it what this one makes.
    ///
    /// # Errors
    /// Same as for [`Tracer::run`].
    pub(crate) async fn run_new(&mut self, subject: Subject) -> Result<Trace, Error> {
        let (trace, made) = self.go(subject, false).await?;
        self.0.new.extend(made);
        Ok(trace)
    }

    /// Runs it.
    ///
    /// # Errors
    /// The first statement that fails, in the server's words; what is open of it is rolled back.
    pub(crate) async fn run(&mut self, subject: Subject) -> Result<Trace, Error> {
        Ok(self.go(subject, false).await?.0)
    }

    /// Runs a migration, of which only what blocks others is of interest: one that blocks no one is looked at once, at its end, and has no
    /// statements in its trace.
    ///
    /// # Errors
    /// Same as for [`Tracer::run`].
    pub(crate) async fn run_quickly(&mut self, migration: &'static Migration) -> Result<Trace, Error> {
        Ok(self.go(Subject::Migration(migration), makes_new_things_only(migration)).await?.0)
    }

    async fn go(&mut self, subject: Subject, quickly: bool) -> Result<(Trace, Vec<Oid>), Error> {
        let client = self.0.locked.client();
        let mut run = Run::new(&mut self.0, subject);
        let outcome = match subject.is_transactional() {
            true if quickly => match run.as_a_whole().await {
                Ok(true) => Ok(()),
                Ok(false) => run.by_statement().await,
                Err(error) => Err(error),
            },
            true => run.by_statement().await,
            false => run.without_transaction().await,
        };
        let Run { statements, new_relations, tables, made, .. } = run;
        if outcome.is_err() {
            // Nothing is lost where nothing is open.
            let _ = client.batch_execute("ROLLBACK").await;
            self.0.session = None;
        }
        outcome.map_err(|error| failed(&format!("tracing {}", subject.label()), error))?;
        Ok((Trace { label: subject.label(), file: subject.source().0, statements, new_relations, tables }, made))
    }
}
