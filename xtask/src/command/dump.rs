//! `cargo xtask dump`.

mod text;

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use migrator_build::set::Set;

use super::migrate;
use crate::output;
use crate::postgres::{TemporaryServer, remove_postgres_variables};
use crate::workspace::Workspace;

/// The database on the throw-away server. Its name is in no file.
const DATABASE: &str = "dump";

/// Where the schema is kept, below the db directory.
pub(crate) const SCHEMA: &str = "schema.sql";

/// Arguments of `dump`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "db/schema.sql is what pg_dump says of a database with every migration, without what differs from \
                  machine to machine; db/schema.facts.<major> is what `migrator drift` compares with. Both come from \
                  a throw-away server, never from a database in use.\n\n\
                  Example: cargo xtask dump\n\
                  Example: cargo xtask dump --check"
)]
pub struct Args {
    /// Write nothing; exit code 1 if a file is not what the migrations give
    #[arg(long)]
    pub(crate) check: bool,
}

/// What belongs into the db directory.
struct Dump {
    /// The server's major release.
    major: String,
    schema: Vec<u8>,
    facts: Vec<u8>,
}

impl Dump {
    /// Names in the db directory and contents.
    fn files(&self) -> [(String, &[u8]); 2] {
        [(SCHEMA.to_owned(), &self.schema), (format!("schema.facts.{}", self.major), &self.facts)]
    }
}

/// Builds, migrates a new database, writes or compares.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let Some(executable) = migrate::build(&workspace)? else { return Ok(ExitCode::from(output::FAILED)) };
    let set = match migrator_build::load(&workspace.db()) {
        Ok(loaded) => loaded.set,
        Err(problems) => bail!("the db directory has errors that the build did not see\n{problems}"),
    };
    let dump = dump(&executable, &set)?;
    if args.check { check(&workspace.db(), &dump) } else { write(&workspace.db(), &dump) }
}

fn dump(executable: &Path, set: &Set) -> Result<Dump> {
    let server = TemporaryServer::start()?;
    let migrator = |arguments: &[&str]| {
        let mut command = migrate::on_throw_away(executable, &server.tcp_url(DATABASE));
        command.args(arguments);
        command.env(migrate::DATA_DIRECTORY, server.data_directory());
        said(&mut command, &arguments.join(" "))
    };
    migrator(&["create", "--if-missing"])?;
    migrator(&["up", "--quiet"])?;
    let facts = migrator(&["drift", "--facts"])?;
    let major = text::major_of_facts(&facts).context("the migrator gave no facts of a schema")?;
    let settings = &set.settings;
    let versions: Vec<&str> = set.migrations.iter().map(|migration| migration.version.as_str()).collect();
    let mut schema = text::clean(&pg_dump(&server)?, &major);
    schema.extend(text::versions(&settings.history_schema, &settings.history_table, &versions).into_bytes());
    Ok(Dump { major, schema, facts })
}

/// The server trusts whoever reaches it: there is no password that could be seen anywhere.
fn pg_dump(server: &TemporaryServer) -> Result<Vec<u8>> {
    let program = server.program_directory().join("pg_dump");
    if !program.exists() {
        bail!(
            "there is no pg_dump beside the server's programs in `{}`\nhelp: install PostgreSQL's client programs of \
             the same release (`apt install postgresql-client`)",
            server.program_directory().display()
        );
    }
    let mut command = Command::new(program);
    remove_postgres_variables(&mut command);
    command.args(["--schema-only", "--no-owner", "--encoding=UTF8", "--no-password"]);
    command.env("PGHOST", "127.0.0.1").env("PGPORT", server.port().to_string());
    command.env("PGUSER", "postgres").env("PGDATABASE", DATABASE);
    said(&mut command, "pg_dump")
}

/// What a program says on stdout; what it says on stderr is its error.
fn said(command: &mut Command, name: &str) -> Result<Vec<u8>> {
    let shown =
        Path::new(command.get_program()).file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("failed to run `{shown}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{name}` failed on the throw-away server ({}):\n{}", output.status, said.trim_end());
    }
    Ok(output.stdout)
}

fn write(db: &Path, dump: &Dump) -> Result<ExitCode> {
    let mut changed = false;
    for (name, new) in dump.files() {
        if read(&db.join(&name))?.as_deref() == Some(new) {
            continue;
        }
        fs::write(db.join(&name), new).with_context(|| format!("failed to write `db/{name}`"))?;
        output::result(format!("db/{name}"));
        changed = true;
    }
    if !changed {
        output::note("db/schema.sql and the facts are up to date");
    }
    for name in of_other_releases(db, dump)? {
        output::note(format!("db/{name} is of another release of PostgreSQL: write it anew where that is installed"));
    }
    Ok(ExitCode::SUCCESS)
}

fn check(db: &Path, dump: &Dump) -> Result<ExitCode> {
    let others = of_other_releases(db, dump)?;
    let (mut stale, mut checked) = (false, false);
    for (name, new) in dump.files() {
        let old = read(&db.join(&name))?;
        // Another release writes views, and sometimes more, in other words: that says nothing about the migrations.
        let of_other = match &old {
            Some(old) if name == SCHEMA => text::major_of_schema(old).is_some_and(|major| major != dump.major),
            Some(_) => false,
            None => name != SCHEMA && !others.is_empty(),
        };
        if of_other {
            output::note(format!(
                "not checked: db/{name}, because this server is PostgreSQL {} and the committed files are of another release",
                dump.major
            ));
            continue;
        }
        checked = true;
        if old.as_deref() != Some(new) {
            stale = true;
            output::result(text::difference(&format!("db/{name}"), old.as_deref(), new));
        }
    }
    if stale {
        output::result("the migrations give another schema: run `cargo xtask dump` and commit what it writes");
        return Ok(ExitCode::from(output::FOUND));
    }
    if checked {
        output::note("the committed schema is what the migrations give");
    }
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read `{}`", path.display())),
    }
}

/// Facts of releases that are not this server's.
fn of_other_releases(db: &Path, dump: &Dump) -> Result<Vec<String>> {
    let own = format!("schema.facts.{}", dump.major);
    let mut names = Vec::new();
    for entry in fs::read_dir(db).with_context(|| format!("failed to read `{}`", db.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with("schema.facts.") && name != own {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
