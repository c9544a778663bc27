//! The text of a string literal, and on which line each part of it is written.

use std::ops::Range;
use std::rc::Rc;

use rustc_literal_escaper::unescape_str;

use crate::prove::compat::sources::{asks, sql};

/// A text in a file.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) file: Rc<str>,
    pub(super) text: String,
    /// From which byte of the text on it is on which line of the file; in order, the first one at 0.
    lines: Vec<(usize, usize)>,
}

impl Text {
    /// The text of a literal; `None`: it is not a string.
    pub(super) fn literal(file: &Rc<str>, written: &str, line: usize) -> Option<Text> {
        let mut text = Text { file: file.clone(), text: String::with_capacity(written.len()), lines: vec![(0, line)] };
        if let Some(raw) = written.strip_prefix('r') {
            let hashes = raw.len() - raw.trim_start_matches('#').len();
            let raw = raw[hashes..].strip_prefix('"')?;
            text.push_lines(raw.strip_suffix(&*format!("\"{}", "#".repeat(hashes)))?);
        } else {
            // A suffix is not possible in a source that compiles.
            text.push_escaped(written.strip_prefix('"')?.strip_suffix('"')?)?;
        }
        Some(text)
    }

    /// A whole file.
    pub(super) fn whole(file: &str, content: &str) -> Text {
        let mut text = Text { file: file.into(), text: String::with_capacity(content.len()), lines: vec![(0, 1)] };
        text.push_lines(content);
        text
    }

    /// Adds what is no text in the source, such as the number in `concat!("a", 1)`.
    pub(super) fn push_word(&mut self, word: &str) {
        self.text.push_str(word);
    }

    /// A part of it.
    pub(super) fn part(&self, range: Range<usize>) -> Text {
        let inside = self.lines.iter().filter(|(byte, _)| (range.start + 1..=range.end).contains(byte));
        let lines = std::iter::once((0, self.line(range.start)));
        let lines = lines.chain(inside.map(|(byte, line)| (byte - range.start, *line))).collect();
        Text { file: self.file.clone(), text: self.text[range].to_owned(), lines }
    }

    /// Adds a text that follows.
    pub(super) fn push(&mut self, other: &Text) {
        let start = self.text.len();
        self.lines.extend(other.lines.iter().map(|(byte, line)| (start + byte, *line)));
        self.text.push_str(&other.text);
    }

    /// The line of a byte.
    pub(super) fn line(&self, byte: usize) -> usize {
        let after = self.lines.partition_point(|(start, _)| *start <= byte);
        self.lines[after.saturating_sub(1)].1
    }

    /// The statements in it that ask something, each with the byte where it starts.
    pub(super) fn statements(&self) -> Vec<(usize, &str)> {
        sql::statements(&self.text)
    }

    /// Whether it begins as such a statement does; `None`: with something that is put in.
    pub(super) fn begins(&self) -> Option<bool> {
        let text = self.text.trim_start();
        (!text.is_empty() && !text.starts_with('{')).then(|| asks::begins(text))
    }

    /// What follows is on the next line of the file.
    fn break_line(&mut self) {
        let line = self.lines.last().map_or(1, |(_, line)| line + 1);
        self.lines.push((self.text.len(), line));
    }

    fn push_lines(&mut self, content: &str) {
        for part in content.split_inclusive('\n') {
            self.text.push_str(part);
            if part.ends_with('\n') {
                self.break_line();
            }
        }
    }

    /// What is between quotes; `None`: it has an escape that Rust does not have.
    fn push_escaped(&mut self, written: &str) -> Option<()> {
        let (mut read, mut is_valid) = (0, true);
        unescape_str(written, |range, character| match character {
            Ok(character) => {
                self.break_lines(&written[read..range.start]);
                self.text.push(character);
                read = range.start;
            }
            Err(error) => is_valid &= !error.is_fatal(),
        });
        self.break_lines(&written[read..]);
        is_valid.then_some(())
    }

    /// What follows is after this part of the file.
    fn break_lines(&mut self, written: &str) {
        (0..written.matches('\n').count()).for_each(|_| self.break_line());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: Option<&str>, lines: &[usize]) {
        let text = Text::literal(&"a.rs".into(), source, 1);
        assert_eq!(text.as_ref().map(|text| &*text.text), expected, "{source}");
        let Some(text) = text else { return };
        let words = text.text.split_whitespace().map(|word| word.as_ptr() as usize - text.text.as_ptr() as usize);
        assert_eq!(words.map(|at| text.line(at)).collect::<Vec<_>>(), lines, "{source}");
    }

    #[test]
    fn literals_are_read_as_the_compiler_does() {
        check(r#""a b""#, Some("a b"), &[1, 1]);
        check("\"a\n b\"", Some("a\n b"), &[1, 2]);
        check(r#""\n\t\\\"\'\x41\u{1_F600}\0""#, Some("\n\t\\\"'A\u{1f600}\0"), &[1]);
        check("\"a \\\n\n   b\\\n c\nd\"", Some("a bc\nd"), &[1, 3, 5]);
        check("r\"a\\n\nb\"", Some("a\\n\nb"), &[1, 2]);
        check("r##\"a\"#\nb\"##", Some("a\"#\nb"), &[1, 2]);
        check("\"\"", Some(""), &[]);
        check("\"a\\\n\n  \"", Some("a"), &[1]);
        for other in ["b\"a\"", "'a'", "1", "br#\"a\"#", "c\"a\"", "1.5e3", r#""\q""#, r#""\x80""#, r#""\u{d800}""#] {
            check(other, None, &[]);
        }
    }

    #[test]
    fn a_line_belongs_to_the_literal_that_it_is_from() {
        let file = "a.rs".into();
        let mut text = Text::literal(&file, "\"a\n\"", 1).unwrap();
        text.push(&Text::literal(&file, "\"b\"", 4).unwrap());
        assert_eq!((&*text.text, text.line(0), text.line(2)), ("a\nb", 1, 4));
        assert_eq!(Text::whole("q.sql", "\nSELECT 1\n").line(1), 2);
    }
}
