//! Both ways, of which the forms that hold no one up take what they know.

use std::collections::BTreeSet;

use migrator_engine::client::{plain_identifier, unquoted};

use crate::author::diff::catalog::Catalog;
use crate::author::diff::key::Key;
use crate::author::diff::work::{Act, Statement};

/// Both ways, to be divided into files.
pub(crate) struct Ways<'a> {
    pub(crate) from: &'a Catalog,
    pub(crate) to: &'a Catalog,
    pub(crate) up: Vec<Statement>,
    pub(crate) down: Vec<Statement>,
}

impl Ways<'_> {
    /// The table is there before and after, and is an ordinary one.
    pub(super) fn stays(&self, table: &str) -> bool {
        self.stays_as(table, &["r"])
    }

    /// The same of one that may have partitions.
    pub(super) fn stays_whole(&self, table: &str) -> bool {
        self.stays_as(table, &["r", "p"])
    }

    fn stays_as(&self, table: &str, letters: &[&str]) -> bool {
        let is_plain =
            |of: &Catalog| of.relations.get(table).is_some_and(|relation| letters.contains(&relation.letter.as_str()));
        is_plain(self.from) && is_plain(self.to) && !self.is_made(table)
    }

    /// The table is made on one of the ways.
    pub(super) fn is_made(&self, table: &str) -> bool {
        let whole = Key::new(table, "table", "");
        let is_made = |statement: &Statement| statement.key == whole && statement.act == Act::Make;
        self.up.iter().chain(&self.down).any(is_made)
    }
}

/// The statements of that key and act, in their order.
pub(super) fn of<'s>(statements: &'s [Statement], key: &Key, act: Act) -> impl Iterator<Item = &'s Statement> {
    statements.iter().filter(move |statement| statement.key == *key && statement.act == act)
}

/// The keys of statements with that act, each once, in the order of the statements.
pub(super) fn keys(statements: &[Statement], act: Act) -> Vec<Key> {
    let mut seen = BTreeSet::new();
    let new = |statement: &&Statement| statement.act == act && seen.insert(statement.key.clone());
    statements.iter().filter(new).map(|statement| statement.key.clone()).collect()
}

/// Takes the statements that are meant out.
pub(super) fn take(statements: &mut Vec<Statement>, is_meant: impl Fn(&Statement) -> bool) -> Vec<String> {
    statements.extract_if(.., |statement| is_meant(statement)).map(|statement| statement.sql).collect()
}

/// A name with something after it that no other object should have, as an identifier.
pub(super) fn name(parts: &[&str], behind: &str) -> String {
    let mut name = parts.iter().map(|part| unquoted(part)).collect::<Vec<_>>().join("_") + behind;
    while name.len() > 63 {
        name.remove(0);
    }
    plain_identifier(&name)
}

/// The schema of a qualified name, and what is in it.
pub(super) fn parts(object: &str) -> (&str, &str) {
    // A point may be in quotes.
    let mut is_quoted = false;
    let point = object.char_indices().find(|(_, c)| {
        is_quoted ^= *c == '"';
        *c == '.' && !is_quoted
    });
    point.map_or(("", object), |(at, _)| (&object[..at], &object[at + 1..]))
}
