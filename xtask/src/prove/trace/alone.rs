//! Runs a `transaction:false` block, and looks from a second session at what runs in no transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tokio_postgres::Error;

use super::outside::{is_concurrent, known, only_table, wants_no_transaction, with_known};
use super::question::Oid;
use super::queue::Queue;
use super::run::Run;
use super::state::State;
use migrator_engine::client::ours;
use migrator_engine::embedded::StatementKind as Kind;

/// How long the eye is closed between two looks at a statement that cannot run in a transaction.
const BLINK: Duration = Duration::from_millis(2);

impl Run<'_, '_> {
    /// A `transaction:false` block: each statement in a transaction of its own where it lets itself. What the block itself
    /// has made is not in anyone's way: it stays unknown to the end.
    pub(super) async fn without_transaction(&mut self) -> Result<(), Error> {
        let (client, locked) = (self.client(), self.eye.locked);
        self.eye.state.load(client).await?;
        self.new_relations = self.eye.state.names(&self.eye.new);
        let before = self.eye.state.oids();
        (self.eye.session, self.eye.is_prepared) = (None, false);
        locked.put_back(self.subject.block()).await?;
        let changed = self.one_by_one().await?;
        locked.put_back(None).await?;
        client.batch_execute(&format!("BEGIN; {}", ours(&format!("{}COMMIT", self.record())))).await?;
        self.eye.state = self.now(changed.as_ref()).await?;
        self.made = self.eye.state.oids().difference(&before).copied().collect();
        Ok(())
    }

    /// What is there. `changed`: the tables that may have changed since it was read; `None`: anything may have.
    async fn now(&self, changed: Option<&BTreeSet<Oid>>) -> Result<State, Error> {
        let Some(changed) = changed else { return State::read(self.client(), &self.eye.history).await };
        let mut state = self.eye.state.clone();
        state.refresh(self.client(), changed).await?;
        Ok(state)
    }

    /// Returns the tables that may have changed; `None`: anything may have.
    async fn one_by_one(&mut self) -> Result<Option<BTreeSet<Oid>>, Error> {
        let client = self.client();
        let mut open = false;
        let mut changed = Some(BTreeSet::new());
        for (index, statement) in self.subject.statements().iter().enumerate() {
            let table = if open { None } else { only_table(&statement.kind, client).await? };
            changed = changed.zip(table).map(|(mut changed, table)| {
                changed.insert(table);
                changed
            });
            match &statement.kind {
                Kind::Begin => {
                    self.begin_alone(self.subject.sql(index)).await?;
                    open = true;
                }
                Kind::Commit => {
                    client.batch_execute(self.subject.sql(index)).await?;
                    open = false;
                }
                _ if open => self.inside(index).await?,
                Kind::Set | Kind::SetTransaction => client.batch_execute(self.subject.sql(index)).await?,
                // Not even tried in a transaction: a failed try would be in the server's log and in no one's interest.
                kind if is_concurrent(kind) => self.outside(index, table).await?,
                _ => {
                    self.begin_alone("BEGIN").await?;
                    match self.inside(index).await {
                        Ok(()) => client.batch_execute("COMMIT").await?,
                        Err(error) if wants_no_transaction(&error) => {
                            client.batch_execute("ROLLBACK").await?;
                            self.outside(index, None).await?;
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(changed)
    }

    async fn begin_alone(&mut self, statement: &str) -> Result<(), Error> {
        let mut queue = Queue::new(self.client());
        self.begin(&mut queue, statement).await?;
        queue.finish().await?;
        Ok(())
    }

    /// A statement that cannot run in a transaction: a second session looks while it runs. `table`: all that it changes, if that is known.
    async fn outside(&mut self, index: usize, table: Option<Oid>) -> Result<(), Error> {
        let client = self.client();
        let changed = table.map(|table| BTreeSet::from([table]));
        self.eye.state.begin();
        let before = self.now(changed.as_ref()).await?.only(&self.eye.state);
        let kind = &self.subject.statements()[index].kind;
        let mut known = known(kind, client).await?;
        known.retain(|(relation, ..)| before.has(relation));
        let mut seen = BTreeMap::new();
        let begun = Instant::now();
        let running = client.batch_execute(self.subject.sql(index));
        tokio::pin!(running);
        let outcome = loop {
            let look = async {
                let pid = self.eye.locked.server().backend_pid;
                let looked = before.watch(self.eye.monitor, pid, &mut seen).await;
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
        let now = self.now(changed.as_ref()).await?;
        let outcome = |seen| with_known(&before, before.effects_seen(&now, seen, is_concurrent(kind)), &known);
        let (effects, certain) = (outcome(&seen), outcome(&BTreeMap::new()));
        self.tables.extend(before.tables_of(effects.iter().map(|effect| (0, effect))));
        self.eye.state = now.only(&self.eye.state);
        self.transaction += 1;
        self.add(index, took, effects.into_iter().map(|effect| (0, effect)).collect());
        if let Some(statement) = self.statements.last_mut() {
            (statement.polled, statement.certain) = (true, certain);
        }
        Ok(())
    }
}
