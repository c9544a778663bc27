//! Liquibase's formatted SQL: every changeset becomes a migration.

use super::changelog::{self, Included};
use super::rollback::Rollback;
use super::shared;
use crate::author::import::draft::{Draft, Found, Key, Part, Row};
use crate::author::import::name;
use crate::author::import::tree::{Content, Tree};
use migrator_engine::words::count;

pub(crate) fn read(tree: &mut Tree, found: &mut Found) {
    let (files, included) = match changelog::order(tree, found) {
        Some(files) => (files, true),
        None => {
            let files = tree.files().into_iter().filter(|path| path.ends_with(".sql"));
            (files.map(|path| Included { filename: path.clone(), path }).collect(), false)
        }
    };
    for file in &files {
        let Some(content) = tree.read(&file.path, found) else { continue };
        let is_formatted = content
            .text
            .lines()
            .find(|line| !line.trim().is_empty())
            .is_some_and(|line| comment(line, "liquibase formatted").is_some());
        if is_formatted {
            of_file(file, content, tree, found);
        } else if included {
            let row = Row { source: format!("{}::raw::includeAll", file.filename), ..Row::default() };
            found.drafts.push(draft(file, "raw", row, Part::whole(&file.path, content.text)));
        } else {
            found.leave(&file.path, "no `--liquibase formatted sql` on its first line");
        }
    }
    if !included && files.len() > 1 {
        found.notes.push(
            "there is no master changelog: the files are in the order of their paths, as for includeAll".to_owned(),
        );
    }
}

fn draft(file: &Included, id: &str, row: Row, up: Part) -> Draft {
    let stem = name::parent_and_name(&file.path).1.trim_end_matches(".sql");
    Draft {
        files: vec![file.path.clone()],
        key: Key::text(""),
        digits: None,
        name: if id == "raw" { stem.to_owned() } else { format!("{stem}_{id}") },
        row,
        head: String::new(),
        up,
        down: None,
        notes: Vec::new(),
    }
}

/// What follows a word in a line comment: `--changeset a:1`, `-- changeset a:1`.
fn comment<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let body = line.trim_start().strip_prefix("--")?.trim_start();
    let (start, rest) = body.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest)
}

/// `key:value` in the line of a changeset; the value may be quoted.
fn attribute(line: &str, key: &str) -> Option<String> {
    let lower = line.to_lowercase();
    let wanted = format!("{}:", key.to_lowercase());
    let at = lower.match_indices(&wanted).map(|(at, _)| at).find(|at| lower[..*at].ends_with(char::is_whitespace))?;
    // Lowercase letters can be longer than their capitals.
    let value = line.get(at + wanted.len()..)?;
    Some(match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default().to_owned(),
        None => value.split_whitespace().next().unwrap_or_default().to_owned(),
    })
}

/// `author:id` after `changeset `, either of them in quotes.
fn identity(rest: &str) -> Option<(String, String)> {
    let one = |text: &str, end: fn(char) -> bool| -> Option<(String, usize)> {
        match text.strip_prefix('"') {
            Some(quoted) => quoted.find('"').map(|at| (quoted[..at].to_owned(), at + 2)),
            None => Some(text.find(end).unwrap_or(text.len())).map(|at| (text[..at].to_owned(), at)),
        }
    };
    let rest = rest.trim_start();
    let (author, end) = one(rest, |c| c == ':')?;
    let rest = rest[end..].strip_prefix(':')?.trim_start();
    let (id, _) = one(rest, char::is_whitespace)?;
    (!author.is_empty() && !id.is_empty()).then_some((author, id))
}

/// A changeset while it is read.
struct ChangeSet {
    line: String,
    draft: Draft,
    rollback: Rollback,
    delimiter: Option<String>,
    /// Why it is not run on PostgreSQL.
    left: Option<String>,
}

fn of_file(file: &Included, content: Content, tree: &mut Tree, found: &mut Found) {
    let mut notes = content.notes;
    let mut head = String::new();
    let mut current: Option<ChangeSet> = None;
    let mut ignored = 0usize;
    let mut file = file.clone();
    let count = content.text.lines().filter(|line| comment(line, "changeset ").is_some()).count();
    for (index, line) in content.text.split_inclusive('\n').enumerate() {
        let number = index + 1;
        if let Some(rest) = comment(line, "changeset ") {
            finish(current.take(), tree, found);
            current = begin(&file, line, rest, number, count, found);
            if let Some(changeset) = &mut current {
                changeset.draft.head = std::mem::take(&mut head).trim_end().to_owned();
                changeset.draft.notes.append(&mut notes);
            }
        } else if let Some(rest) = comment(line, "liquibase formatted") {
            if let Some(path) = attribute(rest, "logicalFilePath") {
                file.filename = path;
            }
        } else if comment(line, "include").is_some_and(|rest| rest.starts_with([' ', 'A'])) {
            found.refuse(&file.path, number, "it includes another changelog");
        } else if let Some(rest) = comment(line, "ignoreLines:") {
            ignored = if rest.trim() == "start" { usize::MAX } else { rest.trim().parse().unwrap_or(0) };
            if rest.trim() == "end" {
                ignored = 0;
            }
            text(&mut current, &mut head, line);
        } else if ignored > 0 {
            ignored -= 1;
            if let Some(changeset) = &mut current {
                changeset.draft.notes.push(format!("line {number}: ignored by Liquibase, kept as a comment"));
            }
            text(&mut current, &mut head, &format!("-- {line}"));
        } else if let Some(changeset) = &mut current
            && changeset.rollback.take(line, number)
        {
            // Every line after it keeps its number.
            changeset.draft.up.text.push('\n');
        } else {
            text(&mut current, &mut head, line);
        }
    }
    finish(current, tree, found);
    if count == 0 {
        found.leave(&file.path, "no `--changeset` in it");
    }
}

fn text(current: &mut Option<ChangeSet>, head: &mut String, line: &str) {
    match current {
        Some(changeset) => changeset.draft.up.text.push_str(line),
        None => head.push_str(&shared::head(line).0),
    }
    if current.is_none() && !head.is_empty() && !head.ends_with('\n') {
        head.push('\n');
    }
}

fn begin(file: &Included, line: &str, rest: &str, number: usize, count: usize, found: &mut Found) -> Option<ChangeSet> {
    let Some((author, id)) = identity(rest) else {
        found.refuse(&file.path, number, "a changeset is named `author:id`");
        return None;
    };
    let is = |key: &str, value: &str| attribute(rest, key).is_some_and(|found| found.eq_ignore_ascii_case(value));
    let filename = attribute(rest, "logicalFilePath").unwrap_or_else(|| file.filename.clone());
    let row = Row { source: format!("{filename}::{id}::{author}"), ..Row::default() };
    let mut part = shared::part(&file.path, number + 1, false);
    part.off = is("runInTransaction", "false");
    let mut draft = draft(file, &id, row, part);
    if count == 1 {
        draft.name = if id.bytes().all(|byte| byte.is_ascii_digit()) { draft.name } else { id.clone() };
    }
    draft.notes.push(format!("line {number}: `{}`", line.trim()));
    if draft.up.off {
        draft.notes.push("runInTransaction:false: transaction:false".to_owned());
    }
    for key in ["runOnChange", "runAlways"] {
        if is(key, "true") {
            draft
                .notes
                .push(format!("{key}: it runs once here, in its place; put what changes later into repeatable/"));
        }
    }
    for key in ["context", "contextFilter", "labels"] {
        if let Some(value) = attribute(rest, key) {
            draft.notes.push(format!(
                "{key}:{value}: it runs on every database here, as in Liquibase without `--{}`",
                if key == "labels" { "label-filter" } else { "contexts" }
            ));
        }
    }
    for key in ["failOnError", "runWith"] {
        if let Some(value) = attribute(rest, key).filter(|value| value != "true" && value != "jdbc") {
            draft.notes.push(format!("{key}:{value}: not kept"));
        }
    }
    let left = match attribute(rest, "dbms") {
        Some(dbms) if !is_ours(&dbms) => Some(format!("only for {dbms}")),
        _ if is("ignore", "true") => Some("ignore:true".to_owned()),
        _ => None,
    };
    let delimiter = attribute(rest, "endDelimiter").filter(|delimiter| delimiter != ";");
    Some(ChangeSet {
        line: format!("{}::{id}::{author}", file.path),
        draft,
        rollback: Rollback::default(),
        delimiter,
        left,
    })
}

/// Whether a list of databases holds PostgreSQL: `postgresql,h2`, `!oracle`.
fn is_ours(dbms: &str) -> bool {
    let names: Vec<String> = dbms.split(',').map(|name| name.trim().to_lowercase()).collect();
    let excluded = names.contains(&"!postgresql".to_owned()) || names.contains(&"none".to_owned());
    let only_exclusions = names.iter().all(|name| name.starts_with('!'));
    !excluded && (only_exclusions || names.iter().any(|name| name == "postgresql" || name == "all"))
}

fn finish(changeset: Option<ChangeSet>, tree: &mut Tree, found: &mut Found) {
    let Some(mut changeset) = changeset else { return };
    if tree.is_skipped(&changeset.line) {
        return found.leave(&changeset.line, "by --skip");
    }
    if let Some(reason) = changeset.left {
        return found.leave(&changeset.line, format!("Liquibase does not run it on PostgreSQL: {reason}"));
    }
    let draft = &mut changeset.draft;
    if let Some(delimiter) = &changeset.delimiter {
        match without_delimiter(&draft.up.text, delimiter) {
            Ok((text, number)) => {
                draft.up.text = text;
                let times = count(number, "time");
                draft.notes.push(format!("endDelimiter:{delimiter}: replaced by a semicolon, {times}"));
            }
            Err(line) => found.refuse(
                &draft.up.file,
                draft.up.line + line,
                format!("`{delimiter}` ends a statement in the middle of a line"),
            ),
        }
    }
    for line in draft.up.text.lines().filter(|line| comment(line, "precondition").is_some()) {
        draft.notes.push(format!("kept as a comment, not checked: `{}`", line.trim()));
    }
    let (down, mut notes) = changeset.rollback.end(&draft.up);
    draft.down = down;
    draft.notes.append(&mut notes);
    found.drafts.push(changeset.draft);
}

/// Replaces delimiters by semicolons where they end a line or have one of their own. Returns the number of those, or the line of
/// another, from 0.
fn without_delimiter(text: &str, delimiter: &str) -> Result<(String, usize), usize> {
    let delimiter = delimiter.trim_start_matches("\\n").trim_end_matches("\\n").trim_end_matches('$');
    let (mut result, mut number) = (String::with_capacity(text.len()), 0);
    for (index, line) in text.lines().enumerate() {
        let is_comment = line.trim_start().starts_with("--");
        match line.trim_end().strip_suffix(delimiter).filter(|_| !is_comment && !delimiter.is_empty()) {
            Some(before) if before.contains(delimiter) && delimiter.len() > 1 => return Err(index),
            Some(before) => {
                number += 1;
                let ended = if before.trim().is_empty() {
                    result.trim_end().ends_with(';')
                } else {
                    before.trim_end().ends_with(';')
                };
                result.push_str(before);
                result.push_str(if ended { "" } else { ";" });
            }
            None => result.push_str(line),
        }
        result.push('\n');
    }
    Ok((result, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_changeset_says_who_what_and_how() {
        assert_eq!(identity(" alice:1 runInTransaction:false"), Some(("alice".to_owned(), "1".to_owned())));
        assert_eq!(identity("\"Bob B\":\"add x\" dbms:postgresql"), Some(("Bob B".to_owned(), "add x".to_owned())));
        assert_eq!(identity("alice"), None);
        let line = " a:context:1 CONTEXT:\"a and b\" splitStatements:false";
        assert_eq!(attribute(line, "context"), Some("a and b".to_owned()));
        assert_eq!(attribute(line, "endDelimiter"), None);
        assert!(is_ours("h2,postgresql") && is_ours("!oracle") && is_ours("all"));
        assert!(!is_ours("mysql") && !is_ours("!postgresql"));
    }

    #[test]
    fn delimiters_become_semicolons() {
        assert_eq!(without_delimiter("a\n/\nb;\n/\n", "/"), Ok(("a\n;\nb;\n\n".to_owned(), 2)));
        assert_eq!(without_delimiter("a//\nb //\n", "//"), Ok(("a;\nb ;\n".to_owned(), 2)));
        assert_eq!(without_delimiter("a\n-- x/\n", "/"), Ok(("a\n-- x/\n".to_owned(), 0)));
        assert_eq!(without_delimiter("a // b //\n", "//"), Err(0));
    }
}
