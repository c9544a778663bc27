//! The text of one file with its name, and the problems in it.

use std::ops::Deref;

use crate::problem::{Code, Problem};

/// A file that has been read: valid UTF-8, LF line ends.
#[derive(Debug, Clone)]
pub(crate) struct Source(migrator_diagnostic::Source);

impl Deref for Source {
    type Target = migrator_diagnostic::Source;

    fn deref(&self) -> &migrator_diagnostic::Source {
        &self.0
    }
}

impl Source {
    pub(crate) fn new(file: impl Into<String>, text: impl Into<String>) -> Source {
        Source(migrator_diagnostic::Source::new(file, text))
    }

    /// The path that messages show, and the text.
    pub(crate) fn into_parts(self) -> (String, String) {
        (self.0.file, self.0.text)
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
        Problem {
            line,
            column,
            source_line: self.shown_line(offset).map(Into::into),
            ..Problem::whole(code, &self.file, message, help)
        }
    }
}
