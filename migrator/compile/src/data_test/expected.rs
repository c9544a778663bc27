//! What a test expects of a query: a table in the comments below it, in the form in which psql prints one.

use migrator_sql::Comment;

use super::form::{Expected, Moment, TestBlock};
use crate::contract::data_test::{Mistake, RULE, not_an_expectation};
use crate::problem::Problem;
use crate::source::Source;

/// Reads the expectations among the comments of a block, which are in the order of the file, and gives them to their statements.
pub(super) fn read(source: &Source, comments: &[&Comment], block: &mut TestBlock, problems: &mut Vec<Problem>) {
    let mut rest = comments;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let Some(body) = alone(source, first) else { continue };
        if body.split([' ', '\t', ':', ';']).next().is_none_or(|word| !word.eq_ignore_ascii_case("expect")) {
            continue;
        }
        let at = first.range.start;
        let expected = match body.strip_prefix("expect").map(str::trim) {
            Some("") => {
                let lines = table(source, first, behind);
                rest = &behind[lines.len()..];
                rows(source, at, &lines, problems)
            }
            Some(rest) if sqlstate(rest).is_some() => sqlstate(rest).map(|state| Expected::Error(state.to_owned())),
            _ => {
                let (message, help) = not_an_expectation(body);
                problems.push(source.problem(RULE.code, at, message, help));
                continue;
            }
        };
        let statement = block.statements.iter_mut().rev().find(|statement| statement.range.end <= at);
        let mistake = match &statement {
            _ if block.moment == Moment::Before => Some(Mistake::ExpectsBefore),
            None => Some(Mistake::ExpectsOfNothing),
            Some(statement) if statement.expected.is_some() => Some(Mistake::ExpectsTwice),
            Some(_) => None,
        };
        match (mistake, statement) {
            (Some(mistake), _) => problems.push(mistake.problem(source, at)),
            (None, Some(statement)) => statement.expected = expected,
            (None, None) => {}
        }
    }
}

/// The text of a line comment that is alone in its line, without its dashes.
fn alone<'a>(source: &'a Source, comment: &Comment) -> Option<&'a str> {
    let at = comment.range.start;
    let is_alone = !comment.block && source.text[source.line_start(at)..at].trim().is_empty();
    is_alone.then(|| source.text[comment.range.clone()][2..].trim())
}

/// The state of `error 23505`.
fn sqlstate(text: &str) -> Option<&str> {
    let state = text.strip_prefix("error")?.strip_prefix([' ', '\t'])?.trim();
    let is_state = state.len() == 5 && state.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    is_state.then_some(state)
}

/// The comments that follow without an empty line in between: where each begins, and its text.
fn table<'a>(source: &'a Source, first: &Comment, behind: &[&Comment]) -> Vec<(usize, &'a str)> {
    let mut lines = Vec::new();
    let mut next = source.next_line(first.range.start);
    for comment in behind {
        if source.line_start(comment.range.start) != next {
            break;
        }
        let Some(body) = alone(source, comment) else { break };
        lines.push((comment.range.start, body));
        next = source.next_line(comment.range.start);
    }
    lines
}

/// Reads the lines of a table: the names, and a row in each of the others. The rule and the count that psql prints mean nothing.
fn rows(source: &Source, at: usize, lines: &[(usize, &str)], problems: &mut Vec<Problem>) -> Option<Expected> {
    let is_rule = |line: &str| line.contains('-') && line.chars().all(|c| matches!(c, '-' | '+'));
    let is_count = |line: &str| line.starts_with('(') && (line.ends_with(" rows)") || line.ends_with(" row)"));
    let mut read = Vec::new();
    for (index, (at, line)) in lines.iter().enumerate() {
        if index == 1 && is_rule(line) || index > 0 && index + 1 == lines.len() && is_count(line) {
            continue;
        }
        match cells(line) {
            Some(cells) => read.push((*at, cells)),
            None => problems.push(Mistake::Unterminated.problem(source, *at)),
        }
    }
    let mut read = read.into_iter();
    let Some((_, names)) = read.next().filter(|(_, cells)| cells.iter().all(Option::is_some)) else {
        problems.push(Mistake::NoColumns.problem(source, at));
        return None;
    };
    let columns: Vec<String> = names.into_iter().flatten().collect();
    let mut rows = Vec::new();
    for (at, cells) in read {
        if cells.len() == columns.len() {
            rows.push(cells);
        } else {
            problems.push(Mistake::Cells(cells.len(), columns.len()).problem(source, at));
        }
    }
    Some(Expected::Rows { columns, rows })
}

/// The values of a line; `null` is NULL, and what is in quotes is taken as it is. `None`: a quote is not closed.
fn cells(line: &str) -> Option<Vec<Option<String>>> {
    let (mut cells, mut rest) = (Vec::new(), line);
    loop {
        rest = rest.trim_start();
        let mut quoted = None;
        if let Some(mut inside) = rest.strip_prefix('\'') {
            let mut value = String::new();
            loop {
                let (before, after) = inside.split_once('\'')?;
                value.push_str(before);
                let Some(more) = after.strip_prefix('\'') else {
                    rest = after;
                    break;
                };
                value.push('\'');
                inside = more;
            }
            quoted = Some(value);
        }
        let (cell, after) = rest.split_once('|').map_or((rest, None), |(cell, after)| (cell, Some(after)));
        cells.push(match (quoted, cell.trim()) {
            (Some(quoted), "") => Some(quoted),
            // It only begins with a quote.
            (Some(quoted), more) => Some(format!("'{}'{more}", quoted.replace('\'', "''"))),
            (None, "null") => None,
            (None, plain) => Some(plain.to_owned()),
        });
        match after {
            Some(after) => rest = after,
            None => return Some(cells),
        }
    }
}
