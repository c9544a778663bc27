//! The developer side of `migrator`: the `cargo xtask` commands around a db directory.
//!
//! # In another workspace
//!
//! Three conventions, no configuration: the SQL is in `db/`, the package that embeds it is called `migrator`, and a package
//! `xtask` has this `src/main.rs`:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     migrator_xtask::main()
//! }
//! ```
//!
//! `cargo xtask init`, or `migrator-xtask init` where there is no `cargo xtask` yet, writes all of it, with
//! the alias in `.cargo/config.toml`
//!
//! ```toml
//! [alias]
//! xtask = "run --package xtask --"
//! ```
//!
//! A workspace with tasks of its own calls [`intercept`] first in its `main`, as `init` writes it, or flattens [`Command`] into them:
//!
//! ```no_run
//! use clap::Parser;
//!
//! #[derive(Parser)]
//! #[command(name = "xtask", bin_name = "cargo xtask")]
//! enum Task {
//!     /// Deploys the application.
//!     Deploy,
//!     #[command(flatten)]
//!     Migrator(migrator_xtask::Command),
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     match Task::parse() {
//!         Task::Deploy => std::process::ExitCode::SUCCESS,
//!         Task::Migrator(command) => command.run(),
//!     }
//! }
//! ```
//!
//! # Exit codes
//!
//! 0 done; 1 `check`, `verify`, `compat`, `dump --check` or `chaos` found something, or `import` something that it cannot import; 2 usage error; 9 anything else. `migrate` and its short forms pass the migrator's own
//! code through.
//!
//! # Two ways to a database
//!
//! What ships is what is tried: `migrate up`, `down`, `status`, `seed` and the like build the workspace's own migrator and become it.
//! What must not ship links the engine as a library, over the db directory as it is on disk: `verify`, `dump`, `plan --locks`,
//! `create`, `drop` and `reset`.

pub mod author;
mod base;
mod building;
mod check;
mod child;
mod cli;
pub mod database;
pub mod developer;
mod docs;
mod environment;
mod maintenance;
mod manual;
mod migrator;
mod output;
pub mod prove;
mod release;
mod signals;
mod unchanged;
mod usage;
mod workspace;

pub use cli::{Cli, Command, intercept, main};
pub use migrator_engine as engine;
pub use output::exit_code;
