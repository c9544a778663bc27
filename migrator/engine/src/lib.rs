//! Plans, applies and reports PostgreSQL migrations that are compiled into a binary.
//!
//! A workspace that wants its own migrator writes two files. Its build script reads, checks and embeds `db/`:
//!
//! ```ignore
//! fn main() {
//!     migrator_build::embed("../db");
//! }
//! ```
//!
//! and its `main.rs` is one line, the whole command line included:
//!
//! ```ignore
//! migrator_engine::main!();
//! ```
//!
//! # As a library
//!
//! The same operations can be called without a command line, such as from a backend's integration tests. Nothing is printed: an
//! operation returns a report, and an [`Observer`] hears what happens on the way.
//!
//! ```no_run
//! use migrator_engine::operation::UpOptions;
//! use migrator_engine::{ConnectionTarget, Embedded, Error, Event, Migrator, Observer};
//!
//! struct Log;
//!
//! impl Observer for Log {
//!     fn event(&self, event: &Event<'_>) {
//!         if let Event::Applied(applied) = event {
//!             println!("{} in {:?}", applied.step, applied.took);
//!         }
//!     }
//! }
//!
//! /// `embedded` is `EMBEDDED.set()?`, where the build script has run:
//! /// `static EMBEDDED: Blob = migrator_engine::include_embedded!();`
//! async fn migrate(embedded: &'static Embedded, url: &str) -> Result<(), Error> {
//!     let migrator = Migrator::new(embedded).observer(Log);
//!     let target = ConnectionTarget::parse(url)?;
//!     let report = migrator.connect(&target).await?.up(&UpOptions::default()).await?;
//!     println!("{} steps in {:?}", report.applied.len(), report.took);
//!     let status = migrator.connect(&target).await?.status();
//!     println!("{} versions", status.entries.len());
//!     Ok(())
//! }
//! ```
//!
//! The observer belongs to the migrator and not to one operation: the server's notices and the words of a connection that is being
//! opened or looked for come from the tasks of the connections. [`Cancellation`] stops what runs and has the operation say what is true.
//!
//! # Inside
//!
//! A run goes one way: [`embedded`] (what is in the binary) and [`history`] (what the database says) give a [`plan`], which is carried
//! out step by step. Everything up to the plan is pure; only a few private modules speak to the server.

mod account;
mod adopt;
mod apply;
mod audit;
mod cancel;
mod cli;
pub mod client;
mod command;
mod connect;
mod conninfo;
pub mod embedded;
mod error;
mod event;
mod excerpt;
pub mod facts;
pub mod history;
mod introspect;
mod lock;
pub mod locks;
mod machine;
mod migrator;
pub mod operation;
pub mod output;
mod peers;
mod place;
pub mod plan;
mod planted;
mod recorded;
pub mod reference;
mod report;
mod session;
pub mod signals;
mod sql;
pub mod stats;
mod store;
mod table;
mod terminal;
mod tls;
pub mod units;
mod usage;
pub mod words;

use std::process::ExitCode;
use std::sync::Arc;

use signals::Guarded;

pub use account::{Account, Failed, State};
pub use cancel::Cancellation;
pub use clap_complete::Shell;
pub use cli::Global;
pub use connect::Server;
pub use conninfo::ConnectionTarget;
pub use embedded::{Blob, Embedded, Release};
pub use error::{Error, ErrorKind, Exit};
pub use event::{Applied, Doing, Event, Notice, Observer, Silent, Waiting};
pub use migrator::Migrator;
pub use migrator_model as model;
pub use output::{Color, Terminal};
pub use peers::{Activity, Holder};
pub use place::Place;
pub use session::{Locked, Session};
pub use usage::{
    Elsewhere, Request, Unknown, answer, asks_for_json, grammar, is_command, make_printable, named, parse,
};

/// What the build script has embedded, as a [`Blob`] for a `static`.
#[macro_export]
macro_rules! include_embedded {
    () => {
        include!(env!(
            "MIGRATOR_EMBEDDED",
            "no migrations are embedded: this package's build.rs must call `migrator_build::embed(\"../db\")`, and its Cargo.toml must list `migrator-build` under [build-dependencies]"
        ))
    };
}

/// The whole program.
#[macro_export]
macro_rules! main {
    () => {
        static EMBEDDED: $crate::Blob = $crate::include_embedded!();

        fn main() -> ::std::process::ExitCode {
            $crate::run(
                &EMBEDDED,
                $crate::Release::new(
                    env!("CARGO_PKG_VERSION"),
                    match option_env!("MIGRATOR_COMMIT") {
                        Some(commit) => commit,
                        None => "dev",
                    },
                ),
                ::std::env::args_os(),
            )
        }
    };
}

/// Runs the command line over an embedded set, which is read when a command needs it; [`main!`] calls it.
///
/// `arguments` begin with the program's name. The result is the process's exit code, one of [`Exit`].
pub fn run(
    embedded: &'static Blob,
    release: Release,
    arguments: impl IntoIterator<Item = std::ffi::OsString>,
) -> ExitCode {
    run_line(embedded, release, arguments.into_iter().collect())
}

/// Not generic, and never inlined: else all that it awaits would be compiled once more with the consumer's crate, after every change of a
/// file.
#[inline(never)]
fn run_line(embedded: &'static Blob, release: Release, arguments: Vec<std::ffi::OsString>) -> ExitCode {
    let cli: cli::Cli = match usage::parse(arguments.iter().cloned()) {
        Ok(cli) => cli,
        Err(exit) => return ExitCode::from(exit as u8),
    };
    let changes = cli.command.changes();
    let cancellation = Cancellation::new();
    let terminal = Arc::new(output::Terminal::new(cli.global.quiet, cli.global.verbose, cli.global.color));
    let program = command::Program {
        embedded,
        release,
        terminal: Arc::clone(&terminal),
        cancellation: cancellation.clone(),
        database_url: cli.global.database_url,
        grammar: <cli::Cli as clap::CommandFactory>::command,
        line: arguments,
    };
    drive(&terminal, &cancellation, changes, cli.command.run(&program))
}

/// Runs the work of a command to its end, or to what a signal has it come to: prints the error, if any, and says how the process ends.
///
/// `cancellation` is that of the work's migrator. `changes`: the work changes a database, which is true also where the result cannot
/// be written.
pub fn drive(
    terminal: &Terminal,
    cancellation: &Cancellation,
    changes: bool,
    work: impl Future<Output = Result<Exit, Error>>,
) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal.fail(&Error::other(format!("the runtime cannot be started: {error}")), Exit::Other as u8);
            return ExitCode::from(Exit::Other as u8);
        }
    };
    let told = |name: &str| terminal.warn(&format!("{name}: stopping; the running statement is cancelled"));
    let Guarded { outcome, signal } = match runtime.block_on(signals::guard(cancellation, work, told)) {
        Ok(guarded) => guarded,
        Err(signal) => {
            let code = 128 + signal as u8;
            // A person has pressed the keys; a program is told why there is no result.
            if output::is_json() {
                let error = Error::from(ErrorKind::Stopped { by: signals::name(signal).to_owned() });
                terminal.fail(&error.help("`migrator status` shows what is in the database"), code);
            }
            return ExitCode::from(code);
        }
    };
    let exit = match &outcome {
        // What was finished in spite of the signal is finished.
        Ok(exit) => *exit as u8,
        // In doubt stays in doubt; otherwise a signal is the reason.
        Err(error) => match signal.filter(|_| error.exit() != Exit::InDoubt) {
            Some(signal) => 128 + signal as u8,
            None => error.exit() as u8,
        },
    };
    match &outcome {
        Ok(_) => terminal.conclude(exit),
        Err(error) => terminal.fail(error, exit),
    }
    let Some(unwritten) = output::unwritten() else { return ExitCode::from(exit) };
    let error = not_written(&unwritten, changes);
    terminal.fail(&error, error.exit() as u8);
    ExitCode::from(if outcome.is_ok() { error.exit() as u8 } else { exit })
}

/// A result that could not be written. `changes`: the command has changed something all the same.
fn not_written(unwritten: &output::Unwritten, changes: bool) -> Error {
    let error = Error::other(format!("the result could not be written to stdout: {}", unwritten.cause));
    if !changes {
        return error.help("make room where stdout goes, or write it elsewhere, and run the command again");
    }
    error
        .note(format!("the result, which could not be written, was: {}", unwritten.last))
        .help("make room where stdout goes; `migrator status` shows what is in the database")
}
