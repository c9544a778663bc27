//! What the committed files are called.

/// Where the schema is kept, below the db directory.
pub(crate) const SCHEMA: &str = "schema.sql";

/// Where the locks for a major release are kept, below the db directory.
pub(crate) fn locks(major: &str) -> String {
    format!("locks.{major}")
}

/// Where the facts for a major release are kept, below the db directory.
pub(crate) fn facts(major: &str) -> String {
    format!("schema.facts.{major}")
}
