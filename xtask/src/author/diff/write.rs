//! The files of a way and the way back, in the style of the house: what has to run alone is a file of its own.

mod file;
mod fill;
mod index;
mod present;
mod reference;
mod unique;
mod validate;
mod ways;

use super::work::Statement;
use file::Block;
pub use file::File;
pub(crate) use present::presence;
pub(crate) use ways::Ways;

/// What is written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// In the order in which they are applied.
    pub(crate) files: Vec<File>,
    /// What the reader has to decide.
    pub(crate) notes: Vec<String>,
}

impl Ways<'_> {
    /// Everything in one file.
    pub(crate) fn one(self) -> Written {
        Written { files: vec![self.main()], notes: Vec::new() }
    }

    /// What would read or write a whole table under a lock is taken out, in a form that holds no one up.
    ///
    /// What goes alone is first, so that a rollback makes it last. What is made of rows comes after the columns have their values.
    pub(crate) fn online(mut self) -> Written {
        let dropped = index::drops(&mut self);
        let indexes = index::makes(&mut self);
        let unique = unique::take_out(&mut self);
        let references = reference::take_out(&mut self, &unique.keys);
        let mut filled = fill::take_out(&mut self);
        let validated = validate::take_out(&mut self, &mut filled.notes);
        let main = self.main();
        let is_empty = main.up.statements.is_empty() && main.down.statements.is_empty();
        let main = (!is_empty).then_some(main);
        let columns = filled.backfills.into_iter().chain(filled.required).chain(filled.identities);
        let after = columns.chain(validated).chain(unique.files).chain(references).chain(indexes);
        Written { files: dropped.into_iter().chain(main).chain(after).collect(), notes: filled.notes }
    }

    fn main(self) -> File {
        let block = |statements: Vec<Statement>| {
            Block::together(statements.into_iter().map(|statement| statement.sql).collect())
        };
        File { up: block(self.up), down: block(self.down), ..File::default() }
    }
}
