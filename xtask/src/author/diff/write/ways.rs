//! Both ways, of which the forms that hold no one up take what they know.

use std::collections::{BTreeMap, BTreeSet};

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
    /// The tables that are made on one of the ways.
    made: BTreeSet<String>,
}

impl<'a> Ways<'a> {
    pub(crate) fn new(from: &'a Catalog, to: &'a Catalog, up: Vec<Statement>, down: Vec<Statement>) -> Ways<'a> {
        let is_table = |statement: &&Statement| {
            statement.act == Act::Make && statement.key.kind == "table" && statement.key.part.is_empty()
        };
        let made = up.iter().chain(&down).filter(is_table).map(|statement| statement.key.object.clone()).collect();
        Ways { from, to, up, down, made }
    }

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
        self.made.contains(table)
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

/// Whether the rows that are there are checked when a constraint is made so.
pub(super) fn is_checked(sql: &str) -> bool {
    ![" NOT VALID", " NOT ENFORCED"].iter().any(|end| sql.ends_with(end))
}

/// Takes the statements of any of these keys with that act out, each key's in their order.
pub(super) fn take_all(statements: &mut Vec<Statement>, keys: &[Key], act: Act) -> BTreeMap<Key, Vec<String>> {
    let keys: BTreeSet<&Key> = keys.iter().collect();
    let mut taken: BTreeMap<Key, Vec<String>> = BTreeMap::new();
    for statement in statements.extract_if(.., |statement| statement.act == act && keys.contains(&statement.key)) {
        taken.entry(statement.key).or_default().push(statement.sql);
    }
    taken
}

/// How many statements of each key have that act.
pub(super) fn counts(statements: &[Statement], act: Act) -> BTreeMap<&Key, usize> {
    let mut counts = BTreeMap::new();
    for statement in statements.iter().filter(|statement| statement.act == act) {
        *counts.entry(&statement.key).or_default() += 1;
    }
    counts
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
