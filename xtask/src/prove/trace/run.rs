//! Runs a migration statement by statement, and looks after each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error as ClientError};

use super::effect::{Statement, Trace, begins_with};
use super::observe::{Moment, Oid, State};
use migrator_engine::Error;
use migrator_engine::Locked;
use migrator_engine::client::{failed, ours};
use migrator_engine::embedded::{self, Block, Migration, Script, StatementKind as Kind};
use migrator_engine::locks::Effect;
use migrator_sql::LockMode;

/// How long the eye is closed between two looks at a statement that cannot run in a transaction.
const BLINK: Duration = Duration::from_millis(2);

/// What is run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject {
    /// A migration, upwards; its row is written.
    Migration(&'static Migration),
    /// A repeatable; nothing is written about it.
    Repeatable(&'static Script),
}

impl Subject {
    /// `003_add_x`, or a repeatable's name.
    fn label(&self) -> String {
        match self {
            Subject::Migration(migration) => migration.label(),
            Subject::Repeatable(script) => script.name.to_string(),
        }
    }

    fn block(&self) -> Option<&'static Block> {
        match self {
            Subject::Migration(migration) => Some(&migration.up),
            Subject::Repeatable(_) => None,
        }
    }

    fn statements(&self) -> &'static [embedded::Statement] {
        match self {
            Subject::Migration(migration) => &migration.up.statements,
            Subject::Repeatable(script) => &script.statements,
        }
    }

    fn source(&self) -> (&'static str, &'static str) {
        match self {
            Subject::Migration(migration) => (&*migration.file, &*migration.text),
            Subject::Repeatable(script) => (&*script.file, &*script.text),
        }
    }
}

/// Runs one after the other in the session that holds the lock, which no one else disturbs.
pub(crate) struct Tracer<'a> {
    locked: &'a Locked,
    /// Looks while a statement runs.
    monitor: &'a Client,
    state: State,
    /// What production does not have yet.
    new: BTreeSet<Oid>,
}

impl<'a> Tracer<'a> {
    /// Looks what is there.
    ///
    /// # Errors
    /// A lost connection; none for a second session.
    pub(crate) async fn new(locked: &'a Locked) -> Result<Tracer<'a>, Error> {
        let state = State::read(locked.client(), Moment::Between, locked.tables()).await;
        let state = state.map_err(|error| failed("reading the existing relations", error))?;
        Ok(Tracer { locked, monitor: locked.monitor().await?, state, new: BTreeSet::new() })
    }

    /// Looks again what is there: others have changed it.
    ///
    /// # Errors
    /// A lost connection.
    pub(crate) async fn look_again(&mut self) -> Result<(), Error> {
        let new = std::mem::take(&mut self.new);
        *self = Tracer { new, ..Tracer::new(self.locked).await? };
        Ok(())
    }

    /// Runs one that production does not have: nor has it what this one makes.
    ///
    /// # Errors
    /// Same as for [`Tracer::run`].
    pub(crate) async fn run_new(&mut self, subject: Subject) -> Result<Trace, Error> {
        let before = self.state.oids();
        let trace = self.run(subject).await?;
        self.new.extend(self.state.oids().difference(&before));
        Ok(trace)
    }

    /// Runs it.
    ///
    /// # Errors
    /// The first statement that fails, in the server's words; what is open of it is rolled back.
    pub(crate) async fn run(&mut self, subject: Subject) -> Result<Trace, Error> {
        let Tracer { locked, monitor, state, new } = self;
        let new_relations = state.names(new);
        let mut run = Run { locked, monitor, subject, statements: Vec::new(), transaction: 0, unseen: false, state };
        let outcome = run.all().await;
        let statements = run.statements;
        if outcome.is_err() {
            // Nothing is lost where nothing is open.
            let _ = locked.client().batch_execute("ROLLBACK").await;
        }
        outcome.map_err(|error| failed(&format!("tracing {}", subject.label()), error))?;
        Ok(Trace { label: subject.label(), file: subject.source().0, statements, new_relations })
    }
}

struct Run<'a> {
    locked: &'a Locked,
    monitor: &'a Client,
    subject: Subject,
    statements: Vec<Statement>,
    /// The number of the transaction that runs now.
    transaction: usize,
    /// It has begun, and nothing was asked in it: what sets its characteristics must be the first in it.
    unseen: bool,
    /// What was there before, as it is now.
    state: &'a mut State,
}

impl Run<'_> {
    async fn all(&mut self) -> Result<(), ClientError> {
        let (client, tables) = (self.locked.client(), self.locked.tables());
        self.locked.put_back(self.subject.block()).await?;
        if self.subject.block().is_none_or(|block| block.options.transaction) {
            self.begin("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await?;
            for index in 0..self.subject.statements().len() {
                self.inside(index).await?;
            }
            self.see().await?;
            self.deferred().await?;
            client.batch_execute("RESET SESSION AUTHORIZATION; RESET ROLE").await?;
            self.state.end(client, tables).await?;
            let record = self.record();
            return client.batch_execute(&ours(&format!("{record}COMMIT"))).await;
        }
        self.state.lose_count();
        self.one_by_one().await?;
        let record = self.record();
        self.locked.put_back(None).await?;
        client.batch_execute(&format!("BEGIN; {}", ours(&format!("{record}COMMIT")))).await?;
        *self.state = State::read(client, Moment::Between, tables).await?;
        Ok(())
    }

    /// The row of a migration, as `up` writes it; without it the next one would not be the next.
    fn record(&self) -> String {
        let Subject::Migration(migration) = self.subject else { return String::new() };
        format!("{}; ", self.locked.record(migration))
    }

    async fn begin(&mut self, statement: &str) -> Result<(), ClientError> {
        self.transaction += 1;
        self.locked.client().batch_execute(statement).await?;
        self.unseen = true;
        Ok(())
    }

    /// Looks for the first time in the open transaction.
    async fn see(&mut self) -> Result<(), ClientError> {
        let (client, tables) = (self.locked.client(), self.locked.tables());
        match std::mem::take(&mut self.unseen) {
            true => self.state.begin(client, tables).await,
            false => Ok(()),
        }
    }

    /// A `transaction:false` block: each statement in a transaction of its own where it lets itself. What the block itself
    /// has made is not in anyone's way: it stays unknown to the end.
    async fn one_by_one(&mut self) -> Result<(), ClientError> {
        let client = self.locked.client();
        let mut open = false;
        for (index, statement) in self.subject.statements().iter().enumerate() {
            match &statement.kind {
                Kind::Begin => {
                    self.begin(self.sql(index)).await?;
                    open = true;
                }
                Kind::Commit => {
                    client.batch_execute(self.sql(index)).await?;
                    open = false;
                }
                _ if open => self.inside(index).await?,
                Kind::Set | Kind::SetTransaction => client.batch_execute(self.sql(index)).await?,
                // Not even tried in a transaction: a failed try would be in the server's log and in no one's interest.
                kind if is_concurrent(kind) => self.outside(index).await?,
                _ => {
                    self.begin("BEGIN").await?;
                    match self.inside(index).await {
                        Ok(()) => client.batch_execute("COMMIT").await?,
                        Err(error) if wants_no_transaction(&error) => {
                            client.batch_execute("ROLLBACK").await?;
                            self.outside(index).await?;
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(())
    }

    /// A statement in the open transaction.
    async fn inside(&mut self, index: usize) -> Result<(), ClientError> {
        let client = self.locked.client();
        if self.unseen && self.begins_with(index, "set") {
            let begun = Instant::now();
            client.batch_execute(self.sql(index)).await?;
            self.add(index, begun.elapsed(), Vec::new());
            return Ok(());
        }
        self.see().await?;
        let begun = Instant::now();
        client.batch_execute(self.sql(index)).await?;
        let took = begun.elapsed();
        let mut effects = self.state.look(client).await?;
        if self.begins_with(index, "truncate") {
            // What is read is the new file, which is empty.
            effects.iter_mut().for_each(|effect| effect.scanned = false);
        }
        self.add(index, took, effects);
        Ok(())
    }

    /// What was put off to the end of the transaction happens before it: it belongs to the last statement.
    async fn deferred(&mut self) -> Result<(), ClientError> {
        let client = self.locked.client();
        let begun = Instant::now();
        client.batch_execute("SET CONSTRAINTS ALL IMMEDIATE").await?;
        let took = begun.elapsed();
        let effects = self.state.look(client).await?;
        if let Some(last) = self.statements.last_mut().filter(|_| !effects.is_empty()) {
            last.took += took;
            last.effects.extend(effects);
        }
        Ok(())
    }

    /// A statement that cannot run in a transaction: a second session looks while it runs.
    async fn outside(&mut self, index: usize) -> Result<(), ClientError> {
        let (client, tables) = (self.locked.client(), self.locked.tables());
        let before = State::read(client, Moment::Between, tables).await?.only(self.state);
        let kind = &self.subject.statements()[index].kind;
        let mut known = known(kind, client).await?;
        known.retain(|(relation, ..)| before.has(relation));
        let mut seen = BTreeMap::new();
        let begun = Instant::now();
        let running = client.batch_execute(self.sql(index));
        tokio::pin!(running);
        let outcome = loop {
            let look = async {
                let looked = before.watch(self.monitor, self.locked.server().backend_pid, &mut seen).await;
                tokio::time::sleep(BLINK).await;
                looked
            };
            tokio::select! {
                biased;
                outcome = &mut running => break outcome,
                looked = look => looked?,
            }
        };
        outcome?;
        let took = begun.elapsed();
        let now = State::read(client, Moment::Between, tables).await?;
        let outcome = |seen| with_known(&before, before.effects_seen(&now, seen, is_concurrent(kind)), &known);
        let (effects, certain) = (outcome(&seen), outcome(&BTreeMap::new()));
        *self.state = now.only(self.state);
        self.transaction += 1;
        self.add(index, took, effects);
        if let Some(statement) = self.statements.last_mut() {
            (statement.polled, statement.certain) = (true, certain);
        }
        Ok(())
    }

    fn begins_with(&self, index: usize, word: &str) -> bool {
        begins_with(self.sql(index), word)
    }

    fn sql(&self, index: usize) -> &'static str {
        &self.subject.source().1[self.subject.statements()[index].range.clone()]
    }

    fn add(&mut self, index: usize, took: Duration, effects: Vec<Effect>) {
        let start = self.subject.statements()[index].range.start;
        let line = self.subject.source().1[..start].matches('\n').count() + 1;
        let (number, sql, transaction) = (index + 1, self.sql(index), self.transaction);
        let (polled, certain) = (false, Vec::new());
        self.statements.push(Statement { number, line, sql, took, transaction, polled, effects, certain });
    }
}

/// What was seen, and what is known of such a statement.
fn with_known(before: &State, mut effects: Vec<Effect>, known: &[(String, LockMode, bool)]) -> Vec<Effect> {
    for (relation, mode, scanned) in known {
        match effects.iter_mut().find(|effect| effect.relation == *relation) {
            Some(effect) => {
                effect.lock = effect.lock.max(*mode);
                effect.scanned |= scanned;
            }
            None => {
                let mut effect = Effect::lock(relation.clone(), *mode);
                (effect.index, effect.scanned) = (before.has_index(relation), *scanned);
                effects.push(effect);
            }
        }
    }
    // What was seen first is chance.
    effects.sort_by(|a, b| a.relation.cmp(&b.relation));
    effects
}

/// It waits for others without holding them up, and cannot run in a transaction.
fn is_concurrent(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::CreateIndexConcurrently { .. }
            | Kind::DropIndexConcurrently { .. }
            | Kind::ReindexConcurrently { .. }
            | Kind::DetachConcurrently { .. }
            | Kind::Concurrently
    )
}

/// VACUUM and the like; a procedure that commits.
fn wants_no_transaction(error: &ClientError) -> bool {
    let refusals = [SqlState::ACTIVE_SQL_TRANSACTION, SqlState::INVALID_TRANSACTION_TERMINATION];
    error.code().is_some_and(|code| refusals.contains(code))
}

/// A name as it is written in a statement.
enum Named {
    Relation(&'static str),
    TableOfIndex(&'static str),
}

/// What is known to be locked, how, and whether it is read as a whole: on an empty table the eye is too slow for it.
fn known_of(kind: &'static Kind) -> Vec<(Named, LockMode, bool)> {
    use embedded::ReindexObject as Object;
    let weak = LockMode::ShareUpdateExclusive;
    match kind {
        Kind::CreateIndexConcurrently { table, .. } => vec![(Named::Relation(table), weak, true)],
        Kind::DropIndexConcurrently { index } => vec![(Named::TableOfIndex(index), weak, false)],
        Kind::ReindexConcurrently { object: Object::Index, name } => {
            vec![(Named::TableOfIndex(name), weak, true), (Named::Relation(name), weak, false)]
        }
        Kind::ReindexConcurrently { object: Object::Table, name } => vec![(Named::Relation(name), weak, true)],
        Kind::ReindexConcurrently { .. } => Vec::new(),
        // The partition at the very end, when no one uses it through its parent any more.
        Kind::DetachConcurrently { table, partition } => {
            vec![(Named::Relation(table), weak, false), (Named::Relation(partition), LockMode::AccessExclusive, false)]
        }
        _ => Vec::new(),
    }
}

async fn known(
    kind: &'static Kind,
    client: &tokio_postgres::Client,
) -> Result<Vec<(String, LockMode, bool)>, ClientError> {
    let mut known = Vec::new();
    for (named, mode, scanned) in known_of(kind) {
        let relation = match named {
            Named::Relation(name) => State::name_of(client, name).await?,
            Named::TableOfIndex(index) => State::table_of(client, index).await?,
        };
        known.push((relation, mode, scanned));
    }
    Ok(known)
}
