//! Statements that are right and dangerous all the same: which lock they take, what breaks, and how to write them safely.
//!
//! No part of the build: `cargo xtask check` asks. The table of rules is always there, since the settings name rules; the
//! rest needs the feature `hazards`, which brings the linter.

#[cfg(feature = "hazards")]
mod advice;
#[cfg(feature = "hazards")]
mod allow;
#[cfg(feature = "hazards")]
mod block;
#[cfg(feature = "hazards")]
mod known;
#[cfg(feature = "hazards")]
mod linter;
#[cfg(feature = "hazards")]
mod lock;
#[cfg(feature = "hazards")]
mod object;
#[cfg(feature = "hazards")]
mod own;
#[cfg(feature = "hazards")]
mod search;
#[cfg(feature = "hazards")]
mod steady;
pub mod table;
#[cfg(feature = "hazards")]
mod types;

#[cfg(feature = "hazards")]
pub use search::{Hazard, search};
