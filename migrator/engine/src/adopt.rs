//! The histories of other tools: where each of them is, what its rows mean, which of our migrations they are, and what follows for our
//! own history. Pure.

mod decide;
mod explain;
mod key;
pub(crate) mod name;
mod recognise;
mod tools;
mod traces;

pub(crate) use decide::{Decision, decide};
pub(crate) use explain::{Explained, Refusal, explain};
pub use recognise::history_tables;
pub(crate) use recognise::{Recognised, name_patterns, recognise};
pub(crate) use tools::{ForeignHistory, Row, of_tool};
pub(crate) use traces::{detail, of_table, traces};
