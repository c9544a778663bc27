//! squawk-linter. The only module that touches it: it promises no stability.

use std::ops::Range;

use migrator_sql::{Comment, Sql, parse};
use squawk_linter::{Edit, Linter, Violation};

use crate::site::{Block, Statement};

/// Something that squawk has found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Linted {
    /// The byte of the file.
    pub(crate) at: usize,
    /// The name of the rule.
    pub(crate) rule: String,
    /// What squawk would put in place of bytes of the file.
    pub(crate) edits: Vec<(usize, usize, String)>,
}

impl Linted {
    /// The edits as ranges.
    pub(crate) fn edits(&self) -> Vec<(Range<usize>, String)> {
        self.edits.iter().map(|(start, end, text)| (*start..*end, text.clone())).collect()
    }
}

/// Everything that squawk's rules of these names find in a block.
pub(crate) fn lint<'n>(
    names: impl Iterator<Item = &'n str>,
    block: &Block<'_>,
    text: &str,
    comments: &[Comment],
) -> Vec<Linted> {
    let Some(first) = block.statements.first() else { return Vec::new() };
    let text = linted_text(block, text, comments);
    // A linter keeps what it has found: every text has its own.
    let mut linter = Linter::from(names.filter_map(|name| name.parse().ok()));
    linter.settings.assume_in_transaction = true;
    let found = linter.lint(&parse::tree(&text), &text);
    let start = first.words.start();
    let place = |at| start + usize::from(at);
    let edits = |found: &Violation| {
        let edits = found.fix.iter().flat_map(|fix| &fix.edits);
        let edit = |edit: &Edit| {
            (place(edit.text_range.start()), place(edit.text_range.end()), edit.text.clone().unwrap_or_default())
        };
        edits.map(edit).collect()
    };
    let linted = |found: &Violation| Linted {
        at: place(found.text_range.start()),
        rule: found.code.to_string(),
        edits: edits(found),
    };
    found.iter().map(linted).collect()
}

/// The text from the first statement to the last, byte for byte, without comments, and without statements on which the
/// linter has no rule: rows can be many, and what is nested too deeply would exhaust the stack.
fn linted_text(block: &Block<'_>, text: &str, comments: &[Comment]) -> String {
    let (Some(first), Some(last)) = (block.statements.first(), block.statements.last()) else { return String::new() };
    let (start, end) = (first.words.start(), last.words.range().end);
    let words: Vec<_> = block.statements.iter().map(|statement| statement.words).collect();
    let mut linted = parse::without_continued_escapes(&text[start..end], start, &words).into_owned();
    let without_rule =
        |statement: &&Statement<'_>| is_about_rows(&statement.sql) || parse::is_too_deep(&statement.words);
    let statements = block.statements.iter().filter(without_rule).map(|statement| statement.words.range());
    let comments = comments.iter().map(|comment| comment.range.clone());
    for range in statements.chain(comments.filter(|range| range.start >= start && range.end <= end)) {
        linted.replace_range(range.start - start..range.end - start, &" ".repeat(range.len()));
    }
    linted
}

fn is_about_rows(sql: &Sql<'_>) -> bool {
    matches!(
        sql,
        Sql::Insert(_)
            | Sql::Copy
            | Sql::Select
            | Sql::Do
            | Sql::With { .. }
            | Sql::Update(_)
            | Sql::Delete(_)
            | Sql::Comment
            | Sql::Merge { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule;
    use crate::rules::RULES;
    use migrator_sql::{lex, split};

    #[test]
    fn squawk_has_the_rules_that_we_take_from_it() {
        for rule in RULES.iter().filter(|rule| rule.linter != rule::Linter::None) {
            let of_squawk: Result<squawk_linter::Rule, _> = rule.name.parse();
            assert!(of_squawk.is_ok(), "{}", rule.name);
        }
    }

    #[test]
    fn says_where_and_what() {
        let text = "SELECT 1; -- é\nDROP TABLE t;";
        let lexed = lex(text);
        let block = Block::new(&split(text, &lexed.tokens), true);
        let found = lint(["ban-drop-table"].into_iter(), &block, text, &lexed.comments);
        assert_eq!(found, [Linted { at: 16, rule: "ban-drop-table".to_owned(), edits: vec![] }]);
    }

    #[test]
    fn says_what_squawk_would_write_instead() {
        let text = "SELECT 'é';\nCREATE TABLE t (a timestamp);";
        let lexed = lex(text);
        let block = Block::new(&split(text, &lexed.tokens), true);
        let found = lint(["prefer-timestamp-tz"].into_iter(), &block, text, &lexed.comments);
        let edits: Vec<_> = found.iter().flat_map(Linted::edits).map(|(range, new)| (&text[range], new)).collect();
        assert_eq!(edits, [("timestamp", "timestamptz".to_owned())]);
    }
}
