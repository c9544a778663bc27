//! What has to be done to make one schema of another, as it is found out.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::Catalog;
use super::key::Key;

/// What is done to an object, in the order in which it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Before anything is dropped.
    Prepare,
    Drop,
    Make,
    Alter,
    /// What can be said once everything is there: comments, privileges.
    Finish,
}

/// A statement, without its semicolon, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) key: Key,
    pub(crate) act: Act,
    pub(crate) sql: String,
}

/// The work, from a database as it is to one as it should be.
pub(crate) struct Work<'a> {
    /// As it is.
    pub(crate) from: &'a Catalog,
    /// As it should be.
    pub(crate) to: &'a Catalog,
    /// A rollback: what was lost on the way up is not there any more.
    pub(crate) is_rollback: bool,
    /// What goes, or is taken down to be put back.
    pub(crate) gone: BTreeSet<Key>,
    /// What comes, or is put back.
    pub(crate) made: BTreeSet<Key>,
    /// Before anything is dropped.
    pub(crate) prepare: Vec<(Key, String)>,
    /// What makes room for what is made, once everything is dropped that has its old name in its own.
    pub(crate) room: Vec<(Key, String)>,
    /// Partitions and their indexes, which join their parents once everything is there.
    pub(crate) joins: BTreeSet<Key>,
    /// What changes in place, when everything is there that it will need.
    pub(crate) altered: BTreeMap<Key, Vec<String>>,
    /// What made room at the beginning and goes at the end.
    pub(crate) late: Vec<(Key, String)>,
    /// At the end.
    pub(crate) finish: Vec<(Key, String)>,
    /// Columns and tables that hold rows, and labels, which are lost.
    pub(crate) loses: BTreeSet<Key>,
}

impl<'a> Work<'a> {
    pub(crate) fn new(from: &'a Catalog, to: &'a Catalog, is_rollback: bool) -> Work<'a> {
        Work {
            from,
            to,
            is_rollback,
            gone: BTreeSet::new(),
            made: BTreeSet::new(),
            prepare: Vec::new(),
            room: Vec::new(),
            joins: BTreeSet::new(),
            altered: BTreeMap::new(),
            late: Vec::new(),
            finish: Vec::new(),
            loses: BTreeSet::new(),
        }
    }

    /// Drops and makes again what cannot be changed in place.
    pub(crate) fn replace(&mut self, key: &Key) {
        self.gone.insert(key.clone());
        self.made.insert(key.clone());
    }

    /// Takes down what depends on an object and would be in the way, and puts back what is still wanted.
    pub(crate) fn take_down(&mut self, key: &Key) {
        self.gone.insert(key.clone());
        if self.to.has(key) {
            self.made.insert(key.clone());
        }
    }

    pub(crate) fn alter(&mut self, key: &Key, sql: String) {
        self.altered.entry(key.clone()).or_default().push(sql);
    }
}
