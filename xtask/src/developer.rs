//! What the tasks on databases work with: the migrator as a library, the terminal, a target.
//!
//! `cargo xtask` runs them over the db directory as it is on disk. Another program may run them over any set, on any server:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use migrator_xtask::engine::{Color, ConnectionTarget, Embedded, Error, Terminal};
//! use migrator_xtask::database::create;
//! use migrator_xtask::developer::{self, Context};
//!
//! fn create(embedded: &'static Embedded, url: &str) -> Result<ExitCode, Error> {
//!     let terminal = Terminal::new(false, false, Color::Auto);
//!     let context = Context::new(embedded, terminal, ConnectionTarget::parse(url)?, None);
//!     let args = create::Args { if_missing: true };
//!     Ok(developer::run(context, async |context| create::run(context, &args).await))
//! }
//! ```

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use migrator_engine::signals::{Guarded, guard};
use migrator_engine::{Cancellation, ConnectionTarget, Embedded, Error, Exit, Migrator, Release, Session, Terminal};

use crate::output;
use migrator_postgres::TemporaryServer;

/// What a task on a database works with.
#[derive(Clone)]
pub struct Context {
    /// Does the work.
    pub migrator: Migrator,
    /// What the person sees; it is the migrator's observer.
    pub terminal: Arc<Terminal>,
    /// Where to.
    pub target: ConnectionTarget,
    /// The data directory of the one server that is the workspace's own, or this run's alone.
    pub own: Option<PathBuf>,
}

impl Context {
    /// A context over what is on disk.
    pub fn new(
        embedded: &'static Embedded,
        terminal: Terminal,
        target: ConnectionTarget,
        environment: Option<String>,
    ) -> Context {
        let terminal = Arc::new(terminal);
        let release = Release::new(env!("CARGO_PKG_VERSION"), "dev");
        let migrator =
            Migrator::new(embedded).release(release).observer(Arc::clone(&terminal)).environment(environment);
        Context { migrator, terminal, target, own: None }
    }

    /// A context on a throwaway server, which is this run's alone.
    ///
    /// # Errors
    /// Its URL cannot be read.
    pub fn on_throwaway(
        server: &TemporaryServer,
        embedded: &'static Embedded,
        terminal: Terminal,
    ) -> Result<Context, Error> {
        Ok(Context { own: Some(server.data_directory()), ..Context::new(embedded, terminal, throwaway(server)?, None) })
    }

    /// The same on a throwaway server, which is this run's alone.
    ///
    /// # Errors
    /// Its URL cannot be read.
    pub fn on(&self, server: &TemporaryServer) -> Result<Context, Error> {
        Ok(Context { own: Some(server.data_directory()), ..self.at(throwaway(server)?) })
    }

    /// Connects and reads the history; writes nothing.
    pub async fn connect(&self) -> Result<Session, Error> {
        self.migrator.connect(&self.target).await
    }

    /// The same on another database or another server.
    pub fn at(&self, target: ConnectionTarget) -> Context {
        Context { target, ..self.clone() }
    }
}

/// Nothing that is set for another server counts here.
fn throwaway(server: &TemporaryServer) -> Result<ConnectionTarget, Error> {
    ConnectionTarget::read(Some(&server.url("postgres")), |_| None)
}

/// Runs a task on a database to its end, or to what a signal has it come to; prints the error, if any.
pub fn run(mut context: Context, work: impl AsyncFnOnce(&Context) -> Result<Exit, Error>) -> ExitCode {
    let cancellation = Cancellation::new();
    context.migrator = context.migrator.cancellation(&cancellation);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::note(format!("error: the runtime cannot be started: {error}"));
            return ExitCode::from(output::FAILED);
        }
    };
    let told = |name: &str| context.terminal.warn(&format!("{name}: stopping; the running statement is cancelled"));
    let (outcome, signal) = match runtime.block_on(guard(&cancellation, work(&context), told)) {
        Ok(Guarded { outcome, signal }) => (outcome, signal),
        Err(signal) => return ExitCode::from(128 + signal as u8),
    };
    match (outcome, signal) {
        // What was finished in spite of the signal is finished.
        (Ok(exit), _) => ExitCode::from(exit as u8),
        (Err(error), signal) => {
            context.terminal.fail(&error);
            match signal {
                Some(signal) if error.exit() != Exit::InDoubt => ExitCode::from(128 + signal as u8),
                _ => ExitCode::from(error.exit() as u8),
            }
        }
    }
}
