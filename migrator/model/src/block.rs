//! The SQL of one marker, and the options behind the marker.

use std::borrow::Cow;
use std::ops::Range;

use crate::coded::coded;
use crate::{List, Statement, Statements, Text};

/// The SQL of one marker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Block {
    /// Bytes of the file's text: from the line after the marker to the next marker or the end.
    pub range: Range<usize>,
    /// What the marker asks for.
    pub options: Options,
    /// The block's statements in order.
    pub statements: Statements,
    /// Those that destroy data: `statement 2: DROP TABLE core.users`.
    pub destroys: List<Text>,
}

coded!(Block { range, options, statements, destroys });

impl Block {
    /// A block.
    pub const fn new(range: Range<usize>, options: Options, statements: List<Statement>) -> Block {
        Block { range, options, statements: Statements::new(statements), destroys: Cow::Borrowed(&[]) }
    }

    /// The same with what destroys data in it.
    #[must_use]
    pub fn with_destroys(mut self, destroys: List<Text>) -> Block {
        self.destroys = destroys;
        self
    }

    /// The SQL of this block; `text` is the text of its file.
    pub fn sql<'t>(&self, text: &'t str) -> &'t str {
        &text[self.range.clone()]
    }
}

/// What follows a marker. A further duration is a field, in the struct and in its embedded form, a line of [`DURATIONS`] and a
/// builder; reading and recording it follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// False for `transaction:false`.
    pub transaction: bool,
    /// `lock_timeout`, in milliseconds.
    pub lock_timeout_ms: Option<u64>,
    /// `statement_timeout`, in milliseconds.
    pub statement_timeout_ms: Option<u64>,
}

coded!(Options { transaction, lock_timeout_ms, statement_timeout_ms });

/// The options that are durations: the name behind the marker, an example of its value, and its field. The builder of `<name>` is
/// `with_<name>_ms`.
const DURATIONS: [(&str, &str, Field); 2] = [
    ("lock_timeout", "5s", |options| &mut options.lock_timeout_ms),
    ("statement_timeout", "10min", |options| &mut options.statement_timeout_ms),
];

type Field = fn(&mut Options) -> &mut Option<u64>;

impl Options {
    /// What holds without an option.
    pub const fn new() -> Options {
        Options { transaction: true, lock_timeout_ms: None, statement_timeout_ms: None }
    }

    /// The same with another `transaction`.
    #[must_use]
    pub const fn with_transaction(mut self, transaction: bool) -> Options {
        self.transaction = transaction;
        self
    }

    /// The same with a `lock_timeout`.
    #[must_use]
    pub const fn with_lock_timeout_ms(mut self, ms: u64) -> Options {
        self.lock_timeout_ms = Some(ms);
        self
    }

    /// The same with a `statement_timeout`.
    #[must_use]
    pub const fn with_statement_timeout_ms(mut self, ms: u64) -> Options {
        self.statement_timeout_ms = Some(ms);
        self
    }

    /// The names of the options that are durations, each with an example of its value.
    pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
        DURATIONS.iter().map(|(name, example, _)| (*name, *example))
    }

    /// All durations by name, in milliseconds.
    pub fn durations(mut self) -> impl Iterator<Item = (&'static str, Option<u64>)> {
        DURATIONS.iter().map(move |(name, _, field)| (*name, *field(&mut self)))
    }

    /// Sets a duration by name, in milliseconds; false if none has that name.
    pub fn set_duration(&mut self, name: &str, ms: Option<u64>) -> bool {
        let known = DURATIONS.iter().find(|(known, _, _)| *known == name);
        known.map(|(_, _, field)| *field(self) = ms).is_some()
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_by_name() {
        let mut options = Options::new().with_lock_timeout_ms(5);
        assert!(options.set_duration("statement_timeout", Some(7)));
        assert!(!options.set_duration("timeout", Some(9)));
        assert_eq!(options, Options::new().with_lock_timeout_ms(5).with_statement_timeout_ms(7));
        assert_eq!(
            options.durations().collect::<Vec<_>>(),
            [("lock_timeout", Some(5)), ("statement_timeout", Some(7))]
        );
    }
}
