//! `init --baseline`: the schema of a database as the first migration, proved on a throwaway server.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};
use migrator_engine::client::{identifier, said};
use migrator_engine::facts::{Facts, report};
use migrator_engine::operation::{StampOptions, UpOptions};
use migrator_engine::{Color, ConnectionTarget, Embedded, Exit, Terminal};
use migrator_postgres::{Installation, TemporaryServer};

use super::plan::Plan;
use crate::author::baseline::order::{Ordered, order};
use crate::author::baseline::statements::{self, Migration, Statements};
use crate::author::baseline::survey::Survey;
use crate::author::baseline::{proof, source};
use crate::developer::{self, Context};
use crate::maintenance;
use crate::output::{self, Usage};
use crate::workspace::Workspace;

/// The version of the baseline.
pub(super) const VERSION: &str = "001";

/// Its name.
pub(super) const NAME: &str = "001_init";

/// Its file, from the root.
pub(super) const FILE: &str = "db/migrations/001_init.sql";

/// A migration that makes the schema of the source.
pub(super) struct Baseline {
    /// The file.
    pub(super) text: String,
    /// What the reader has to know of it.
    pub(super) notes: Vec<String>,
    target: ConnectionTarget,
}

/// Makes the migration and proves it. Reads the source, writes nothing but on a throwaway server. `None`: the schemas differ, in what
/// has been said.
///
/// # Errors
/// No connection, a role that may not read everything, a release that is not installed, statements that a new server does not take.
pub(super) fn make(url: &str, plan: &Plan) -> Result<Option<Baseline>> {
    let mut others = plan.lists("db/migrations")?;
    others.retain(|name| name.ends_with(".sql") && Path::new(FILE).file_name() != Some(name.as_ref()));
    if let Some(other) = others.first() {
        let message = format!("a baseline is the first migration, and db/migrations has `{other}` already");
        bail!(Usage(format!("{message}\nhelp: `migrator stamp` records migrations as applied without running them")));
    }
    let installation = Installation::find()?;
    let scratch = Scratch::new(plan)?;
    let target = ConnectionTarget::read(Some(url), |name| std::env::var(name).ok())?;
    let context = Context::new(scratch.load()?, Terminal::silent(), target.clone(), None);
    let source = Source::read(&context)?;
    source.refuse_unreadable(&target)?;
    source::refuse_newer(&installation, source.major)?;
    let dump = source::dump(&target, &installation.directory, source.major, &source.survey.histories, false)?;
    let schema = identifier(&context.migrator.tables().schema);
    let read = statements::read(&dump, &source.survey.commented, &schema);
    let server = TemporaryServer::start().context("failed to start the server to prove the baseline on")?;
    let copy = Copy::new(&server, &context, &source.survey.owner)?;
    let (text, mut notes) = copy.write(&scratch, &source, &read)?;
    let made = copy.migrate(&scratch)?;
    let expected = match source.major == copy.major {
        true => source.facts,
        false => {
            notes.push(format!(
                "compared with the dump as it is, on PostgreSQL {}: the source is PostgreSQL {}",
                copy.major, source.major
            ));
            copy.restore(&dump)?
        }
    };
    let (expected, made) = (proof::comparable(expected, &source.survey.histories), proof::comparable(made, &[]));
    for facts in [&expected, &made] {
        facts.clone().refuse_unknown(&[])?;
    }
    let (differences, excused) = proof::compare(&expected, &made);
    notes.extend(excused);
    if differences.is_empty() {
        return Ok(Some(Baseline { text, notes, target }));
    }
    notes.iter().for_each(output::note);
    output::rendered(format!("{}\n", report(&differences)));
    output::note(format!(
        "error: what pg_dump writes of `{target}` makes another schema on a throwaway server; nothing was written\n\
         help: change the source so that a copy of it is the same, and run this again"
    ));
    Ok(None)
}

impl Baseline {
    /// Where the schema comes from.
    pub(super) fn target(&self) -> &ConnectionTarget {
        &self.target
    }

    /// Records the migration as applied in the source.
    ///
    /// # Errors
    /// The db directory has errors; those of the source are printed, and give the exit code.
    pub(super) fn stamp(self, root: &Path) -> Result<ExitCode> {
        let workspace = Workspace::around(root)?;
        let embedded = load(&workspace.db())?;
        let terminal = Terminal::new(false, false, Color::Auto);
        let mut context = Context::new(embedded, terminal, self.target, std::env::var("MIGRATOR_ENV").ok());
        context.changes = true;
        let context = context.release(workspace.release()?);
        let number: i64 = VERSION.parse().context("the version is not a number")?;
        Ok(developer::run(context, async |context| {
            let report = context.connect().await?.stamp(&StampOptions::default().to(number)).await?;
            output::result(match report.stamped.is_empty() {
                true => "nothing to stamp".to_owned(),
                false => format!("stamped {NAME} without running it"),
            });
            Ok(Exit::Done)
        }))
    }
}

/// A db directory of its own, with the settings of the workspace.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new(plan: &Plan) -> Result<Scratch> {
        let scratch = Scratch(tempfile::tempdir().context("failed to create a temporary directory")?);
        let settings = plan.text("db/migrator.toml")?.unwrap_or_default();
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(scratch.0.path().join("db/migrations"))?;
            fs::write(scratch.0.path().join("db/migrator.toml"), settings)
        };
        write().context("failed to write into a temporary directory")?;
        Ok(scratch)
    }

    fn load(&self) -> Result<&'static Embedded> {
        load(&self.0.path().join("db"))
    }

    /// Writes the migration; true: our parser takes it.
    fn write(&self, text: &str) -> Result<bool> {
        fs::write(self.0.path().join(FILE), text).context("failed to write into a temporary directory")?;
        let problems = migrator_build::load(&self.0.path().join("db")).err();
        Ok(problems.is_none_or(|problems| problems.0.iter().all(|problem| problem.code.as_str() != "M020")))
    }
}

fn load(db: &Path) -> Result<&'static Embedded> {
    let loaded = migrator_build::load(db).map_err(|problems| anyhow!("the db directory has errors\n{problems}"))?;
    Ok(Box::leak(Box::new(loaded.set)))
}

/// The database that the schema comes from.
struct Source {
    major: i32,
    user: String,
    survey: Survey,
    facts: Facts,
}

impl Source {
    fn read(context: &Context) -> Result<Source> {
        let tables = context.migrator.tables();
        let read = developer::block_on(async {
            let connection = context.migrator.open(&context.target).await?;
            let survey = Survey::of(&connection, &tables).await?;
            let user = maintenance::user(&connection).await?;
            Ok::<_, migrator_engine::Error>(Source {
                major: connection.major(),
                user,
                facts: connection.facts(&tables).await?,
                survey,
            })
        })?;
        Ok(read?)
    }

    fn refuse_unreadable(&self, target: &ConnectionTarget) -> Result<()> {
        let unreadable = &self.survey.unreadable;
        if unreadable.is_empty() {
            return Ok(());
        }
        bail!(
            "`{}` may not read everything in `{target}`, and a schema without these tables is not the same: {}\n\
             help: connect as the owner of the tables, or run `GRANT pg_read_all_data TO {}`",
            self.user,
            unreadable.join(", "),
            identifier(&self.user)
        );
    }
}

/// The throwaway server, on which the schema is built by a role that is called like the owner of the source.
struct Copy<'a> {
    context: Context,
    server: &'a TemporaryServer,
    owner: &'a str,
    major: i32,
}

impl<'a> Copy<'a> {
    fn new(server: &'a TemporaryServer, source: &Context, owner: &'a str) -> Result<Copy<'a>> {
        let context = source.on(server)?;
        let major = developer::block_on(async {
            let connection = maintenance::connect(&context, &context.target).await?;
            let role = format!("CREATE ROLE {} SUPERUSER LOGIN", identifier(owner));
            // The one that every server has is there.
            let _ = connection.client().batch_execute(&role).await;
            Ok::<_, migrator_engine::Error>(connection.major())
        })??;
        Ok(Copy { context, server, owner, major })
    }

    /// A new database, by its owner.
    async fn database(&self, name: &str) -> Result<Context> {
        let connection = maintenance::connect(&self.context, &self.context.target).await?;
        let create = format!("CREATE DATABASE {} OWNER {}", identifier(name), identifier(self.owner));
        connection.client().batch_execute(&create).await.map_err(|error| anyhow!("{create}: {}", said(&error)))?;
        let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
        let (socket, owner) = (self.server.socket_directory(), quoted(self.owner));
        let socket = quoted(&socket.to_string_lossy());
        let target = format!("host={socket} port={} user={owner} dbname={}", self.server.port(), quoted(name));
        Ok(self.context.at(ConnectionTarget::read(Some(&target), |_| None)?))
    }

    /// The migration, in an order that the server takes, and what there is to say of it.
    fn write(&self, scratch: &Scratch, source: &Source, read: &Statements) -> Result<(String, Vec<String>)> {
        let mut notes: Vec<String> = source
            .survey
            .histories
            .iter()
            .filter_map(|relation| {
                Some(format!("not in the migration: `{}`, the history of {}", relation.shown, relation.tool?))
            })
            .collect();
        notes.extend(
            read.without_options
                .iter()
                .map(|statement| format!("`{statement}` lost its options, which may hold a password")),
        );
        let named = |role: &&String| read.all.iter().any(|statement| statement.contains(role.as_str()));
        let roles: Vec<String> = source.survey.roles.iter().filter(named).cloned().collect();
        if !roles.is_empty() {
            notes.push(format!("`{FILE}` creates these roles where they are missing: {}", roles.join(", ")));
        }
        let mut statements: Vec<String> =
            Some(statements::roles(&roles)).filter(|text| !text.is_empty()).into_iter().collect();
        statements.extend(read.all.iter().cloned());
        let Ordered { statements, unchecked } = developer::block_on(async {
            let context = self.database("ordered").await?;
            let connection = context.migrator.open(&context.target).await?;
            order(connection.client(), statements).await
        })?
        .map_err(|error| anyhow!("a new PostgreSQL {} does not take the schema:\n{error}\nhelp: install the extensions that the source has, or change what only the source accepts", self.major))?;
        let mut migration = Migration {
            purpose: "the schema as it was before its first migration, from pg_dump",
            no_rollback: "before it there was no history",
            statements: &statements,
            unchecked_bodies: unchecked,
            unchecked_syntax: false,
        };
        migration.unchecked_syntax = !scratch.write(&migration.text())?;
        if migration.unchecked_syntax {
            scratch.write(&migration.text())?;
            notes.push(format!("`{FILE}` has `-- migrate:unchecked`: our parser does not know all of it"));
        }
        if unchecked {
            notes.push(format!("`{FILE}` switches off `check_function_bodies`: functions name what comes after them"));
        }
        Ok((migration.text(), notes))
    }

    /// The facts of a database that the migration has made.
    fn migrate(&self, scratch: &Scratch) -> Result<Facts> {
        let embedded = scratch.load()?;
        let made = developer::block_on(async {
            let Context { target, .. } = self.database("made").await?;
            let context = Context::new(embedded, Terminal::silent(), target, None);
            context.connect().await?.up(&UpOptions::default()).await?;
            Ok::<_, anyhow::Error>(context.connect().await?.facts().await?)
        })?;
        made.context("the baseline does not go up on a throwaway server")
    }

    /// The facts of a database that the dump has made.
    fn restore(&self, dump: &str) -> Result<Facts> {
        developer::block_on(async {
            let context = self.database("restored").await?;
            let connection = context.migrator.open(&context.target).await?;
            let loaded = connection.client().batch_execute(dump).await;
            loaded.map_err(|error| anyhow!("the dump cannot be restored on a throwaway server: {}", said(&error)))?;
            drop(connection);
            // The dump has changed the settings of that session.
            let connection = context.migrator.open(&context.target).await?;
            Ok(connection.facts(&context.migrator.tables()).await?)
        })?
    }
}
