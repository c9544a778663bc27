//! A place in a SQL file, as `migrator-diagnostic` shows it.
//!
//! Pure: PostgreSQL reports positions in characters, files are sliced by bytes, and the conversion lives only here.

use migrator_diagnostic::{Diagnostic, Level, Place};

/// A byte of a SQL file with a label, and the line that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excerpt {
    file: String,
    line_number: usize,
    line: String,
    /// The byte inside `line` under which the caret is.
    byte: usize,
    label: String,
}

impl Excerpt {
    /// Points at `byte` of `text`, the text of `file`; a byte past the end points at the end of the last line.
    pub(crate) fn new(file: &str, text: &str, byte: usize, label: impl Into<String>) -> Excerpt {
        let mut byte = byte.min(text.len());
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        let start = text[..byte].rfind('\n').map_or(0, |at| at + 1);
        let end = text[byte..].find('\n').map_or(text.len(), |at| byte + at);
        Excerpt {
            file: file.to_owned(),
            line_number: text[..start].matches('\n').count() + 1,
            line: text[start..end].to_owned(),
            byte: byte - start,
            label: label.into(),
        }
    }

    /// `file:line:column`, the column counted in characters from 1.
    pub(crate) fn position(&self) -> String {
        let (file, line, column) = self.line_and_column();
        format!("{file}:{line}:{column}")
    }

    /// The file, the line, and the column in characters, both from 1.
    pub(crate) fn line_and_column(&self) -> (&str, usize, usize) {
        (&self.file, self.line_number, self.line[..self.byte].chars().count() + 1)
    }

    /// The line that holds the byte.
    pub(crate) fn line(&self) -> &str {
        &self.line
    }

    /// The whole report: title, place, line with caret, notes, help; for a terminal of that many columns, if it is one.
    pub(crate) fn render(
        &self,
        title: &str,
        notes: &[String],
        help: &[String],
        color: bool,
        columns: Option<usize>,
    ) -> String {
        let place = Place::Line { file: &self.file, line: self.line_number, text: &self.line, byte: self.byte };
        let diagnostic = Diagnostic { level: Level::Error, code: None, title, place, label: &self.label, notes, help };
        diagnostic.render_in(color, columns)
    }
}

/// The byte of `text` at which its character number `characters` (from 0) starts; past the end: the length.
pub(crate) fn byte_of_character(text: &str, characters: usize) -> usize {
    text.char_indices().nth(characters).map_or(text.len(), |(byte, _)| byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn the_caret_stands_under_the_character_also_after_multi_byte_text() {
        let text = "-- migrate:up\nUPDATE t SET name = 'Zoë 東京' WHERE nmae = 1;\n";
        let byte = text.find("nmae").unwrap();
        let excerpt = Excerpt::new("db/migrations/002_x.sql", text, byte, "column \"nmae\" does not exist [42703]");
        assert_eq!(excerpt.position(), "db/migrations/002_x.sql:2:36");
        let notes = ["applied before it in this run: 001".to_owned()];
        let help = ["correct the file".to_owned()];
        expect![[r#"
            error: migration 002_x failed and was rolled back
             --> db/migrations/002_x.sql:2:36
              |
            2 | UPDATE t SET name = 'Zoë 東京' WHERE nmae = 1;
              |                                      ^ column "nmae" does not exist [42703]
              |
              = note: applied before it in this run: 001
              = help: correct the file"#]]
        .assert_eq(&excerpt.render("migration 002_x failed and was rolled back", &notes, &help, false, None));
    }

    #[test]
    fn a_place_past_the_end_is_the_end() {
        assert_eq!(Excerpt::new("f", "SELECT", 99, "x").position(), "f:1:7");
        assert_eq!(Excerpt::new("f", "a\n", 2, "x").position(), "f:2:1");
        assert_eq!(Excerpt::new("f", "é", 1, "x").position(), "f:1:1");
    }

    #[test]
    fn characters_are_not_bytes() {
        assert_eq!(byte_of_character("é東x", 2), 5);
        assert_eq!(byte_of_character("é", 9), 2);
    }
}
