//! Statements that are correct and still dangerous: which lock they take, who waits, what breaks, and the safe way to write them.
//!
//! With the feature `search`, `search` finds the hazards in a set of migrations. Every rule is a file below `rules/`, with its
//! reason, its safe way, what it finds and what it lets pass. Without the feature only their names are there, for who checks
//! settings that name rules.

mod marker;
mod names;
mod rules;

pub use marker::allowed;
pub use names::{BREAKS_RELEASE, help_for_unknown, is_retired, is_rule, names};

#[cfg(feature = "search")]
mod allow;
#[cfg(feature = "search")]
mod hazard;
#[cfg(feature = "search")]
mod held;
#[cfg(feature = "search")]
mod known;
#[cfg(feature = "search")]
mod linter;
#[cfg(feature = "search")]
mod lock;
#[cfg(feature = "search")]
mod rule;
#[cfg(feature = "search")]
mod search;
#[cfg(feature = "search")]
mod site;
#[cfg(feature = "search")]
mod steady;
#[cfg(feature = "search")]
mod taken;
#[cfg(all(test, feature = "search"))]
mod testing;
#[cfg(feature = "search")]
mod types;

#[cfg(feature = "search")]
pub use hazard::Hazard;
#[cfg(feature = "search")]
pub use rule::Rule;
#[cfg(feature = "search")]
pub use rules::RULES;
#[cfg(feature = "search")]
pub use search::{broken_by, search, search_in, taking};
#[cfg(feature = "search")]
pub use taken::{Taken, Takes};
