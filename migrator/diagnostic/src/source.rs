//! The text of one file with its name: turns byte offsets into lines and columns.

/// Longer lines are not repeated in messages: no one finds a caret in them.
const LONGEST_SHOWN_LINE: usize = 400;

/// How many bytes are counted at most to find a column.
const BLOCK: usize = 1024;

/// The number of characters that start in these bytes.
fn starts(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

/// A file that has been read: valid UTF-8, LF line ends.
#[derive(Debug, Clone)]
pub struct Source {
    /// The path shown in messages.
    pub file: String,
    /// The whole text.
    pub text: String,
    /// The offset at which each line starts.
    lines: Vec<usize>,
    /// The number of characters before each block of [`BLOCK`] bytes: a line may be as long as the file.
    characters: Vec<usize>,
}

impl Source {
    /// The text of a file under the path that messages show.
    pub fn new(file: impl Into<String>, text: impl Into<String>) -> Source {
        let text = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut characters = vec![0];
        for block in text.as_bytes().chunks_exact(BLOCK) {
            characters.push(characters[characters.len() - 1] + starts(block));
        }
        Source { file: file.into(), text, lines, characters }
    }

    /// Line and column (in characters), both from 1.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|&start| start <= offset);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        (line, self.characters_before(offset).saturating_sub(self.characters_before(start)) + 1)
    }

    fn characters_before(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        let block = offset / BLOCK;
        self.characters[block] + starts(&self.text.as_bytes()[block * BLOCK..offset])
    }

    /// The offset at which the line of `offset` starts.
    pub fn line_start(&self, offset: usize) -> usize {
        let line = self.lines.partition_point(|&start| start <= offset);
        self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0)
    }

    /// The offset at which the line after `offset` starts, or the end of the text.
    pub fn next_line(&self, offset: usize) -> usize {
        let line = self.lines.partition_point(|&start| start <= offset);
        self.lines.get(line).copied().unwrap_or(self.text.len())
    }

    /// The line of `offset` as messages repeat it.
    pub fn shown_line(&self, offset: usize) -> Option<String> {
        let line = self.text[self.line_start(offset)..self.next_line(offset)].trim_end_matches('\n');
        (line.len() <= LONGEST_SHOWN_LINE).then(|| line.to_owned())
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

    #[test]
    fn counts_columns_in_a_line_that_is_as_long_as_the_file() {
        let text = "aé東😀\n".repeat(3) + &"aé東😀".repeat(2000);
        let source = Source::new("x", text.as_str());
        for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let before = &text[..offset];
            let line = before.rsplit('\n').next().unwrap();
            assert_eq!(source.position(offset), (before.matches('\n').count() + 1, line.chars().count() + 1));
        }
    }
}
