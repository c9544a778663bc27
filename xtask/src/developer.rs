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

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use migrator_engine::{
    Cancellation, ConnectionTarget, Embedded, Error, Exit, Migrator, Release, Session, Terminal, drive,
};

use crate::signals;
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
    /// It changes a database: what it has done is true also where the result cannot be written.
    pub changes: bool,
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
        let migrator = Migrator::new(embedded).observer(Arc::clone(&terminal)).environment(environment);
        Context { migrator, terminal, target, changes: false, own: None }
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

    /// The same for a release of the migrator's package: that is what the history records.
    #[must_use]
    pub fn release(mut self, version: String) -> Context {
        self.migrator = self.migrator.release(Release::new(version.leak(), "dev"));
        self
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

/// Runs something short to its end, to which a signal does what it always does.
pub fn block_on<T>(work: impl Future<Output = T>) -> io::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work))
}

/// Runs a task on a database to its end, or to what a signal has it come to; prints the error, if any.
pub fn run(mut context: Context, work: impl AsyncFnOnce(&Context) -> Result<Exit, Error>) -> ExitCode {
    let cancellation = Cancellation::new();
    context.migrator = context.migrator.cancellation(&cancellation);
    signals::while_working(|| drive(&context.terminal, &cancellation, context.changes, work(&context)))
}
