//! The developer side of `migrator`: the `cargo xtask` commands around a db directory.
//!
//! # In another workspace
//!
//! Three conventions, no configuration: the SQL is in `db/`, the package that embeds it is called `migrator` (with a
//! feature `dev = ["migrator-engine/dev"]`), and a package `xtask` has this `src/main.rs`:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     migrator_xtask::main()
//! }
//! ```
//!
//! with the alias in `.cargo/config.toml`
//!
//! ```toml
//! [alias]
//! xtask = "run --package xtask --"
//! ```
//!
//! A workspace with tasks of its own flattens [`Command`] into them:
//!
//! ```no_run
//! use clap::Parser;
//!
//! #[derive(Parser)]
//! #[command(name = "xtask", bin_name = "cargo xtask")]
//! enum Task {
//!     /// Deploys the documentation.
//!     Docs,
//!     #[command(flatten)]
//!     Migrator(migrator_xtask::Command),
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     match Task::parse() {
//!         Task::Docs => std::process::ExitCode::SUCCESS,
//!         Task::Migrator(command) => command.run(),
//!     }
//! }
//! ```
//!
//! # Exit codes
//!
//! 0 done; 1 `check`, `dump --check` or `chaos` found something; 2 usage error; 9 anything else. `migrate` and its short forms pass the migrator's own
//! code through.
//!
//! # Absent on purpose
//!
//! No PostgreSQL client, no async runtime, no engine: whatever needs a connection is done by the migrator binary, so that
//! the tasks build in seconds and a workspace's `xtask` stays outside the separation that `check` proves.

mod author;
mod base;
mod building;
mod check;
mod child;
mod cli;
mod database;
mod environment;
mod migrator;
mod output;
mod prove;
mod release;
mod usage;
mod workspace;

pub use cli::{Cli, Command, main};
