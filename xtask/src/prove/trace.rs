//! What each statement does to the relations that were there before it: locks, rewrites, scans. Read from the catalogs of a scratch
//! database while it runs, not guessed from its text.
//!
//! Not seen: a lock that is given back before its statement ends, which only a subtransaction that is rolled back does.

mod alone;
mod effect;
mod guess;
mod held;
mod outside;
mod question;
mod queue;
mod run;
mod state;
mod subject;
mod tracer;
mod written;

pub(crate) use effect::{Statement, Trace, line};
pub(crate) use held::Held;
pub(crate) use migrator_engine::locks::{Effect, Waits};
pub(crate) use subject::Subject;
pub(crate) use tracer::Tracer;
