//! One query that a release asks, and where it is written.

/// A place in a file of a release: lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// Relative to the workspace, with `/`.
    pub(crate) file: String,
    pub(crate) line: usize,
}

/// What the source itself says about a query's types (`.sqlx`); names as the source has them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Declared {
    pub(crate) parameters: Vec<String>,
    pub(crate) columns: Vec<Column>,
}

/// A column of a result, as the source declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) type_name: String,
    pub(crate) nullable: Option<bool>,
}

/// One text, wherever it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    /// As the server gets it: parameters are `$1`, `$2`.
    pub(crate) text: String,
    /// The name that the source gives it, if any (`--! name`, `-- name: Name :many`).
    pub(crate) name: Option<String>,
    /// In order, never empty.
    pub(crate) places: Vec<Place>,
    pub(crate) declared: Option<Declared>,
}

/// All queries of one release.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queries {
    /// Each text once, in the order of their first places.
    pub(crate) queries: Vec<Query>,
    /// Calls whose text is not a literal, by place: counted and said.
    pub(crate) not_literal: Vec<Place>,
    /// Files that could not be read as what their name says, and why.
    pub(crate) unreadable: Vec<(String, String)>,
}
