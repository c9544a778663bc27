//! What an object is called in every database that has it.

use std::fmt;

/// The name of an object, as the facts give it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The object that it belongs to, qualified and quoted.
    pub(crate) object: String,
    /// `table`, `column`, `index`, ...; beside those of the facts `default`, the default of a column.
    pub(crate) kind: String,
    /// The part of the object; empty for the object itself.
    pub(crate) part: String,
}

impl Key {
    pub(crate) fn new(object: &str, kind: &str, part: &str) -> Key {
        Key { object: object.to_owned(), kind: kind.to_owned(), part: part.to_owned() }
    }

    pub(crate) fn is(&self, kinds: &[&str]) -> bool {
        kinds.contains(&self.kind.as_str())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part.is_empty() {
            true => write!(f, "{} {}", self.kind, self.object),
            false => write!(f, "{} {} of {}", self.kind, self.part, self.object),
        }
    }
}

/// Kinds of relations that hold rows.
pub(crate) const TABLES: &[&str] = &["table", "foreign-table"];
/// Kinds of relations that are made of a query.
pub(crate) const VIEWS: &[&str] = &["view", "materialized-view"];
/// Kinds of routines that the server can write as a statement.
pub(crate) const ROUTINES: &[&str] = &["function", "procedure"];
