//! The throwaway server on which a rewritten migration is compared with the original.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use migrator_engine::client::query;
use migrator_engine::embedded::Migration;
use migrator_engine::facts::{Difference, Facts};
use migrator_engine::operation::{DownOptions, UpOptions};
use migrator_engine::{Embedded, Error, Terminal};
use migrator_postgres::TemporaryServer;

use super::tables::{QUESTION, Table, Tables, names};
use crate::author::diff::{Reached, Set};
use crate::developer::{self, Context};
use crate::maintenance;
use crate::prove::weaker::{self, Grips, Verdict};

/// The database to which migrations are applied up to those that are compared.
const STATE: &str = "state";

/// A server that is this run's alone.
pub struct Room {
    server: TemporaryServer,
    /// The migrations that are applied to [`STATE`], by version and checksum.
    applied: Option<Vec<(i64, String)>>,
}

/// What the original migrations do from there on.
pub(super) struct Original {
    up: Facts,
    /// `None`: they cannot be rolled back.
    down: Option<Facts>,
    grips: Grips,
}

impl Room {
    /// Starts the server.
    ///
    /// # Errors
    /// It does not start.
    pub fn new() -> Result<Room> {
        let server = TemporaryServer::start().context("failed to start the server to prove the migrations on")?;
        Ok(Room { server, applied: None })
    }

    fn context(&self, embedded: &'static Embedded, database: &str) -> Result<Context, Error> {
        let context = Context::on_throwaway(&self.server, embedded, Terminal::silent())?;
        let target = context.target.with_database(database);
        Ok(context.at(target))
    }

    /// Applies the migrations of a set up to `before`, if they are not applied yet, and says what is there then.
    pub(super) fn advance(&mut self, embedded: &'static Embedded, before: i64) -> Result<Tables> {
        let context = self.context(embedded, STATE)?;
        let wanted: Vec<(i64, String)> = embedded
            .migrations
            .iter()
            .filter(|migration| migration.number <= before)
            .map(|migration| (migration.number, migration.checksum.to_string()))
            .collect();
        let is_there = self.applied.as_ref().is_some_and(|applied| wanted.starts_with(applied));
        let tables = developer::block_on(async {
            if !is_there {
                maintenance::drop(&maintenance::connect(&context, &context.target).await?, &context.target).await?;
                maintenance::create_missing(&context).await?;
            }
            if !wanted.is_empty() && self.applied.as_ref() != Some(&wanted) {
                context.connect().await?.up(&UpOptions::default().to(before)).await?;
            }
            tables(&context).await
        })?;
        self.applied = tables.is_ok().then_some(wanted);
        tables.map_err(|error: Error| {
            anyhow::anyhow!("the migrations before it fail on the throwaway server:\n{}", error.render(false))
        })
    }

    /// A copy of the state.
    fn copy(&self, embedded: &'static Embedded, name: &str) -> Result<Context, String> {
        let context = self.context(embedded, name).map_err(|error| said(&error))?;
        let copied = developer::block_on(async {
            let connection = maintenance::connect(&context, &context.target).await?;
            maintenance::drop(&connection, &context.target).await?;
            let version = connection.major() * 10_000;
            left(&connection, STATE).await?;
            maintenance::copy(&connection, &context.target.with_database(STATE), &context.target, version).await
        });
        copied.map_err(|error| error.to_string())?.map_err(|error: Error| said(&error))?;
        Ok(context)
    }

    /// Has the migrations that follow the state go up and down.
    ///
    /// # Errors
    /// What fails, in a sentence.
    pub(super) fn original(&self, embedded: &'static Embedded, before: i64) -> Result<Original, String> {
        let context = self.copy(embedded, "original")?;
        let has_down = following(embedded, before).iter().all(|migration| migration.down.is_some());
        let proved = developer::block_on(async {
            context.connect().await?.up(&UpOptions::default()).await?;
            let up = facts(&context).await?;
            if has_down {
                context.connect().await?.down(&DownOptions::default().to(before), |_| Ok(())).await?;
            }
            let down = if has_down { Some(facts(&context).await?) } else { None };
            Ok((up, down))
        });
        let (up, down) = proved
            .map_err(|error| error.to_string())?
            .map_err(|error: Error| format!("it fails as it is: {}", said(&error)))?;
        Ok(Original { up, down, grips: self.grips(embedded, before)? })
    }

    fn grips(&self, embedded: &'static Embedded, before: i64) -> Result<Grips, String> {
        let context = self.copy(embedded, "traced")?;
        let following = following(embedded, before);
        let traced = developer::block_on(async {
            let grips = weaker::trace(&context, following).await?;
            // What all databases share must be as before.
            if following.iter().all(|migration| migration.down.is_some()) {
                context.connect().await?.down(&DownOptions::default().to(before), |_| Ok(())).await?;
            }
            Ok(grips)
        });
        traced.map_err(|error| error.to_string())?.map_err(|error: Error| said(&error))
    }

    /// Whether other migrations do the same from there on, up and down; then, how they lock.
    ///
    /// # Errors
    /// Why not, in a sentence.
    pub(super) fn compare(
        &self,
        embedded: &'static Embedded,
        before: i64,
        original: &Original,
    ) -> Result<Verdict, String> {
        let context = self.copy(embedded, "rewritten")?;
        let from = original.down.as_ref().unwrap_or(&original.up);
        let proof = developer::block_on(Set::of(embedded, before).prove(&context, from, &original.up));
        let proof = proof.map_err(|error| error.to_string())?.map_err(|error| said(&error))?;
        differs("it", &proof.up)?;
        if original.down.is_some() {
            differs("its rollback", &proof.down)?;
        }
        Ok(self.grips(embedded, before)?.beside(&original.grips))
    }
}

fn differs(what: &str, reached: &Reached) -> Result<(), String> {
    match reached {
        Reached::Same(true) => Ok(()),
        Reached::Same(false) => Err(format!("{what} would leave columns in another order")),
        Reached::Other(differences) => {
            let name = |one: &Difference| format!("{} `{}`", one.kind, format!("{} {}", one.object, one.part).trim());
            let names: Vec<String> = differences.iter().map(name).collect();
            Err(format!("{what} would make another schema: {}", names.join(", ")))
        }
        Reached::Failed(error) => Err(format!("{what} would fail: {}", in_one_line(error))),
        Reached::Untried => Err(format!("{what} was not tried")),
    }
}

/// The migrations after a version.
fn following(embedded: &'static Embedded, before: i64) -> &'static [Migration] {
    let migrations: &'static [Migration] = &embedded.migrations;
    let from = migrations.partition_point(|migration| migration.number <= before);
    &migrations[from..]
}

fn said(error: &Error) -> String {
    in_one_line(&error.render(false))
}

/// What the server says, where it says something.
fn in_one_line(rendered: &str) -> String {
    let is_caret = |line: &&str| line.trim_start().starts_with("| ") && line.contains("^ ");
    let of_server = rendered.lines().find(is_caret).and_then(|line| line.split_once("^ ")).map(|(_, said)| said);
    let first = rendered.lines().next().unwrap_or_default();
    of_server.unwrap_or(first.strip_prefix("error: ").unwrap_or(first)).to_owned()
}

async fn facts(context: &Context) -> Result<Facts, Error> {
    let connection = context.migrator.open(&context.target).await?;
    let mut facts = connection.facts(&context.migrator.tables()).await?;
    facts.ignore(&[], false);
    Ok(facts)
}

async fn tables(context: &Context) -> Result<Tables, Error> {
    let connection = context.migrator.open(&context.target).await?;
    let rows = query(connection.client(), "reading the tables", QUESTION).await?;
    let mut tables = Tables::default();
    for row in &rows {
        let text = |at: usize| row.get(at).unwrap_or_default().to_owned();
        let table = Table {
            columns: names(row.get(3)),
            key: names(row.get(4)),
            required: names(row.get(5)),
            partitioned: row.get(2) == Some("t"),
        };
        tables.0.insert((text(0), text(1)), table);
    }
    Ok(tables)
}

/// Waits until the sessions in a database have ended: left to itself the server looks only ten times a second.
async fn left(connection: &migrator_engine::client::Connection, database: &str) -> Result<(), Error> {
    let statement = format!(
        "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend' AND datname = {}",
        migrator_engine::client::literal(database)
    );
    for _ in 0..500 {
        if query(connection.client(), "waiting for the sessions to end", &statement).await?.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

/// Reads a db directory as a build does.
///
/// # Errors
/// The first thing that a build would refuse.
pub(super) fn read(db: &Path) -> Result<&'static Embedded, String> {
    match migrator_build::load(db) {
        Ok(loaded) => Ok(Box::leak(Box::new(loaded.set))),
        Err(problems) => {
            let first = problems.0.first().map(ToString::to_string).unwrap_or_default();
            Err(format!("a build would refuse it: {}", first.lines().next().unwrap_or_default()))
        }
    }
}
