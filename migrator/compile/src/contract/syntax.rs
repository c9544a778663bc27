//! M020: SQL that PostgreSQL does not accept.

use std::ops::Range;

use migrator_sql::{Words, parse};

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::{Old, Rule};

pub(crate) const RULE: Rule = Rule::file(&Meaning::error("M020", "syntax error"), check).when_old(Old::WarningInDown);

const HELP: &str = "fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block";
const HELP_WITH_VARIABLES: &str = "write the value itself, or read it from a setting: `current_setting('app.name')`";

/// Reports the first mistake of a statement, for the first three wrong statements of the file.
fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    let source = file.source;
    let unterminated = file.lexed.unterminated.map(|(at, _)| at);
    let mistakes = file
        .blocks
        .iter()
        .filter(|block| !block.unchecked)
        .flat_map(|block| parse::mistakes(&source.text, &parseable(&block.statements, unterminated)));
    for mistake in mistakes.take(parse::MOST_MISTAKES) {
        let help = if mistake.is_variable { HELP_WITH_VARIABLES } else { HELP };
        problems.push(source.problem(RULE.code, mistake.at, mistake.message, help));
    }
}

/// The statements to parse: those without anything that another rule reports.
fn parseable<'a>(statements: &[Words<'a>], unterminated: Option<usize>) -> Vec<Words<'a>> {
    let whole = |range: &Range<usize>| unterminated.is_none_or(|at| !range.contains(&at));
    let plain = |words: &&Words<'a>| words.tokens.iter().all(|token| token.text(words.text) != "\\");
    statements.iter().filter(|words| whole(&words.range())).filter(plain).copied().collect()
}

#[cfg(test)]
mod tests;
