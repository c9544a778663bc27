//! What statements do to the relations that were there before them: the locks, and the work under them. Pure: the words, and the file
//! that `cargo xtask dump` writes and a build embeds.
//!
//! It is seen on an empty database while each migration runs, not guessed from its text.

mod effect;
mod file;

pub use effect::{Effect, Waits};
pub use file::{LockFile, TracedMigration, TracedStatement, checksums};
