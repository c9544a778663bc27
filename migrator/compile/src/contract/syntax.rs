//! Whether SQL is PostgreSQL's.

use std::ops::Range;

use migrator_sql::{Words, parse};

use crate::problem::{Code, Problem};
use crate::source::Source;

const HELP: &str = "correct it; if the parser is wrong, say so in the block: `-- migrate:unchecked <reason>`";
const HELP_WITH_VARIABLES: &str = "write the value itself, or take it from a setting: `current_setting('app.name')`";

/// Says the first thing that is wrong in each statement, for the first three of them.
pub(crate) fn check(source: &Source, statements: &[Words<'_>], problems: &mut Vec<Problem>) {
    for mistake in parse::mistakes(&source.text, statements) {
        let help = if mistake.is_variable { HELP_WITH_VARIABLES } else { HELP };
        problems.push(source.problem(Code::Syntax, mistake.at, mistake.message, help));
    }
}

/// The statements that can be parsed: not those that hold something which is reported on its own.
pub(crate) fn parseable<'a>(statements: &[Words<'a>], unterminated: Option<usize>) -> Vec<Words<'a>> {
    let whole = |range: &Range<usize>| unterminated.is_none_or(|at| !range.contains(&at));
    let plain = |words: &&Words<'a>| words.tokens.iter().all(|token| token.text(words.text) != "\\");
    statements.iter().filter(|words| whole(&words.range())).filter(plain).copied().collect()
}

#[cfg(test)]
mod tests;
