//! What is to be judged.

use migrator_engine::embedded::Embedded;

use super::query::Query;

/// A release, and what it asks.
pub(super) struct Case<'a> {
    /// The release in messages: `v1.21`.
    pub(super) release: &'a str,
    /// Its migrations and repeatables.
    pub(super) before: &'static Embedded,
    /// Its queries.
    pub(super) queries: &'a [Query],
    /// The queries of the working tree that the release does not have.
    pub(super) next: Vec<&'a Query>,
    /// The role of the application.
    pub(super) role: Option<&'a str>,
}
