//! The schema of a database that has every migration and nothing else.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, anyhow, bail};
use migrator_engine::Terminal;
use migrator_engine::locks::LockFile;
use migrator_engine::operation::UpOptions;

use super::names::{SCHEMA, facts, locks};
use super::{text, traced};
use crate::developer::{self, Context};
use crate::maintenance;
use migrator_engine::Embedded;
use migrator_postgres::{TemporaryServer, remove_postgres_variables};

/// The database on the throwaway server. Its name is in no file.
const DATABASE: &str = "dump";

/// What belongs into the db directory.
pub(crate) struct Dump {
    /// The server's major release.
    pub(crate) major: String,
    schema: Vec<u8>,
    facts: Vec<u8>,
    /// `None`: the migrations were not looked at while they ran.
    locks: Option<Vec<u8>>,
}

impl Dump {
    /// Names in the db directory and contents.
    pub(crate) fn files(&self) -> Vec<(String, &[u8])> {
        let mut files = vec![(SCHEMA.to_owned(), &*self.schema), (facts(&self.major), &*self.facts)];
        files.extend(self.locks.as_deref().map(|text| (locks(&self.major), text)));
        files
    }
}

/// A new database on a throwaway server, with everything in it that `up` applies.
pub(crate) struct Migrated<'a> {
    server: &'a TemporaryServer,
    embedded: &'static Embedded,
    /// The facts of its schema, as a file.
    facts: String,
    /// What each migration has locked, if that was looked at.
    locks: Option<LockFile>,
}

impl Migrated<'_> {
    /// Creates the database and migrates it.
    ///
    /// # Errors
    /// A migration does not go up; the message is the engine's.
    pub(crate) fn on<'a>(server: &'a TemporaryServer, embedded: &'static Embedded) -> Result<Migrated<'a>> {
        let context = Context::on_throwaway(server, embedded, Terminal::silent())?;
        let target = context.target.with_database(DATABASE);
        let context = context.at(target);
        let migrated = developer::block_on(async {
            maintenance::create_missing(&context).await?;
            context.connect().await?.up(&UpOptions::default().refuse_empty(true)).await?;
            context.connect().await?.facts_file().await
        })?;
        let facts = migrated
            .map_err(|error| anyhow!("the migrations fail on the throwaway server:\n{}", error.render(false)))?;
        Ok(Migrated { server, embedded, facts, locks: None })
    }

    /// The same, looking at each migration while it runs, but for those that `known` begins with.
    ///
    /// # Errors
    /// A migration does not go up, or cannot be looked at: [`Migrated::on`] another server tells which.
    pub(crate) fn traced_on<'a>(
        server: &'a TemporaryServer,
        embedded: &'static Embedded,
        known: &LockFile,
    ) -> Result<Migrated<'a>> {
        let context = Context::on_throwaway(server, embedded, Terminal::silent())?;
        let target = context.target.with_database(DATABASE);
        let context = context.at(target);
        let (locks, facts) = developer::block_on(async {
            maintenance::create_missing(&context).await?;
            let locks = traced::up(&context, known).await?;
            Ok::<_, migrator_engine::Error>((locks, context.connect().await?.facts_file().await?))
        })??;
        Ok(Migrated { server, embedded, facts, locks: Some(locks) })
    }

    /// Its schema as SQL and as facts.
    ///
    /// # Errors
    /// pg_dump is missing or fails, the server is gone.
    pub(crate) fn dump(self) -> Result<Dump> {
        let schema = self.pg_dump()?;
        let facts = self.facts.into_bytes();
        let major = text::major_of_facts(&facts).context("there are no facts of a schema")?;
        let embedded = self.embedded;
        let settings = &embedded.settings;
        let versions: Vec<&str> = embedded.migrations.iter().map(|migration| &*migration.version).collect();
        let mut schema = text::clean(&schema, &major);
        schema.extend(text::versions(&settings.history_schema, &settings.history_table, &versions).into_bytes());
        let locks = self.locks.map(|locks| locks.render(&major).into_bytes());
        Ok(Dump { major, schema, facts, locks })
    }

    fn pg_dump(&self) -> Result<Vec<u8>> {
        refuse_without_pg_dump(self.server.program_directory())?;
        let mut command = client(self.server, "pg_dump", DATABASE);
        command.args(["--schema-only", "--no-owner", "--encoding=UTF8"]);
        said(&mut command, "pg_dump")
    }
}

/// A client program on a database of the server, through its private socket: no password can be seen anywhere.
fn client(server: &TemporaryServer, program: &str, database: &str) -> Command {
    let mut command = Command::new(server.program_directory().join(program));
    remove_postgres_variables(&mut command);
    command.env("PGHOST", server.socket_directory()).env("PGPORT", server.port().to_string());
    command.env("PGUSER", "postgres").env("PGDATABASE", database).arg("--no-password");
    command
}

/// Some packages bring the server without its client programs.
pub(crate) fn refuse_without_pg_dump(directory: &Path) -> Result<()> {
    if directory.join("pg_dump").exists() {
        return Ok(());
    }
    bail!(
        "there is no `pg_dump` in `{}`, where the server's programs are\nhelp: install the client programs of the same \
         release (`apt install postgresql-client`)",
        directory.display()
    );
}

/// What a program says on stdout; what it says on stderr is its error.
fn said(command: &mut Command, name: &str) -> Result<Vec<u8>> {
    let shown =
        Path::new(command.get_program()).file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("failed to run `{shown}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{name}` failed on the throwaway server ({}):\n{}", output.status, said.trim_end());
    }
    Ok(output.stdout)
}
