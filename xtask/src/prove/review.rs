//! What a branch brings that its base does not have, and what was found out about it. Pure: `markdown` and the page show it.

mod collect;
mod count;
mod headline;
mod markdown;
mod parts;

pub(crate) use collect::{Seen, how};
pub(crate) use parts::{About, Found, Losses, Mark, Repeatable, Review, RolledBack, Schema, SchemaLine, Step, Verdict};
