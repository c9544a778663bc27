//! One statement and what is around it: what the rules look at.

use std::collections::HashMap;

use migrator_sql::{AlterTableAction, Name, Object, Sql, Words};

use crate::known::Known;
use crate::lock::{self, Lock};
use crate::taken::Taken;

/// A statement of a block.
#[derive(Debug)]
pub(crate) struct Statement<'a> {
    pub(crate) words: Words<'a>,
    pub(crate) sql: Sql<'a>,
}

/// The statements of the up block of one migration.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    pub(crate) statements: Vec<Statement<'a>>,
    /// For each statement the transaction it runs in, if any.
    transactions: Vec<Option<usize>>,
}

impl<'a> Block<'a> {
    /// `transaction` is false for `transaction:false`.
    pub(crate) fn new(statements: &[Words<'a>], transaction: bool) -> Block<'a> {
        let typed = |words: &Words<'a>| Statement { words: *words, sql: Sql::of(words) };
        let statements: Vec<Statement<'a>> = statements.iter().map(typed).collect();
        let mut current = transaction.then_some(0);
        let transactions = statements.iter().enumerate().map(|(index, statement)| {
            match statement.sql {
                Sql::Begin if !transaction => current = Some(index),
                Sql::Commit if !transaction => current = None,
                _ => {}
            }
            current
        });
        Block { transactions: transactions.collect(), statements }
    }
}

/// What a rule has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The byte of the file.
    pub(crate) at: usize,
    /// The object that is meant, where one is named.
    pub(crate) subject: Option<Object>,
    /// The lock that the statement takes, and who waits for it.
    pub(crate) lock: String,
    /// The way out for this statement, where the rule's is none.
    pub(crate) help: Option<&'static str>,
    /// What the running release may ask for and does not get any more.
    pub(crate) taken: Option<Taken>,
}

impl Finding {
    /// The same about another object.
    pub(crate) fn about(self, subject: Object) -> Finding {
        Finding { subject: Some(subject), ..self }
    }

    /// The same under a lock in other words.
    pub(crate) fn under(self, lock: String) -> Finding {
        Finding { lock, ..self }
    }

    /// The same, and what it takes from the running release.
    pub(crate) fn taking(self, taken: Option<Taken>) -> Finding {
        Finding { taken, ..self }
    }

    /// The same with a way out of its own, if there is one.
    pub(crate) fn with_help(self, help: Option<&'static str>) -> Finding {
        Finding { help: help.or(self.help), ..self }
    }
}

/// What the statements before one have created in the same file: by name, since a schema has thousands of them.
#[derive(Debug, Default)]
pub(crate) struct Created(HashMap<String, Vec<Object>>);

impl Created {
    pub(crate) fn add(&mut self, object: Object) {
        self.0.entry(object.name.clone()).or_default().push(object);
    }

    fn has(&self, object: &Object) -> bool {
        self.0.get(&object.name).is_some_and(|named| named.iter().any(|created| created.is(object)))
    }
}

/// One statement, in its block, after everything that ran before it.
#[derive(Clone, Copy)]
pub(crate) struct Site<'s> {
    block: &'s Block<'s>,
    index: usize,
    created: &'s Created,
    pub(crate) known: &'s Known,
}

impl<'s> Site<'s> {
    pub(crate) fn new(block: &'s Block<'s>, index: usize, created: &'s Created, known: &'s Known) -> Site<'s> {
        Site { block, index, created, known }
    }

    /// What the statement is.
    pub(crate) fn sql(&self) -> &'s Sql<'s> {
        &self.block.statements[self.index].sql
    }

    /// Its tokens.
    pub(crate) fn words(&self) -> &'s Words<'s> {
        &self.block.statements[self.index].words
    }

    /// The byte at which it starts.
    pub(crate) fn start(&self) -> usize {
        self.words().start()
    }

    /// True unless a statement before has created it: someone may be using it.
    pub(crate) fn is_live(&self, object: &Object) -> bool {
        !self.created.has(object)
    }

    /// The first object in use that a statement changes, locks or drops.
    pub(crate) fn live_target(&self, sql: &Sql<'_>) -> Option<Object> {
        sql.targets().into_iter().find(|object| self.is_live(object))
    }

    /// True if it works on nothing but what the same file has created.
    pub(crate) fn is_on_new_objects(&self) -> bool {
        let targets = self.sql().targets();
        !targets.is_empty() && !targets.iter().any(|object| self.is_live(object))
    }

    /// The statements before it in the same transaction.
    pub(crate) fn earlier(&self) -> impl Iterator<Item = &'s Sql<'s>> + use<'s> {
        let site = *self;
        (0..self.index)
            .filter(move |&other| site.is_together(other))
            .map(move |other| &site.block.statements[other].sql)
    }

    /// The statements after it in the same transaction.
    pub(crate) fn later(&self) -> impl Iterator<Item = &'s Sql<'s>> + use<'s> {
        let site = *self;
        let after = self.index + 1..self.block.statements.len();
        after.filter(move |&other| site.is_together(other)).map(move |other| &site.block.statements[other].sql)
    }

    /// The statements before it in the same file, in whatever transaction.
    pub(crate) fn before(&self) -> impl Iterator<Item = &'s Sql<'s>> + use<'s> {
        self.block.statements[..self.index].iter().map(|statement| &statement.sql)
    }

    /// True if a statement after it in the same transaction creates everything again that it drops.
    pub(crate) fn makes_again_what_it_drops(&self) -> bool {
        let Sql::Drop(dropped) = self.sql() else { return false };
        let is_made = |name: &Name<'_>| self.later().filter_map(Sql::made).any(|other| other.is(&name.object()));
        !dropped.names.is_empty() && dropped.names.iter().all(is_made)
    }

    fn is_together(&self, other: usize) -> bool {
        let transactions = &self.block.transactions;
        transactions[self.index].is_some() && transactions[self.index] == transactions[other]
    }

    /// The action of `ALTER TABLE` in which a byte is, and the table.
    pub(crate) fn action_at(&self, at: usize) -> Option<(Object, &'s AlterTableAction<'s>)> {
        match self.sql() {
            Sql::AlterTable(altered) => Some((altered.table.object(), altered.action_at(at)?)),
            _ => None,
        }
    }

    /// The locks that the statement takes on what is in use.
    pub(crate) fn locks(&self) -> Vec<Lock> {
        lock::of(self.sql()).into_iter().filter(|lock| self.is_live(&lock.object)).collect()
    }

    /// Something found at a byte, on what the statement works on or creates, under the lock that it takes.
    pub(crate) fn finding(&self, at: usize) -> Finding {
        let subject = self.sql().targets().into_iter().next().or_else(|| self.sql().made());
        Finding { at, subject, lock: lock::sentence(&self.locks()), help: None, taken: None }
    }

    /// The same where the rule says more closely who waits.
    pub(crate) fn finding_with_waits(&self, at: usize, waits: &str) -> Finding {
        Finding { lock: lock::sentence_with(&self.locks(), waits), ..self.finding(at) }
    }
}
