//! What the rules look at: a file that has been read, with its blocks and statements.

use std::ops::Range;

use migrator_model::{Direction, Options, Text};
use migrator_sql::{Lexed, Words};

use crate::procedures::Procedures;
use crate::source::Source;

/// The folder of a file, which decides what the file may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folder {
    Migrations,
    Repeatable,
    Seeds,
    Checks,
    Tests,
}

/// What a migration's file name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) version: String,
    pub(crate) number: i64,
    pub(crate) name: String,
}

/// The SQL after one marker, or a whole script.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    /// `None` in a script.
    pub(crate) direction: Option<Direction>,
    /// The byte at which the marker starts; 0 in a script.
    pub(crate) marker: usize,
    /// From the line after the marker to the next marker or the end.
    pub(crate) range: Range<usize>,
    pub(crate) options: Options,
    /// True if a comment in it switches the syntax check off.
    pub(crate) unchecked: bool,
    pub(crate) statements: Vec<Words<'a>>,
}

/// A file with SQL.
#[derive(Debug)]
pub(crate) struct File<'a> {
    pub(crate) source: &'a Source,
    pub(crate) lexed: &'a Lexed,
    pub(crate) folder: Folder,
    /// In the order of the file.
    pub(crate) blocks: Vec<Block<'a>>,
    /// Where the first `COPY ... FROM stdin` is: what follows it is data, not SQL.
    pub(crate) data: Option<usize>,
    /// The directions of misspelled markers; `None` if it may be either.
    pub(crate) misspelled: Vec<Option<Direction>>,
    /// True for a migration up to `start_after`, which another tool has applied.
    pub(crate) old: bool,
    pub(crate) required_headers: &'a [Text],
    pub(crate) procedures: &'a Procedures,
}

impl<'a> File<'a> {
    /// A file with the usual values of all other fields.
    pub(crate) fn new(
        source: &'a Source,
        lexed: &'a Lexed,
        folder: Folder,
        blocks: Vec<Block<'a>>,
        procedures: &'a Procedures,
    ) -> File<'a> {
        let mut statements = blocks.iter().flat_map(|block| &block.statements);
        let data = statements.find(|words| is_copy(words, "from", "stdin")).map(Words::start);
        let (misspelled, old, required_headers) = (Vec::new(), false, [].as_slice());
        File { source, lexed, folder, blocks, data, misspelled, old, required_headers, procedures }
    }

    /// The first block of a direction.
    pub(crate) fn block(&self, direction: Direction) -> Option<&Block<'a>> {
        self.blocks.iter().find(|block| block.direction == Some(direction))
    }

    /// True if the marker of a direction is missing, and no misspelled marker can be it.
    pub(crate) fn lacks(&self, direction: Direction) -> bool {
        let meant = |meant: &Option<Direction>| meant.is_none_or(|meant| meant == direction);
        self.block(direction).is_none() && !self.misspelled.iter().any(meant)
    }

    /// True for a line of a down block.
    pub(crate) fn is_in_down(&self, line: usize) -> bool {
        let line_of = |offset| self.source.position(offset).0;
        let mut downs = self.blocks.iter().filter(|block| block.direction == Some(Direction::Down));
        downs.any(|block| (line_of(block.range.start)..=line_of(block.range.end)).contains(&line))
    }

    /// The statements of all blocks.
    pub(crate) fn statements(&self) -> impl Iterator<Item = &Words<'a>> {
        self.blocks.iter().flat_map(|block| &block.statements)
    }

    pub(crate) fn is_migration(&self) -> bool {
        self.folder == Folder::Migrations
    }
}

/// True for a `COPY` in a direction, `from` or `to`, through psql.
pub(crate) fn is_copy(words: &Words<'_>, direction: &str, stream: &str) -> bool {
    words.is(0, "copy") && words.find(direction).is_some_and(|at| words.is(at + 1, stream))
}
