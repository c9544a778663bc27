//! What a file of `tests/` says, once it is read.

use std::ops::Range;

use crate::contract::data_test::MOMENTS;

/// A test of one migration with data. Nothing of it is embedded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataTest {
    /// The path shown in messages: `db/tests/002_locale.sql`.
    pub file: String,
    /// The whole file, line ends normalised to LF.
    pub text: String,
    /// The version of the migration, as a number.
    pub number: i64,
    /// Its blocks in the order of the file, each moment at most once.
    pub blocks: Vec<TestBlock>,
}

/// When a block of a test runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before the migration: puts rows in place.
    Before,
    /// After the migration, and after it has gone up again: asserts.
    After,
    /// After its rollback: asserts.
    RolledBack,
}

/// The SQL after one marker of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestBlock {
    /// When it runs.
    pub moment: Moment,
    /// Its statements in order.
    pub statements: Vec<TestStatement>,
}

/// A statement of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestStatement {
    /// Its bytes in the text, without the semicolon.
    pub range: Range<usize>,
    /// What the comments below it expect; `None`: it must return no row.
    pub expected: Option<Expected>,
}

impl Moment {
    /// The word after `-- test:`.
    pub const fn word(self) -> &'static str {
        MOMENTS[self as usize]
    }

    pub(super) fn of(word: &str) -> Option<Moment> {
        [Moment::Before, Moment::After, Moment::RolledBack].into_iter().find(|moment| moment.word() == word)
    }
}

impl DataTest {
    /// The block of a moment.
    pub fn block(&self, moment: Moment) -> Option<&TestBlock> {
        self.blocks.iter().find(|block| block.moment == moment)
    }
}

/// What a statement of a test must come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// These rows, in this order.
    Rows {
        /// The names of the columns.
        columns: Vec<String>,
        /// The values of each row; `None` is NULL.
        rows: Vec<Vec<Option<String>>>,
    },
    /// The server refuses the statement with this SQLSTATE.
    Error(String),
}
