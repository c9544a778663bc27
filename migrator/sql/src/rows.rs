//! `INSERT`, `UPDATE` and `DELETE`.

use crate::name::Name;
use crate::words::Words;

/// The rows that an `INSERT`, an `UPDATE` or a `DELETE` writes.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// The table.
    pub table: Option<Name<'a>>,
    words: Words<'a>,
}

impl<'a> Rows<'a> {
    /// `index` is that of the table's name. A statement can have a million rows, so nothing is read that no one asks for.
    pub(crate) fn of(words: &Words<'a>, index: usize) -> Rows<'a> {
        let table = Name::read(words, words.skip(index, &["only"])).map(|(table, _)| table);
        Rows { table, words: *words }
    }

    /// True if there is a `WHERE`.
    pub fn are_filtered(&self) -> bool {
        self.words.find("where").is_some()
    }

    /// True if the rows of an `INSERT` come from a query of a table.
    pub fn come_from_a_table(&self) -> bool {
        self.words.find("select").is_some() && self.words.find("from").is_some()
    }
}
