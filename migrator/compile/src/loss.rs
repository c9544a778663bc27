//! What a down block says that it loses.

use migrator_diagnostic::Source;
use migrator_model::Migration;

use crate::contract::loses;

/// A `-- migrate:loses` of a down block.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeclaredLoss {
    /// The parts of the name as the server stores them: a schema, a table, a column; a type and a value of it.
    pub object: Vec<String>,
    /// The line of the file, from 1.
    pub line: usize,
}

/// The losses that the down block of a migration declares, in the order of the file.
pub fn declared_losses(migration: &Migration) -> Vec<DeclaredLoss> {
    let Some(down) = &migration.down else { return Vec::new() };
    let source = Source::new(&*migration.file, &*migration.text);
    let comments = migrator_sql::lex(&source.text).comments;
    let inside = comments.iter().filter(|comment| !comment.block && down.range.contains(&comment.range.start));
    let declared = |comment: &migrator_sql::Comment| {
        let at = comment.range.start;
        let is_alone = source.text[source.line_start(at)..at].trim().is_empty();
        let body = source.text[comment.range.clone()][2..].trim_start_matches([' ', '\t']);
        let object = loses::object(body.strip_prefix("migrate:loses").filter(|_| is_alone)?)?;
        Some(DeclaredLoss { object, line: source.position(at).0 })
    };
    inside.filter_map(declared).collect()
}
