//! A migration as it is rewritten: its text, and the statements of both directions, typed.

use std::ops::Range;

use migrator_model::{Block, Migration};
use migrator_sql::{Comment, Lexed, Sql, Words, split};

use super::edit::{Edit, part};

/// A statement where it stands.
#[derive(Debug)]
pub(super) struct Statement<'t> {
    pub(super) words: Words<'t>,
    pub(super) sql: Sql<'t>,
    /// With the comments right above it, and its semicolon.
    pub(super) whole: Range<usize>,
    /// What goes with it, so that no gap is left: `whole`, or more of the white space around it.
    pub(super) removal: Range<usize>,
}

/// A block.
#[derive(Debug)]
pub(super) struct Side<'t> {
    pub(super) statements: Vec<Statement<'t>>,
    /// The line of the marker, without its end.
    pub(super) marker: Range<usize>,
    /// Bytes after the marker's line.
    pub(super) range: Range<usize>,
    /// False for `transaction:false`.
    pub(super) transaction: bool,
}

/// A migration.
#[derive(Debug)]
pub(super) struct Source<'t> {
    pub(super) text: &'t str,
    pub(super) up: Side<'t>,
    /// `None`: it cannot be rolled back.
    pub(super) down: Option<Side<'t>>,
    /// The lines of `-- migrate:unchecked` in the up block.
    pub(super) unchecked: String,
    pub(super) comments: &'t [Comment],
}

impl<'t> Source<'t> {
    /// `lexed` are the tokens of the migration's text.
    pub(super) fn of(migration: &'t Migration, lexed: &'t Lexed) -> Source<'t> {
        let text = &*migration.text;
        let side = |block: &Block| Side::of(text, lexed, block);
        let up = side(&migration.up);
        let is_inside = |comment: &&Comment| up.range.contains(&comment.range.start) && is_unchecked(text, comment);
        let comments = lexed.comments.iter().filter(is_inside);
        let unchecked = comments.map(|comment| format!("{}\n", &text[comment.range.clone()])).collect();
        Source { text, down: migration.down.as_ref().map(side), unchecked, up, comments: &lexed.comments }
    }

    /// What stands above the up block.
    pub(super) fn header(&self) -> &'t str {
        &self.text[..self.up.marker.start]
    }

    /// What follows a marker, without `transaction:false`: ` lock_timeout:5s`.
    pub(super) fn options(&self, side: &Side<'t>) -> String {
        let line = &self.text[side.marker.clone()];
        let options = line.split_once("migrate:").map_or("", |(_, rest)| rest).split_whitespace().skip(1);
        options.filter(|option| *option != "transaction:false").map(|option| format!(" {option}")).collect()
    }

    /// Whether a comment is in a range.
    pub(super) fn has_comment_in(&self, range: &Range<usize>) -> bool {
        self.comments.iter().any(|comment| range.start < comment.range.end && comment.range.start < range.end)
    }

    /// A statement with its comments, after edits of it, and with a semicolon.
    pub(super) fn moved(&self, statement: &Statement<'t>, edits: &[Edit]) -> Option<String> {
        let mut edits = edits.to_vec();
        let end = statement.words.range().end;
        let behind = self.text.get(end..statement.whole.end)?.trim_start();
        if !behind.starts_with(';') {
            edits.push(Edit::insert(end, ";"));
        }
        part(self.text, statement.whole.clone(), &edits)
    }

    /// The comments of a statement, a line each.
    pub(super) fn comments_of(&self, statement: &Statement<'t>) -> String {
        let (words, whole) = (statement.words.range(), &statement.whole);
        let around = |comment: &&Comment| {
            let range = &comment.range;
            whole.contains(&range.start) && !words.contains(&range.start)
        };
        self.comments.iter().filter(around).map(|comment| format!("{}\n", &self.text[comment.range.clone()])).collect()
    }

    /// Whether there is a marker of a down block, whatever follows it.
    pub(super) fn has_down_marker(&self) -> bool {
        self.down.is_some() || self.up.range.end < self.text.len()
    }
}

fn is_unchecked(text: &str, comment: &Comment) -> bool {
    let body = text[comment.range.clone()].trim_start_matches("--");
    !comment.block && body.trim_start().starts_with("migrate:unchecked")
}

impl<'t> Side<'t> {
    fn of(text: &'t str, lexed: &'t Lexed, block: &Block) -> Side<'t> {
        let range = block.range.clone();
        let before = &text[..range.start];
        let before = before.strip_suffix('\n').unwrap_or(before);
        let marker = before.rfind('\n').map_or(0, |at| at + 1)..before.len();
        let mut statements: Vec<Statement<'t>> = Vec::new();
        for words in split(text, lexed.within(&range)) {
            let from = statements.last().map_or(range.start, |last| last.whole.end);
            let place = Place { text, comments: &lexed.comments, block: from..range.end };
            let next = lexed.tokens.partition_point(|token| token.start() < words.range().end);
            let semicolon = lexed.tokens.get(next).filter(|token| token.text(text) == ";");
            let end = semicolon.map_or(words.range().end, |token| token.end());
            let whole = place.whole(words.start(), end);
            let removal = place.removal(whole.clone());
            statements.push(Statement { words, sql: Sql::of(&words), whole, removal });
        }
        Side { statements, marker, range, transaction: block.options.transaction }
    }

    /// The statement in which a byte is.
    pub(super) fn statement_at(&self, at: usize) -> Option<usize> {
        self.statements.iter().position(|statement| statement.words.range().contains(&at))
    }
}

/// Where a statement may have its comments: after the statement before it.
struct Place<'t, 'l> {
    text: &'t str,
    comments: &'l [Comment],
    block: Range<usize>,
}

impl Place<'_, '_> {
    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |end| end + 1).max(self.block.start)
    }

    fn line_end(&self, at: usize) -> usize {
        self.text[at..self.block.end].find('\n').map_or(self.block.end, |end| at + end)
    }

    /// From the first comment above it, with no empty line in between, to the comment that follows it in its last line.
    fn whole(&self, start: usize, end: usize) -> Range<usize> {
        let (mut start, before) = (start, start);
        let is_blank = |range: Range<usize>| self.text[range].trim().is_empty();
        for comment in self.comments.iter().rev().filter(|comment| comment.range.end <= before) {
            let line = self.line_start(start);
            let own_line = is_blank(line..start);
            let gap = self.text.get(comment.range.end..line).unwrap_or("\n\n");
            let above = comment.range.start >= self.block.start
                && own_line
                && gap.trim().is_empty()
                && gap.matches('\n').count() == 1
                && is_blank(self.line_start(comment.range.start)..comment.range.start);
            // It says something about the block.
            if !above || is_unchecked(self.text, comment) {
                break;
            }
            start = comment.range.start;
        }
        let rest = end..self.line_end(end);
        let behind = self.comments.iter().find(|comment| comment.range.start >= end && comment.range.start < rest.end);
        let last = behind.filter(|comment| {
            comment.range.end <= rest.end && is_blank(end..comment.range.start) && is_blank(comment.range.end..rest.end)
        });
        start..last.map_or(end, |comment| comment.range.end)
    }

    /// Whole lines where nothing else is on them, and one empty line of two.
    fn removal(&self, whole: Range<usize>) -> Range<usize> {
        let start = self.text[..whole.start].rfind('\n').map_or(0, |end| end + 1);
        let end = self.line_end(whole.end);
        let is_blank = |range: Range<usize>| self.text[range].trim().is_empty();
        if !is_blank(start..whole.start) || !is_blank(whole.end..end) {
            let rest = &self.text[whole.end..end];
            return whole.start..whole.end + (rest.len() - rest.trim_start().len());
        }
        let end = (end + 1).min(self.block.end);
        let next = self.line_end(end);
        let before = self.text[..start.saturating_sub(1)].rfind('\n').map_or(0, |at| at + 1)..start;
        let is_first = start <= self.block.start || is_blank(before);
        match is_first && end < self.block.end && is_blank(end..next) {
            true => start..(next + 1).min(self.block.end),
            false => start..end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::fix::testing::with_source;

    #[test]
    fn a_statement_has_its_comments_with_it() {
        let text = "-- Purpose: x\n-- migrate:up lock_timeout:5s\n-- far\n\n-- near\n/* b */\nSELECT 1; -- behind\n\
                    SELECT 2; SELECT 3; -- of the third\n\n-- migrate:down\nSELECT 4";
        with_source(text, |source| {
            let whole = |side: &Side<'_>| -> Vec<String> {
                side.statements.iter().map(|statement| source.text[statement.whole.clone()].to_owned()).collect()
            };
            let up = ["-- near\n/* b */\nSELECT 1; -- behind", "SELECT 2;", "SELECT 3; -- of the third"];
            assert_eq!(whole(&source.up), up);
            assert_eq!(whole(source.down.as_ref().unwrap()), ["SELECT 4"]);
            assert_eq!(source.header(), "-- Purpose: x\n");
            assert_eq!(source.options(&source.up), " lock_timeout:5s");
            let removal = |at: usize| &source.text[source.up.statements[at].removal.clone()];
            assert_eq!(removal(0), "-- near\n/* b */\nSELECT 1; -- behind\n");
            assert_eq!((removal(1), removal(2)), ("SELECT 2; ", "SELECT 3; -- of the third"));
        });
    }

    #[test]
    fn without_a_statement_no_gap_is_left() {
        let text = "-- migrate:up\nSELECT 1;\n\nSELECT 2;\n\nSELECT 3;\n\n-- migrate:down\n";
        with_source(text, |source| {
            for (at, left) in [
                (0, "-- migrate:up\nSELECT 2;\n\nSELECT 3;\n\n-- migrate:down\n"),
                (1, "-- migrate:up\nSELECT 1;\n\nSELECT 3;\n\n-- migrate:down\n"),
                (2, "-- migrate:up\nSELECT 1;\n\nSELECT 2;\n\n-- migrate:down\n"),
            ] {
                let mut text = text.to_owned();
                text.replace_range(source.up.statements[at].removal.clone(), "");
                assert_eq!(text, left);
            }
        });
    }
}
