//! The statements of a block or a script, which a binary reads when they are asked for.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use crate::coded::{Coded, Reader, Writer};
use crate::{Corrupt, List, Statement};

/// Statements in order: a slice of [`Statement`].
///
/// A run needs those of few files, and a history of 10,000 migrations has 20,000: what is embedded becomes a list when it is first
/// looked at.
#[derive(Clone)]
pub struct Statements(Kept);

#[derive(Clone)]
enum Kept {
    List(List<Statement>),
    /// Where they begin, and the list once it was asked for.
    Embedded(Reader, OnceLock<Box<[Statement]>>),
}

impl Statements {
    /// Statements that are there already.
    pub const fn new(list: List<Statement>) -> Statements {
        Statements(Kept::List(list))
    }
}

impl Deref for Statements {
    type Target = [Statement];

    fn deref(&self) -> &[Statement] {
        match &self.0 {
            Kept::List(list) => list,
            Kept::Embedded(reader, list) => list.get_or_init(|| {
                let list = List::<Statement>::read(&mut reader.clone());
                list.map(Cow::into_owned).expect("the sum of the table is right").into()
            }),
        }
    }
}

impl Coded for Statements {
    fn write(&self, out: &mut Writer) {
        let mut list = Writer::default();
        if !self.is_empty() {
            self.len().write(&mut list);
            self.iter().for_each(|statement| statement.write(&mut list));
        }
        out.append(list);
    }

    fn read(input: &mut Reader) -> Result<Statements, Corrupt> {
        Ok(match input.pass()? {
            None => Statements::default(),
            Some(list) => Statements(Kept::Embedded(list, OnceLock::new())),
        })
    }
}

impl Default for Statements {
    fn default() -> Statements {
        Statements::new(Cow::Borrowed(&[]))
    }
}

impl fmt::Debug for Statements {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(out)
    }
}

impl PartialEq for Statements {
    fn eq(&self, other: &Statements) -> bool {
        **self == **other
    }
}

impl Eq for Statements {}

impl<'a> IntoIterator for &'a Statements {
    type Item = &'a Statement;
    type IntoIter = std::slice::Iter<'a, Statement>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
