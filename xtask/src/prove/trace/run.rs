//! Runs a migration in its transaction, as a whole or statement by statement, and looks at it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::{Duration, Instant};

use tokio_postgres::{Client, Error};

use super::effect::{Statement, begins_with, line};
use super::guess::guesses;
use super::question::{Look, Oid, Question, Questions, counted};
use super::queue::Queue;
use super::state::{Renamed, State};
use super::subject::Subject;
use migrator_engine::Locked;
use migrator_engine::client::ours;
use migrator_engine::embedded::StatementKind as Kind;
use migrator_engine::locks::Effect;

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// What was put off to the end of the transaction happens before it.
const DEFERRED: &str = "SET CONSTRAINTS ALL IMMEDIATE";

/// From this release on the server can be asked to put away what it has counted: then it counts from the beginning of a transaction.
const FORGETS: i32 = 150_000;
const FORGET: &str = "SELECT pg_catalog.pg_stat_force_next_flush()";

/// What is needed to look at one migration after the other.
pub(super) struct Eye<'a> {
    pub(super) locked: &'a Locked,
    /// Looks while a statement runs.
    pub(super) monitor: &'a Client,
    pub(super) state: State,
    /// What production does not have yet.
    pub(super) new: BTreeSet<Oid>,
    pub(super) history: Vec<Oid>,
    pub(super) questions: Questions,
    /// The reset that has left the session as it still is; `None`: no one knows how it is.
    pub(super) session: Option<String>,
    /// The session has the questions prepared.
    pub(super) is_prepared: bool,
}

/// One migration or repeatable that runs.
pub(super) struct Run<'t, 'a> {
    pub(super) eye: &'t mut Eye<'a>,
    pub(super) subject: Subject,
    pub(super) statements: Vec<Statement>,
    /// What it has touched of what production does not have.
    pub(super) new_relations: BTreeSet<String>,
    /// The tables of the indexes that it has touched, by the names of the indexes.
    pub(super) tables: BTreeMap<String, String>,
    /// The number of the transaction that runs now.
    pub(super) transaction: usize,
    /// It has begun, and nothing was asked in it: what sets its characteristics must be the first in it.
    unseen: bool,
    /// What is there now and was not before.
    pub(super) made: Vec<Oid>,
    /// A byte of the file, and its line.
    counted: (usize, usize),
}

impl<'t, 'a> Run<'t, 'a> {
    /// Nothing of it has run yet.
    pub(super) fn new(eye: &'t mut Eye<'a>, subject: Subject) -> Run<'t, 'a> {
        let (statements, new_relations, tables) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
        let (made, counted) = (Vec::new(), (0, 1));
        Run { eye, subject, statements, new_relations, tables, transaction: 0, unseen: false, made, counted }
    }

    pub(super) fn client(&self) -> &'a Client {
        self.eye.locked.client()
    }

    /// Resets the session, unless it is known to be as the reset would leave it.
    async fn enter(&mut self, queue: &mut Queue<'_>) -> Result<(), Error> {
        let Eye { locked, questions, session, is_prepared, state, .. } = &mut *self.eye;
        let reset = locked.reset(self.subject.block());
        let statements = self.subject.statements();
        let is_neutral =
            !state.has_event_triggers() && statements.iter().all(|statement| statement.kind == Kind::Neutral);
        if session.as_ref() != Some(&reset) {
            queue.send(&reset).await?;
            *is_prepared = false;
        }
        *session = is_neutral.then_some(reset);
        // Another one may take away what is prepared.
        let prepares = is_neutral && !*is_prepared;
        if prepares {
            queue.send(&questions.prepare()).await?;
        }
        *is_prepared = is_neutral;
        Ok(())
    }

    pub(super) async fn begin(&mut self, queue: &mut Queue<'_>, statement: &str) -> Result<(), Error> {
        self.transaction += 1;
        self.unseen = true;
        self.eye.state.begin();
        if self.eye.locked.server().version_number >= FORGETS {
            queue.send(FORGET).await?;
        }
        queue.send(statement).await
    }

    /// All statements in one message, and a single look: true if nothing that was there is locked. Otherwise nothing has happened.
    pub(super) async fn as_a_whole(&mut self) -> Result<bool, Error> {
        let Some(block) = self.subject.block() else { return Ok(false) };
        let mut queue = Queue::new(self.client());
        self.enter(&mut queue).await?;
        for message in [BEGIN, &self.subject.source().1[block.range.clone()], DEFERRED] {
            queue.send(message).await?;
        }
        let Eye { questions, is_prepared, .. } = &*self.eye;
        queue.send(&questions.at_the_end(Question::Held, *is_prepared)).await?;
        let look = Look::of(&queue.finish().await?);
        if self.eye.state.is_locked(&look) {
            self.client().batch_execute("ROLLBACK").await?;
            return Ok(false);
        }
        self.commit().await?;
        let renamed = self.eye.state.grow(&look);
        self.read_if(renamed).await?;
        Ok(true)
    }

    /// One transaction, in which each statement is looked at: the last one together with what was put off.
    pub(super) async fn by_statement(&mut self) -> Result<(), Error> {
        let client = self.client();
        self.eye.state.load(client).await?;
        let mut queue = Queue::new(client);
        self.enter(&mut queue).await?;
        self.begin(&mut queue, BEGIN).await?;
        queue.finish().await?;
        let last = self.subject.statements().len().checked_sub(1);
        self.before_the_last(last.unwrap_or(0)).await?;
        let mut queue = Queue::new(client);
        let begun = Instant::now();
        if let Some(last) = last {
            if !self.is_first_setting(last) {
                self.see().await?;
            }
            queue.send(self.subject.sql(last)).await?;
        }
        queue.send(DEFERRED).await?;
        let Eye { questions, is_prepared, .. } = &*self.eye;
        queue.send(&questions.at_the_end(Question::All, *is_prepared)).await?;
        if last.is_some() {
            queue.done().await?;
        }
        queue.done().await?;
        let took = begun.elapsed();
        let look = Look::of(&queue.finish().await?);
        let effects = self.eye.state.look(&look);
        if let Some(last) = last {
            self.add(last, took, effects);
        }
        self.commit().await?;
        let (made, renamed) = self.eye.state.end(&look);
        self.made = made;
        self.read_if(renamed).await
    }

    /// The statements before this one. Those that follow each other and seem to concern nothing that was there are looked at once, after
    /// the last of them: what a look costs grows with what is locked, and they may be thousands.
    async fn before_the_last(&mut self, last: usize) -> Result<(), Error> {
        let subject = self.subject;
        let is_new: Vec<bool> = guesses((0..last).map(|index| subject.sql(index))).collect();
        let mut index = 0;
        while index < last {
            let length = is_new[index..].iter().take_while(|is_new| **is_new).count();
            let end = index + length.max(1);
            let is_done = length > 1 && self.together(index..end).await?;
            if !is_done {
                for index in index..end {
                    self.inside(index).await?;
                }
            }
            index = end;
        }
        Ok(())
    }

    /// Several statements in the open transaction, and a single look: true if nothing is done to what was there. Otherwise nothing has
    /// happened.
    async fn together(&mut self, range: Range<usize>) -> Result<bool, Error> {
        self.see().await?;
        let client = self.client();
        let mut queue = Queue::new(client);
        queue.send("SAVEPOINT migrator_run").await?;
        for index in range.clone() {
            queue.send(self.subject.sql(index)).await?;
        }
        queue.send(&self.eye.questions.amid(self.eye.is_prepared)).await?;
        queue.done().await?;
        let mut took = Vec::new();
        for _ in range.clone() {
            let begun = Instant::now();
            queue.done().await?;
            took.push(begun.elapsed());
        }
        let look = Look::of(&queue.finish().await?);
        if !self.eye.state.is_touched(&look) {
            client.batch_execute("RELEASE SAVEPOINT migrator_run").await?;
            range.zip(took).for_each(|(index, took)| self.add(index, took, Vec::new()));
            return Ok(true);
        }
        let mut queue = Queue::new(client);
        queue.send("ROLLBACK TO SAVEPOINT migrator_run; RELEASE SAVEPOINT migrator_run").await?;
        queue.send(&counted()).await?;
        self.eye.state.count_on(&queue.finish().await?);
        Ok(false)
    }

    /// Writes the row of a migration, as `up` does: without it the next one would not be the next.
    async fn commit(&mut self) -> Result<(), Error> {
        self.client().batch_execute(&ours(&format!("{}COMMIT", self.record()))).await
    }

    pub(super) fn record(&self) -> String {
        let Subject::Migration(migration) = self.subject else { return String::new() };
        format!("{}; ", self.eye.locked.record(migration))
    }

    async fn read_if(&mut self, Renamed(renamed): Renamed) -> Result<(), Error> {
        if renamed {
            self.eye.state = State::read(self.client(), &self.eye.history).await?;
        }
        Ok(())
    }

    /// Looks for the first time in the open transaction.
    async fn see(&mut self) -> Result<(), Error> {
        let (first, forgets) = (self.unseen, self.eye.locked.server().version_number >= FORGETS);
        self.unseen = false;
        if first && !forgets {
            let mut queue = Queue::new(self.client());
            queue.send(&counted()).await?;
            self.eye.state.count_from(&queue.finish().await?);
        }
        Ok(())
    }

    /// A statement in the open transaction, which is not the last one.
    pub(super) async fn inside(&mut self, index: usize) -> Result<(), Error> {
        let mut queue = Queue::new(self.client());
        if self.is_first_setting(index) {
            let begun = Instant::now();
            queue.send(self.subject.sql(index)).await?;
            queue.finish().await?;
            self.add(index, begun.elapsed(), Vec::new());
            return Ok(());
        }
        self.see().await?;
        let begun = Instant::now();
        queue.send(self.subject.sql(index)).await?;
        queue.send(&self.eye.questions.amid(self.eye.is_prepared)).await?;
        queue.done().await?;
        let took = begun.elapsed();
        let effects = self.eye.state.look(&Look::of(&queue.finish().await?));
        self.add(index, took, effects);
        Ok(())
    }

    /// The server may refuse it after a query of the same transaction.
    fn is_first_setting(&self, index: usize) -> bool {
        self.unseen && begins_with(self.subject.sql(index), "set")
    }

    /// The line of a byte of the file: counted on from the last one that was asked for, since statements come in order.
    fn line(&mut self, at: usize) -> usize {
        let text = self.subject.source().1;
        let (from, before) = if self.counted.0 <= at { self.counted } else { (0, 1) };
        self.counted = (at, before + line(&text[from..], at - from) - 1);
        self.counted.1
    }

    pub(super) fn add(&mut self, index: usize, took: Duration, found: Vec<(Oid, Effect)>) {
        let (number, sql, transaction) = (index + 1, self.subject.sql(index), self.transaction);
        let line = self.line(self.subject.statements()[index].range.start);
        self.tables.extend(self.eye.state.tables_of(found.iter().map(|(oid, effect)| (*oid, effect))));
        let mut effects = Vec::new();
        for (oid, mut effect) in found {
            // What is read is the new file, which is empty.
            effect.scanned &= !begins_with(sql, "truncate");
            if self.eye.new.contains(&oid) {
                self.new_relations.insert(effect.relation.clone());
            }
            effects.push(effect);
        }
        let (polled, certain) = (false, Vec::new());
        self.statements.push(Statement { number, line, sql, took, transaction, polled, effects, certain });
    }
}
