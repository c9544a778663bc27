//! One problem with a db directory, and how it is shown.

use std::fmt;

use migrator_diagnostic::{Diagnostic, Level, Place, printable};

pub use crate::code::{Code, Severity};

/// One problem, with its place and the way out.
///
/// `Display` is the one-line form, `file:line:column: message [code]; help: help`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The kind of problem.
    pub code: Code,
    /// Whether it stops the build; the settings can differ from the code's own severity.
    pub severity: Severity,
    /// The path shown in messages: `db/migrations/001_init.sql`.
    pub file: String,
    /// The line, from 1; 0: the file as a whole.
    pub line: usize,
    /// The character in the line, from 1; 0: the file as a whole.
    pub column: usize,
    /// What is wrong: lowercase, one line, objects in backticks.
    pub message: String,
    /// What to do about it, one line.
    pub help: String,
    /// The text of that line, unless it is too long to be shown.
    pub source_line: Option<Box<str>>,
}

impl Problem {
    /// A problem with a file or directory as a whole, with its code's severity. Line breaks in the texts are escaped.
    pub(crate) fn whole(code: Code, file: &str, message: impl Into<String>, help: impl Into<String>) -> Problem {
        Problem {
            code,
            severity: code.severity(),
            file: printable::line(file).into_owned(),
            line: 0,
            column: 0,
            message: printable::line(&message.into()).into_owned(),
            help: printable::line(&help.into()).into_owned(),
            source_line: None,
        }
    }

    /// Renders the problem as rustc does: title, place, source line with a caret, help. `color` adds ANSI styles.
    pub fn render(&self, color: bool) -> String {
        let file = self.file.as_str();
        let place = match (&self.source_line, self.line) {
            (Some(text), line) => Place::Line { file, line, text, byte: self.byte_in(text) },
            (None, 0) => Place::File(file),
            (None, line) => Place::Position { file, line, column: self.column },
        };
        let diagnostic = Diagnostic {
            level: match self.severity {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warning,
            },
            code: Some(self.code.as_str()),
            title: &self.message,
            place,
            label: "",
            notes: &[],
            help: std::slice::from_ref(&self.help),
        };
        diagnostic.render(color)
    }

    /// The byte of the line at which the character of `column` starts.
    fn byte_in(&self, line: &str) -> usize {
        line.char_indices().nth(self.column.saturating_sub(1)).map_or(line.len(), |(byte, _)| byte)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {} [{}]; help: {}", self.message, self.code, self.help)
    }
}

/// Everything that is wrong with a directory, sorted by file, line and column; at least one is an error.
///
/// `Display` is one line for each problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Sorts by place, so that a reader goes through each file once.
pub(crate) fn sort(problems: &mut [Problem]) {
    problems.sort_by(|a, b| (&a.file, a.line, a.column, a.code).cmp(&(&b.file, b.line, b.column, b.code)));
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::code::Meaning;
    use crate::source::Source;

    const SYNTAX: Code = Code::new(&Meaning::error("M020", "syntax error"));
    const MISSING: Code = Code::new(&Meaning::error("M001", "missing directory"));

    #[test]
    fn renders_the_source_line_with_a_caret() {
        let source = Source::new("db/migrations/001_ä.sql", "-- migrate:up\nSELECT 'ä', frm;\n");
        let problem = source.problem(SYNTAX, 27, "something is wrong", "correct it");
        expect![[r#"
            error[M020]: something is wrong
             --> db/migrations/001_ä.sql:2:13
              |
            2 | SELECT 'ä', frm;
              |             ^
              |
              = help: correct it"#]]
        .assert_eq(&problem.render(false));
        assert!(problem.render(true).contains("\u{1b}["));
    }

    #[test]
    fn renders_a_whole_file_without_a_place() {
        let problem = Problem::whole(MISSING, "db/migrations", "`db/migrations` is missing", "create it");
        expect![[r#"
            error[M001]: `db/migrations` is missing
            --> db/migrations
             = help: create it"#]]
        .assert_eq(&problem.render(false));
    }

    #[test]
    fn shows_one_line_for_each_problem() {
        let source = Source::new("db/seeds/test.sql", "a\nb\n");
        let problems = Problems(vec![
            source.problem(SYNTAX, 2, "wrong", "mend it"),
            Problem::whole(MISSING, "db/x", "gone", "create it"),
        ]);
        expect![[r#"
            db/seeds/test.sql:2:1: wrong [M020]; help: mend it
            db/x: gone [M001]; help: create it"#]]
        .assert_eq(&problems.to_string());
    }
}
