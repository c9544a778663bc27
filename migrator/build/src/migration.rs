//! One file of `migrations/`.

use crate::checksum;
use crate::document::{self, Part};
use crate::lexer::lex;
use crate::markers::Direction;
use crate::names::Name;
use crate::problem::Problem;
use crate::script::statement;
use crate::set::{Block, Migration};
use crate::source::Source;
use crate::statements::split;
use crate::words::Words;

/// Reads and checks a migration; `None` if it has no up block.
pub(crate) fn read(name: Name, source: Source, problems: &mut Vec<Problem>) -> Option<Migration> {
    let lexed = lex(&source.text);
    let parts = document::read(&source, &lexed, problems);
    let blocks: Vec<(Part, Vec<Words<'_>>)> = parts
        .into_iter()
        .map(|part| {
            let statements = split(&source.text, lexed.within(&part.range));
            (part, statements)
        })
        .collect();
    let find = |direction| blocks.iter().find(|(part, _)| part.direction == direction);
    let (up, up_statements) = find(Direction::Up)?;
    let down = find(Direction::Down).filter(|(_, statements)| !statements.is_empty());
    Some(Migration {
        version: name.version,
        number: name.number,
        name: name.name,
        checksum: checksum::statements(up_statements),
        up: block(up, up_statements),
        down: down.map(|(part, statements)| block(part, statements)),
        file: source.file.clone(),
        text: source.text.clone(),
    })
}

fn block(part: &Part, statements: &[Words<'_>]) -> Block {
    Block {
        range: part.range.clone(),
        transaction: part.options.transaction,
        lock_timeout_ms: part.options.lock_timeout_ms,
        statement_timeout_ms: part.options.statement_timeout_ms,
        statements: statements.iter().map(statement).collect(),
    }
}
