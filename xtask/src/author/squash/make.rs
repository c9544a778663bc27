//! The schemas: as the migrations make it, and as the new files do.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use migrator_engine::client::{literal, query};
use migrator_engine::facts::Facts;
use migrator_engine::operation::UpOptions;
use migrator_engine::{Embedded, Error, Terminal};
use migrator_postgres::TemporaryServer;

use super::part::Part;
use super::roles::{Roles, roles};
use crate::author::baseline::order::{Ordered, order};
use crate::author::baseline::source;
use crate::author::baseline::statements::{self, Statements};
use crate::author::baseline::survey::Survey;
use crate::developer::{self, Context};
use crate::maintenance;
use crate::prove::dump::refuse_without_pg_dump;
use crate::prove::scratch::shared::Snapshot;

/// The database in which both are made: what is said of it by name is the same.
const DATABASE: &str = "squash";

/// The names of tables that may hold rows, without those of extensions.
const TABLES: &str = include_str!("rows.sql");

/// What is there at the end.
pub(super) struct End {
    pub(super) facts: Facts,
    /// What all databases share: kind, key, and the SQL that makes it.
    pub(super) shared: Vec<(String, String, String)>,
}

/// What the migrations make that are there.
pub(super) struct Original {
    /// Tables that hold rows at the version of the baseline.
    pub(super) rows: Vec<(String, i64)>,
    /// With everything after it.
    pub(super) end: End,
    /// What makes the schema at that version.
    dump: Statements,
    roles: Roles,
}

impl Original {
    /// Makes it.
    ///
    /// # Errors
    /// A migration does not go up; pg_dump is missing or fails.
    pub(super) fn of(server: &TemporaryServer, part: &Part) -> Result<Original> {
        let programs = server.program_directory();
        refuse_without_pg_dump(programs)?;
        let only = leak(part.embedded.clone().with_repeatables(Vec::new().into()), part.migrations);
        let there = context(server, only)?;
        let before = developer::block_on(up_from_nothing(&there))?.map_err(failed)?;
        let (rows, shared, dump) = developer::block_on(at_version(&there, &before, programs))??;
        let all = Context { migrator: context(server, part.embedded)?.migrator, ..there };
        let up = async {
            all.connect().await?.up(&UpOptions::default()).await?;
            end(&all, &before).await
        };
        let end = developer::block_on(up)?.map_err(failed)?;
        Ok(Original { rows, end, dump, roles: roles(&shared) })
    }

    /// The statements of the baseline, in an order that a server takes.
    ///
    /// # Errors
    /// A statement that it does not take at all.
    pub(super) fn statements(&self, server: &TemporaryServer) -> Result<Ordered> {
        let none = leak(Embedded::new("".into()), &[]);
        let there = context(server, none)?;
        let target = there.target.with_database("ordered");
        let there = there.at(target);
        let all = [&self.roles.before[..], &self.dump.all, &self.roles.after].concat();
        developer::block_on(async {
            maintenance::create_missing(&there).await?;
            let connection = there.migrator.open(&there.target).await?;
            order(connection.client(), all).await
        })?
        .context("a new server does not take the schema as pg_dump writes it")
    }
}

impl End {
    /// Applies everything on a new server. `what` failed, where it does.
    ///
    /// # Errors
    /// What fails, with its place.
    pub(super) fn of(server: &TemporaryServer, embedded: &'static Embedded, what: &str) -> Result<End> {
        let there = context(server, embedded)?;
        let made = developer::block_on(async {
            let before = up_from_nothing(&there).await?;
            end(&there, &before).await
        })?;
        made.map_err(|error| anyhow!("{what}:\n{}", error.render(false)))
    }
}

fn failed(error: Error) -> anyhow::Error {
    anyhow!("the migrations fail on the throwaway server:\n{}", error.render(false))
}

/// The set with these migrations and none that are squashed; it lives until the process ends, as a compiled one does.
fn leak(set: Embedded, migrations: &[migrator_engine::embedded::Migration]) -> &'static Embedded {
    Box::leak(Box::new(set.with_migrations(migrations.to_vec().into()).with_squashed(Vec::new().into())))
}

fn context(server: &TemporaryServer, embedded: &'static Embedded) -> Result<Context, Error> {
    let context = Context::on_throwaway(server, embedded, Terminal::silent())?;
    let target = context.target.with_database(DATABASE);
    Ok(context.at(target))
}

/// Returns what all databases share before it begins.
async fn up_from_nothing(context: &Context) -> Result<Snapshot, Error> {
    maintenance::create_missing(context).await?;
    let before = Snapshot::read(context.migrator.open(&context.target).await?.client()).await?;
    context.connect().await?.up(&UpOptions::default()).await?;
    Ok(before)
}

async fn end(context: &Context, before: &Snapshot) -> Result<End, Error> {
    let connection = context.migrator.open(&context.target).await?;
    let facts = connection.facts(&context.migrator.tables()).await?;
    facts.clone().refuse_unknown(&[])?;
    Ok(End { facts, shared: Snapshot::read(connection.client()).await?.since(before) })
}

const DOING: &str = "looking for tables with rows";

type AtVersion = (Vec<(String, i64)>, Vec<(String, String, String)>, Statements);

/// What is there at the version of the baseline.
async fn at_version(context: &Context, before: &Snapshot, programs: &Path) -> Result<AtVersion> {
    let tables = context.migrator.tables();
    let connection = context.migrator.open(&context.target).await?;
    let survey = Survey::of(&connection, &tables).await?;
    let shared = Snapshot::read(connection.client()).await?.since(before);
    let mut rows = Vec::new();
    for row in query(connection.client(), DOING, TABLES).await? {
        let name = row.get("name").unwrap_or_default().to_owned();
        let question = format!("SELECT count(*) FROM ONLY {name}");
        let counted = query(connection.client(), DOING, &question).await?;
        let number = counted.first().and_then(|row| row.get(0)?.parse().ok()).unwrap_or(0);
        if number > 0 && !survey.histories.iter().any(|history| history.shown == name) {
            rows.push((name, number));
        }
    }
    let dump = source::dump(&context.target, programs, connection.major(), &survey.histories, true)?;
    // As pg_dump writes them: quoted only where that is needed.
    let names = format!("SELECT quote_ident({}) AS schema, quote_ident(session_user) AS own", literal(&tables.schema));
    let names = query(connection.client(), "asking for names", &names).await?;
    let name = |column: &str| names.first().and_then(|row| row.get(column)).unwrap_or_default().to_owned();
    let mut dump = statements::read(&dump, &survey.commented, &name("schema"));
    // The role that applies the migrations owns what they make.
    let own = format!(" OWNER TO {};", name("own"));
    dump.all.retain(|statement| !(statement.starts_with("ALTER ") && statement.ends_with(&own)));
    Ok((rows, shared, dump))
}
