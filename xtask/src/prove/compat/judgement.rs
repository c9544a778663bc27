//! What came of judging a release.

use std::time::Duration;

use super::description::{Difference, Refusal};
use super::procedures::Procedure;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    /// Queries that do not work on the release's own schema, by their index: nothing can be said of them.
    pub(super) left_out: Vec<(usize, Refusal)>,
    pub(super) breaks: Vec<Break>,
    /// How many queries get more columns at the end of their result.
    pub(super) grown: usize,
    /// How many SQL functions were read again.
    pub(super) functions: usize,
    /// The new migrations and the repeatables, in the order in which they run.
    pub(super) steps: Vec<String>,
    /// Queries of the working tree that work on the new schema and not on the old one.
    pub(super) too_early: Vec<(usize, Vec<Difference>)>,
    /// Queries that work, and that the server has not planned, by their index.
    pub(super) unplanned: Vec<usize>,
    /// Queries that take the row of a table as one value.
    pub(super) whole_rows: Vec<usize>,
    /// INSERTs that write NULL to a column of this table where they did not before.
    pub(super) newly_null: Vec<(usize, String)>,
    /// What no one has looked into.
    pub(super) procedures: Vec<Procedure>,
    /// How long the server was asked, without making the databases.
    pub(super) asked: Duration,
}

/// Who breaks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asker {
    /// A query of the release, by its index.
    Query(usize),
    /// An SQL function of the schema, by its signature.
    Function(String),
}

/// An asker that works before and not after.
#[derive(Debug)]
pub(super) struct Break {
    pub(super) asker: Asker,
    pub(super) differences: Vec<Difference>,
    /// The migration or repeatable after which it is so.
    pub(super) by: Option<String>,
}
