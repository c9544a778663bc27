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
//! Inside, a run goes one way: [`embedded`] (what is in the binary) and [`history`] (what the database says) give a
//! [`plan`], which is carried out step by step. Everything up to the plan is pure; only a few private modules speak to
//! the server.

mod apply;
mod audit;
mod cli;
mod command;
mod connect;
mod conninfo;
mod dispatch;
pub mod embedded;
mod error;
pub mod excerpt;
pub mod facts;
pub mod history;
mod interrupt;
mod introspect;
mod lock;
mod output;
#[cfg(feature = "dev")]
mod page;
pub mod plan;
mod recorded;
mod report;
mod sql;
mod store;

mod tls;
#[cfg(feature = "dev")]
mod trace;
pub mod units;
mod usage;

use std::process::ExitCode;
use std::sync::Arc;

pub use embedded::{Embedded, Release};
pub use error::{Error, Exit};

/// The set that the build script has embedded.
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
        // The lints of the workspace that embeds are for what its people write.
        #[allow(clippy::all, clippy::pedantic)]
        static EMBEDDED: $crate::Embedded = $crate::include_embedded!();

        fn main() -> ::std::process::ExitCode {
            $crate::run(
                &EMBEDDED,
                $crate::Release {
                    version: env!("CARGO_PKG_VERSION"),
                    commit: match option_env!("MIGRATOR_COMMIT") {
                        Some(commit) => commit,
                        None => "dev",
                    },
                },
                ::std::env::args_os(),
            )
        }
    };
}

/// Runs the command line over an embedded set; [`main!`] calls it.
///
/// `arguments` begin with the program's name. The result is the process's exit code, one of [`Exit`].
pub fn run(
    embedded: &'static Embedded,
    release: Release,
    arguments: impl IntoIterator<Item = std::ffi::OsString>,
) -> ExitCode {
    let cli = match usage::parse(arguments) {
        Ok(cli) => cli,
        Err(exit) => return ExitCode::from(exit as u8),
    };
    let color = cli.global.color.on_stderr();
    let changes = cli.command.changes();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::last_word(&format!("error: the runtime cannot be started: {error}"));
            return ExitCode::from(Exit::Other as u8);
        }
    };
    let interrupt = Arc::new(interrupt::Interrupt::default());
    let progress = Arc::new(output::Progress::new(cli.global.quiet, cli.global.verbose, cli.global.color));
    let work = dispatch::dispatch(cli, embedded, release, Arc::clone(&interrupt), Arc::clone(&progress));
    let told = |name: &str| progress.warn(&format!("{name}: stopping; the running statement is cancelled"));
    let outcome = match runtime.block_on(interrupt.guard(work, told)) {
        Ok(outcome) => outcome,
        Err(signal) => return ExitCode::from(128 + signal as u8),
    };
    let unwritten = output::unwritten().map(|unwritten| not_written(&unwritten, changes));
    let exit = match outcome {
        // What was finished in spite of the signal is finished.
        Ok(exit) => {
            if let Some(error) = &unwritten {
                output::fail(error, color);
            }
            return ExitCode::from(unwritten.map_or(exit, |error| error.exit()) as u8);
        }
        Err(error) => match error.downcast_ref::<Error>() {
            Some(error) => {
                output::fail(error, color);
                error.exit()
            }
            None => {
                output::last_word(&format!("error: {error:#}"));
                Exit::Other
            }
        },
    };
    if let Some(error) = &unwritten {
        output::fail(error, color);
    }
    // In doubt stays in doubt; otherwise a signal is the reason.
    match interrupt.signal() {
        Some(signal) if exit != Exit::InDoubt => ExitCode::from(128 + signal as u8),
        _ => ExitCode::from(exit as u8),
    }
}

/// A result that nobody will read, because it is not where it was to go. `changes`: the command has done something that is true all
/// the same.
fn not_written(unwritten: &output::Unwritten, changes: bool) -> Error {
    let error = Error::new(Exit::Other, format!("the result could not be written to stdout: {}", unwritten.cause));
    if !changes {
        return error.help("make room where stdout goes, or write it elsewhere, and run the command again");
    }
    error
        .note(format!("this is true all the same, and was not written: {}", unwritten.last))
        .help("make room where stdout goes; `migrator status` shows what is in the database")
}
