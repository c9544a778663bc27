//! What all readers do alike.

use migrator_engine::words::count;

use crate::author::import::draft::{Found, Key, Part, Row};
use crate::author::import::name::{self, Named};
use crate::author::import::tool::{Layout, Order, RowOf, Tool};
use crate::author::import::tree::Tree;

/// The place of a file by the rule of its tool.
pub(crate) fn key(tool: &Tool, named: &Named<'_>, file: &str) -> Key {
    match tool.order {
        Order::Number => Key::numbers([named.version], ""),
        Order::Dotted => Key::numbers(named.version.split('.'), ""),
        Order::Name | Order::Written => Key::text(file),
        Order::NumberThenName if named.version.is_empty() => Key::numbers(["2", "0"], file),
        Order::NumberThenName => Key::numbers(["1", named.version], file),
        Order::Moment => Key::numbers([moment(named.version).as_str()], file),
    }
}

/// Milliseconds since 1970, which 17 digits give as a date and a time in UTC.
fn moment(digits: &str) -> String {
    let number = |range: std::ops::Range<usize>| digits[range].parse::<i64>().unwrap_or_default();
    if digits.len() != 17 {
        return digits.to_owned();
    }
    let (year, month, day) = (number(0..4), number(4..6), number(6..8));
    // Years from March, so that the leap day is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    let seconds = ((days * 24 + number(8..10)) * 60 + number(10..12)) * 60 + number(12..14);
    (seconds * 1_000 + number(14..17)).to_string()
}

/// How the tool's history names a file.
pub(crate) fn row(tool: &Tool, named: &Named<'_>, file: &str) -> Row {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let decimal = match named.version.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let (source, name) = match tool.row {
        RowOf::Version => (named.version.to_owned(), named.name.to_owned()),
        RowOf::Number => (decimal.to_owned(), named.name.to_owned()),
        RowOf::Sqlx => (decimal.to_owned(), named.name.replace('_', " ")),
        RowOf::Diesel => (named.version.replace('-', ""), named.name.to_owned()),
        RowOf::Stem => (stem.to_owned(), String::new()),
        RowOf::File => (file.to_owned(), String::new()),
    };
    Row { source, name, checksums: Vec::new() }
}

/// Puts the migrations in the tool's order. Two in the same place are refused.
pub(crate) fn sort(tool: &Tool, found: &mut Found) {
    if tool.order != Order::Written {
        found.drafts.sort_by(|a, b| a.key.cmp(&b.key));
    }
    let mut sources: Vec<(&str, usize)> =
        found.drafts.iter().enumerate().map(|(at, draft)| (&*draft.row.source, at)).collect();
    sources.sort_unstable();
    let mut same: Vec<(usize, usize)> =
        sources.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| (pair[0].1, pair[1].1)).collect();
    if tool.order == Order::Dotted {
        same.extend(
            (1..found.drafts.len())
                .filter(|at| found.drafts[at - 1].key == found.drafts[*at].key)
                .map(|at| (at - 1, at)),
        );
    }
    same.sort_unstable();
    same.dedup();
    for (first, second) in same {
        let draft = &found.drafts[second];
        let way = if tool.name == "plain" { ": rename one, so that their numbers say which runs first" } else { "" };
        let (title, other) = (tool.title, &found.drafts[first].files[0]);
        let message = format!("the same version to {title} as `{other}`: `{}`{way}", draft.row.source);
        let file = draft.files[0].clone();
        found.refuse(&file, draft.up.line.saturating_sub(1), message);
    }
}

/// Says of every file that no reader has taken why it is no migration.
pub(crate) fn leave_the_rest(tool: &Tool, tree: &mut Tree, found: &mut Found) {
    let recursive = ["refinery", "flyway", "liquibase", "alembic"].contains(&tool.name);
    let mut folders: Vec<(String, usize)> = Vec::new();
    for path in tree.files() {
        let (parent, file) = name::parent_and_name(&path);
        let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
        let is_sql = ending.eq_ignore_ascii_case("sql");
        if (parent.is_empty() || recursive) && is_program(tool, file, ending) {
            let message = format!(
                "a migration of {} that is a program: write what it does as SQL, or leave it out with --skip",
                tool.title
            );
            found.refuse(&path, 0, message);
        } else if tool.name == "plain" && is_sql {
            let message = if parent.is_empty() {
                "no number says when it runs"
            } else {
                "it is in a sub-folder: nothing says when it runs"
            };
            found.refuse(&path, 0, format!("{message}; rename it, or leave it out with --skip"));
        } else if !parent.is_empty() && !recursive && !matches!(tool.layout, Layout::Directories { .. }) {
            let folder = parent.split('/').next().unwrap_or(parent);
            match folders.iter_mut().find(|(known, _)| known == folder) {
                Some((_, files)) => *files += 1,
                None => folders.push((folder.to_owned(), 1)),
            }
        } else if is_sql {
            found.leave(&path, format!("{} does not run it: it is not named {}", tool.title, tool.pattern));
        } else {
            found.leave(&path, "not SQL");
        }
        tree.take(&path);
    }
    for (folder, files) in folders {
        let files = count(files, "file");
        found.leave(&format!("{folder}/"), format!("{files} in a folder that {} does not run", tool.title));
    }
}

/// True for a program that is named like a migration.
fn is_program(tool: &Tool, file: &str, ending: &str) -> bool {
    let is_numbered = || {
        let rest = file.trim_start_matches(['V', 'U', 'R', 'B']);
        rest.starts_with(|c: char| c.is_ascii_digit()) || file.starts_with("R__")
    };
    // Alembic's files begin with a hash.
    let is_named = tool.name == "alembic" && !file.starts_with("__") && file != "env.py" || is_numbered();
    tool.programs.contains(&ending) && is_named && !file.contains("_test.") && !file.ends_with(".d.ts")
}

/// The lines of a text as comments.
pub(crate) fn as_comments(text: &str) -> String {
    text.lines().map(|line| if line.trim().is_empty() { "\n".to_owned() } else { format!("-- {line}\n") }).collect()
}

/// What is above a tool's marker: comments as they are, anything else as a comment. True if there was SQL.
pub(crate) fn head(lines: &str) -> (String, bool) {
    let is_comment = |line: &str| line.trim().is_empty() || line.trim_start().starts_with("--");
    if lines.lines().all(is_comment) {
        return (lines.trim_end().to_owned(), false);
    }
    let kept: String =
        lines.lines().map(|line| if is_comment(line) { format!("{line}\n") } else { format!("-- {line}\n") }).collect();
    (kept.trim_end().to_owned(), !migrator_sql::lex(lines).tokens.is_empty())
}

/// An empty part that a down may begin as.
pub(crate) fn part(file: &str, line: usize, off: bool) -> Part {
    Part { file: file.to_owned(), line, text: String::new(), off, unchecked: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seventeen_digits_are_a_moment() {
        assert_eq!(moment("20200513070724505"), "1589353644505");
        assert_eq!(moment("19700101000000000"), "0");
        assert_eq!(moment("1589353644505"), "1589353644505");
    }
}
