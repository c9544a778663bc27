//! Shows a mistake in a file as rustc does: title, path, line, column, the line and a caret under the character.
//!
//! Renders build errors, the problems of `cargo xtask check` and failed migrations. The only package that uses
//! `annotate-snippets`. Reads and writes nothing.

use std::borrow::Cow;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Origin, Renderer, Snippet};

pub mod duration;
mod nearest;
pub mod printable;
mod source;

pub use nearest::nearest;
pub use source::Source;

/// How serious it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It must be fixed.
    Error,
    /// It may be intended.
    Warning,
}

/// Where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// In a file as a whole, or in a directory.
    File(&'a str),
    /// At a line and a character, both from 1, of a file whose line is not shown.
    Position {
        /// The path as it is shown.
        file: &'a str,
        /// The number of the line, from 1.
        line: usize,
        /// The number of the character in its line, from 1.
        column: usize,
    },
    /// In a line that is shown.
    Line {
        /// The path as it is shown.
        file: &'a str,
        /// The number of the line, from 1.
        line: usize,
        /// The line itself, without its end.
        text: &'a str,
        /// The byte of `text` at which the character under the caret starts; the length of `text`: after the last one.
        byte: usize,
    },
}

/// Everything that is shown about one mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Diagnostic<'a> {
    /// How serious it is.
    pub level: Level,
    /// Its stable name, such as `M012`.
    pub code: Option<&'a str>,
    /// What is wrong: lowercase, objects in backticks.
    pub title: &'a str,
    /// Where.
    pub place: Place<'a>,
    /// The text after the caret; may be empty.
    pub label: &'a str,
    /// Facts, each under `note:`.
    pub notes: &'a [String],
    /// Ways out, each under `help:`.
    pub help: &'a [String],
}

impl Diagnostic<'_> {
    /// Renders the text without a final line end. `color` adds ANSI styles; the text has no other escape sequence, whatever the
    /// file, its name or the messages contain.
    pub fn render(&self, color: bool) -> String {
        self.render_in(color, None)
    }

    /// The same for a terminal with this number of columns.
    pub fn render_in(&self, color: bool, columns: Option<usize>) -> String {
        let level = match self.level {
            Level::Error => annotate_snippets::Level::ERROR,
            Level::Warning => annotate_snippets::Level::WARNING,
        };
        let mut title = level.primary_title(printable::text(self.title));
        if let Some(code) = self.code {
            title = title.id(code);
        }
        let mut group = match self.place {
            Place::File(file) => title.element(Origin::path(printable::line(file))),
            Place::Position { file, line, column } => {
                title.element(Origin::path(printable::line(file)).line(line).char_column(column))
            }
            Place::Line { file, line, text, byte } => {
                let (text, byte) = source(text, byte);
                let annotation = AnnotationKind::Primary.span(character(&text, byte));
                let label = printable::line(self.label);
                let annotation = if label.is_empty() { annotation } else { annotation.label(label) };
                let file = printable::line(file);
                title.element(Snippet::source(text).path(file).line_start(line).annotation(annotation))
            }
        };
        group = self.lines(group);
        let mut renderer = if color { Renderer::styled() } else { Renderer::plain() };
        if let Some(columns) = columns {
            renderer = renderer.term_width(columns);
        }
        renderer.decor_style(DecorStyle::Ascii).render(&[group])
    }

    fn lines<'a>(&'a self, mut group: Group<'a>) -> Group<'a> {
        for note in self.notes {
            group = group.element(annotate_snippets::Level::NOTE.message(printable::text(note)));
        }
        for help in self.help {
            group = group.element(annotate_snippets::Level::HELP.message(printable::text(help)));
        }
        group
    }
}

/// A line of a file as it is shown, and the offset of the byte in it.
fn source(text: &str, byte: usize) -> (Cow<'_, str>, usize) {
    let before = text.get(..byte).map_or(byte, |before| printable::line(before).len());
    (printable::line(text), before)
}

/// The bytes of the character that starts at `byte`; empty at the end of the line.
fn character(text: &str, byte: usize) -> std::ops::Range<usize> {
    let length = text.get(byte..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let start = if length == 0 { text.len() } else { byte };
    start..start + length
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const PLAIN: Diagnostic<'_> = Diagnostic {
        level: Level::Error,
        code: None,
        title: "migration 002_x failed",
        place: Place::File("db/migrations/002_x.sql"),
        label: "",
        notes: &[],
        help: &[],
    };

    /// The caret belongs under the character after `^`, which is removed from the text.
    #[track_caller]
    fn check_caret(marked: &str, expect: Expect) {
        let byte = marked.find('^').unwrap();
        let text = marked.replacen('^', "", 1);
        let place = Place::Line { file: "f.sql", line: 7, text: &text, byte };
        let rendered = Diagnostic { place, label: "here", ..PLAIN }.render(false);
        let lines: Vec<&str> = rendered.lines().filter(|line| line.contains(['7', '^'])).skip(1).collect();
        expect.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn shows_title_place_line_notes_and_help() {
        let notes = ["DETAIL: none".to_owned(), "of two\nlines".to_owned()];
        let help = ["correct it".to_owned()];
        let text = "SELECT 'ä', frm;";
        let place = Place::Line { file: "db/migrations/002_x.sql", line: 12, text, byte: text.find("frm").unwrap() };
        let full = Diagnostic { code: Some("M020"), place, label: "no such word", notes: &notes, help: &help, ..PLAIN };
        expect![[r#"
            error[M020]: migration 002_x failed
              --> db/migrations/002_x.sql:12:13
               |
            12 | SELECT 'ä', frm;
               |             ^ no such word
               |
               = note: DETAIL: none
               = note: of two
                       lines
               = help: correct it"#]]
        .assert_eq(&full.render(false));
        assert!(full.render(true).contains("\u{1b}["));
        expect![[r#"
            warning: migration 002_x failed
            --> db/migrations/002_x.sql
             = help: correct it"#]]
        .assert_eq(&Diagnostic { level: Level::Warning, help: &help, ..PLAIN }.render(false));
        let place = Place::Position { file: "db/migrations/002_x.sql", line: 3, column: 4012 };
        expect![[r#"
            error: migration 002_x failed
            --> db/migrations/002_x.sql:3:4012"#]]
        .assert_eq(&Diagnostic { place, ..PLAIN }.render(false));
    }

    #[test]
    fn the_caret_stands_under_the_character_whatever_its_width() {
        check_caret(
            "^SELECT",
            expect![[r#"
            7 | SELECT
              | ^ here"#]],
        );
        check_caret(
            "SELECT 'é', ^x",
            expect![[r#"
            7 | SELECT 'é', x
              |             ^ here"#]],
        );
        check_caret(
            "SELECT '東京', ^x",
            expect![[r#"
            7 | SELECT '東京', x
              |                ^ here"#]],
        );
        check_caret(
            "SELECT '^東京'",
            expect![[r#"
            7 | SELECT '東京'
              |         ^^ here"#]],
        );
        check_caret(
            "\tSELECT\t'a',\t^x",
            expect![[r#"
            7 |     SELECT    'a',    x
              |                       ^ here"#]],
        );
        check_caret(
            "SELECT 'e\u{301}', ^x",
            expect![[r#"
            7 | SELECT 'é', x
              |             ^ here"#]],
        );
        check_caret(
            "SELECT 'é'^",
            expect![[r#"
            7 | SELECT 'é'
              |           ^ here"#]],
        );
        check_caret(
            "^",
            expect![[r#"
            7 |
              | ^ here"#]],
        );
    }

    #[test]
    fn what_a_terminal_would_obey_is_made_visible() {
        let table = [
            ("db/001_ä東😀.sql", "db/001_ä東😀.sql"),
            ("a\nb\rc", "a\\nb\\rc"),
            ("\u{1b}[2K\u{9b}1m\u{7f}\0", "\\u{1b}[2K\\u{9b}1m\\u{7f}\\u{0}"),
            ("\u{202e}a\u{2066}b\u{2029}\u{200f}\u{e0041}", "\\u{202e}a\\u{2066}b\\u{2029}\\u{200f}\\u{e0041}"),
        ];
        for (text, shown) in table {
            assert_eq!(printable::line(text), shown);
        }
    }

    #[test]
    fn nothing_that_a_terminal_would_obey_is_in_a_rendered_diagnostic() {
        let text = "SELECT '\u{1b}[2K\u{202e}', x;\u{7}";
        let notes = ["a\u{1b}b".to_owned()];
        let place = Place::Line { file: "f.sql", line: 1, text, byte: 0 };
        let rendered =
            Diagnostic { title: "a\u{1b}[1mb", place, label: "\u{1b}", notes: &notes, help: &notes, ..PLAIN };
        let obeyed = |c: &char| *c != '\n' && printable::line(&c.to_string()) != c.to_string();
        assert_eq!(rendered.render(false).chars().filter(obeyed).collect::<String>(), "");
    }

    #[test]
    fn the_end_of_a_long_line_is_shown() {
        check_caret(
            &format!("SELECT {}^x", "1, ".repeat(200)),
            expect![[r#"
            7 | ..., 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, x
              |                                                                  ^ here"#]],
        );
    }

    #[test]
    fn nothing_from_outside_commands_the_terminal_or_begins_a_line() {
        let evil = "a\u{1b}[2J\u{202e}\u{9b}1m\nerror: forged\r\n::error::forged";
        let (notes, help) = ([evil.to_owned()], [evil.to_owned()]);
        let text = "SELECT '\u{1b}[31m\u{9b}\u{2028}', x";
        let place = Place::Line { file: evil, line: 1, text, byte: text.find('x').unwrap() };
        let full = Diagnostic { title: evil, label: evil, notes: &notes, help: &help, place, ..PLAIN };
        for place in [place, Place::File(evil), Place::Position { file: evil, line: 1, column: 1 }] {
            let rendered = Diagnostic { place, ..full }.render(false);
            let unprintable = |character: char| character.is_control() && character != '\n';
            assert!(!rendered.contains(unprintable) && !rendered.contains('\u{202e}'), "{rendered:?}");
            let forged = |line: &str| line.starts_with("::error") || line.starts_with("error: forged");
            assert!(!rendered.lines().any(forged), "{rendered}");
        }
        let lines: Vec<String> = full.render(false).lines().map(str::to_owned).collect();
        let column =
            |what: &str| lines.iter().find(|line| line.contains(what)).and_then(|line| line.find(what)).unwrap();
        assert_eq!(column("x"), column("^ a"), "{lines:#?}");
    }

    #[test]
    fn a_long_line_is_cut_to_the_width_of_the_terminal() {
        let text = format!("SELECT {}x", "1, ".repeat(200));
        let place = Place::Line { file: "f.sql", line: 7, text: &text, byte: text.len() - 1 };
        let rendered = Diagnostic { place, label: "here", ..PLAIN }.render_in(false, Some(60));
        assert!(rendered.lines().all(|line| line.chars().count() <= 60), "{rendered}");
    }
}
