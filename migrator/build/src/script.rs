//! One file without markers: a repeatable, a seed or a check.

use crate::checksum;
use crate::classify;
use crate::lexer::lex;
use crate::problem::Problem;
use crate::set::{Script, Statement};
use crate::source::Source;
use crate::statements::split;
use crate::words::Words;

/// Reads and checks a script.
pub(crate) fn read(name: String, source: Source, _problems: &mut Vec<Problem>) -> Script {
    let lexed = lex(&source.text);
    let statements = split(&source.text, &lexed.tokens);
    Script {
        name,
        checksum: checksum::statements(&statements),
        statements: statements.iter().map(statement).collect(),
        file: source.file,
        text: source.text.clone(),
    }
}

/// A statement as it is embedded.
pub(crate) fn statement(words: &Words<'_>) -> Statement {
    Statement { range: words.range(), kind: classify::kind(words), checksum: checksum::statement(words) }
}
