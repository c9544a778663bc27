//! What a schema is, as facts: one line for each object, comparable and readable in a review.
//!
//! Pure: [`catalog`] has the query, `introspect` runs it. No fact holds an oid, a column number with holes, a grantor or
//! anything else that two databases of the same schema need not share; expressions are in the form of [`canonical`], which a
//! dump and its restoration leave as it is.

mod canonical;
pub mod catalog;
mod difference;
mod kinds;
mod set;

pub use difference::{Difference, diff, report};
pub use set::{Fact, Facts, matches};
