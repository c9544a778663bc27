//! A history, version by version: at each the differ writes the step anew, and is judged.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use migrator_postgres::TemporaryServer;
use migrator_tests::dump;
use migrator_xtask::author::diff::{Catalog, Draft, Proof, Set, alike};
use migrator_xtask::developer::Context;
use migrator_xtask::engine::client::Connection;
use migrator_xtask::engine::operation::UpOptions;
use migrator_xtask::engine::{ConnectionTarget, Embedded, Error, Terminal};

use crate::peers::Steps;
use crate::places::Places;
use crate::{History, Pair, Tries, tell, until};

/// What is needed on the way.
pub(crate) struct Walk<'a, 'p> {
    server: &'a TemporaryServer,
    context: &'a Context,
    tries: &'a mut Tries<'p>,
    history: &'a mut History,
    /// The database that goes through the history.
    name: String,
}

impl<'a, 'p> Walk<'a, 'p> {
    pub(crate) fn new(
        server: &'a TemporaryServer,
        context: &'a Context,
        tries: &'a mut Tries<'p>,
        history: &'a mut History,
    ) -> Walk<'a, 'p> {
        let name = history.of.name.replace('-', "_");
        Walk { server, context, tries, history, name }
    }

    /// Goes through the history.
    ///
    /// # Errors
    /// The server, a migration that fails.
    pub(crate) async fn go(self, set: &Embedded) -> Result<()> {
        let root = self.context.migrator.open(&self.context.target).await?;
        sql(&root, format!("CREATE DATABASE {}", self.name)).await?;
        // The schema of the history is no part of any step.
        let connection = self.context.migrator.open(&self.url(&self.name)?).await?;
        sql(&connection, format!("CREATE SCHEMA ops; {}", self.history.of.expects)).await?;
        drop(connection);
        // Also beside a table that could be another tool's.
        let first = self.on(until(set, 0), &self.name)?;
        first.connect().await?.lock(Duration::from_secs(10)).await?.create_history().await?;
        let mut known = None;
        for count in 1..=set.migrations.len() {
            let next = self.on(until(set, count), &self.name)?;
            if !self.tries.is_next() {
                next.connect().await?.up(&UpOptions::default()).await?;
                known = None;
                continue;
            }
            let before = match known.take() {
                Some(before) => before,
                None => self.read().await?,
            };
            let (copy, older) = (format!("{}_{count}", self.name), format!("{}_{count}_older", self.name));
            for database in [&copy, &older] {
                wait(&root, &self.name).await?;
                sql(&root, format!("CREATE DATABASE {database} TEMPLATE {}", self.name)).await?;
            }
            next.connect().await?.up(&UpOptions::default()).await?;
            let after = self.read().await?;
            if before.facts().without_order() == after.facts().without_order() {
                self.history.unchanged += 1;
            } else {
                let label = set.migrations[count - 1].label().to_string();
                let copies = [copy.as_str(), older.as_str()];
                let pair = self.pair(&root, label, until(set, count - 1), copies, [&before, &after]).await?;
                self.history.pairs.push(pair);
            }
            for database in [copy, older] {
                sql(&root, format!("DROP DATABASE {database} WITH (FORCE)")).await?;
            }
            known = Some(after);
        }
        Ok(())
    }

    /// Judges one step. Both copies are as the database was before it; the first one is changed.
    async fn pair(
        &self,
        root: &Connection,
        name: String,
        set: &'static Embedded,
        [copy, older]: [&str; 2],
        [before, after]: [&Catalog; 2],
    ) -> Result<Pair> {
        let begun = Instant::now();
        let draft = Draft::between(before, after, true);
        let proof = self.prove(set, copy, &draft, before, after).await;
        let took = begun.elapsed();
        let mut destroyed = Vec::new();
        let wrong = match &proof {
            Ok((proof, applied)) if proof.up.is_same() && proof.down.is_same() => {
                let show = |database: &str| dump::lines(self.server, database);
                let down = show(copy)? != show(older)?;
                applied.connect().await?.up(&UpOptions::default()).await?;
                // Both are copies of one database: what is there has the same numbers in both.
                let [before, wanted, now] =
                    [self.places(older).await?, self.places(&self.name).await?, self.places(copy).await?];
                destroyed = before.destroyed(&wanted, &now);
                down || show(copy)? != show(&self.name)?
            }
            _ => false,
        };
        let renamed = alike(before, after).iter().any(|pair| draft.losses.contains(&pair.old));
        let steps = Steps { server: self.server, context: self.context, root, databases: [older, &self.name] };
        let peers = steps.outcomes(self.tries.peers.unwrap_or_default(), [before.facts(), after.facts()]).await?;
        let proof = proof.map(|(proof, _)| proof);
        let pair = Pair { name, proof, losses: draft.losses.len(), renamed, took, wrong, destroyed, peers };
        tell(&pair, &draft);
        Ok(pair)
    }

    async fn prove(
        &self,
        set: &'static Embedded,
        copy: &str,
        draft: &Draft,
        before: &Catalog,
        after: &Catalog,
    ) -> Result<(Proof, Context), String> {
        let first = set.migrations.last().map_or(0, |migration| migration.number) + 1;
        let names: Vec<(String, String)> =
            (0..draft.files.len()).map(|place| ((first + place as i64).to_string(), "change".to_owned())).collect();
        if draft.files.is_empty() {
            return Err("nothing was found to do".to_owned());
        }
        let set = Set::new(set, &names, &draft.files, "a step of a history").map_err(|error| format!("{error:#}"))?;
        let context = self.on(set.embedded, copy).map_err(|error| error.render(false))?;
        let proof = set.prove(&context, before.facts(), after.facts()).await.map_err(|error| error.render(false))?;
        Ok((proof, context))
    }

    fn url(&self, database: &str) -> Result<ConnectionTarget, Error> {
        ConnectionTarget::read(Some(&self.server.url(database)), |_| None)
    }

    fn on(&self, set: &'static Embedded, database: &str) -> Result<Context, Error> {
        Ok(Context::on_throwaway(self.server, set, Terminal::silent())?.at(self.url(database)?))
    }

    async fn places(&self, database: &str) -> Result<Places> {
        Places::read(&self.context.migrator.open(&self.url(database)?).await?).await
    }

    async fn read(&self) -> Result<Catalog> {
        let target = self.url(&self.name)?;
        let connection = self.context.migrator.open(&target).await?;
        Catalog::read(&connection, &target, &self.context.migrator.tables(), self.server.program_directory()).await
    }
}

async fn sql(connection: &Connection, text: String) -> Result<()> {
    connection.client().batch_execute(&text).await.map_err(|error| anyhow!("{text}: {error:?}"))
}

/// The server copies no database that a session is still leaving.
pub(crate) async fn wait(root: &Connection, name: &str) -> Result<()> {
    let asked = format!("SELECT 1 FROM pg_stat_activity WHERE datname = '{name}' AND backend_type = 'client backend'");
    for _ in 0..500 {
        let rows = root.client().simple_query(&asked).await?;
        if !rows.iter().any(|message| format!("{message:?}").starts_with("Row(")) {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
