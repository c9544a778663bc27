//! The text of one file with its name: turns byte offsets into lines and columns.

use crate::problem::{Code, Problem};

/// Longer lines are not repeated in messages: nobody finds a caret in them.
const LONGEST_SHOWN_LINE: usize = 400;

/// A file that has been read: valid UTF-8, LF line ends.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// The path shown in messages.
    pub(crate) file: String,
    /// The whole text.
    pub(crate) text: String,
    /// The offset at which each line starts.
    lines: Vec<usize>,
}

impl Source {
    pub(crate) fn new(file: impl Into<String>, text: impl Into<String>) -> Source {
        let text = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Source { file: file.into(), text, lines }
    }

    /// Line and column (in characters), both from 1.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|&start| start <= offset);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        (line, column)
    }

    /// The offset at which the line of `offset` starts.
    pub(crate) fn line_start(&self, offset: usize) -> usize {
        let line = self.lines.partition_point(|&start| start <= offset);
        self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0)
    }

    /// The offset at which the line after `offset` starts, or the end of the text.
    pub(crate) fn next_line(&self, offset: usize) -> usize {
        let line = self.lines.partition_point(|&start| start <= offset);
        self.lines.get(line).copied().unwrap_or(self.text.len())
    }

    /// A problem at a byte offset, with its code's severity.
    pub(crate) fn problem(
        &self,
        code: Code,
        offset: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Problem {
        let (line, column) = self.position(offset);
        let shown = self.text[self.line_start(offset)..self.next_line(offset)].trim_end_matches('\n');
        Problem {
            line,
            column,
            source_line: (shown.len() <= LONGEST_SHOWN_LINE).then(|| shown.to_owned()),
            ..Problem::whole(code, &self.file, message, help)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_columns_in_characters() {
        let source = Source::new("x", "é\nüü x\n");
        assert_eq!(source.position(0), (1, 1));
        assert_eq!(source.position(2), (1, 2));
        assert_eq!(source.position(3), (2, 1));
        assert_eq!(source.position(8), (2, 4));
        assert_eq!(source.position(10), (3, 1));
    }
}
