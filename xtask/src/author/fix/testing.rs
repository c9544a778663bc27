//! What the tests of several files need.

use migrator_sql::lex;

use super::source::Source;

/// What is done to the migration of this text.
pub(super) fn with_source<T>(text: &str, work: impl FnOnce(&Source<'_>) -> T) -> T {
    let set = migrator_build::load_file("migrations/001_x.sql", text.as_bytes()).unwrap().set;
    let migration = &set.migrations[0];
    let lexed = lex(&migration.text);
    work(&Source::of(migration, &lexed))
}
