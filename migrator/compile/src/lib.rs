//! Reads, checks and embeds a db directory of PostgreSQL migrations at build time.
//!
//! A workspace has one package for its migrator binary, whose build script is
//!
//! ```no_run
//! migrator_build::embed("../db");
//! ```
//!
//! Every mistake in the directory is a build error with file, line, column and help, all in one build. [`load`] returns the
//! same as data, and [`model::Blob::write`] gives it the form in which it is embedded.

mod checksum;
mod code;
mod contract;
mod data_test;
mod duration;
mod embed;
mod facts;
mod file;
mod load;
mod loss;
mod migration;
mod nearest;
mod problem;
mod procedures;
#[cfg(test)]
mod properties;
mod read;
mod rule;
mod script;
mod source;
mod squashed;
#[cfg(test)]
mod testing;

pub use data_test::{DataTest, Expected, Moment, TestBlock, TestStatement};
pub use embed::embed;
pub use facts::FACT_KINDS;
pub use load::{Loaded, load, load_file, statement_starts};
pub use loss::{DeclaredLoss, declared_losses};
pub use migrator_model as model;
pub use problem::{Code, Problem, Problems, Severity};
pub use read::bytes::read_file;
