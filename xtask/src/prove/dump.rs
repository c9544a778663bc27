//! `cargo xtask dump`.

mod files;
mod make;
mod names;
mod text;
pub mod traced;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::migrator;
use crate::output::{self, Json};
use crate::workspace::Workspace;
pub(crate) use files::{Comparison, compare};
pub(crate) use make::{Dump, Migrated, refuse_without_pg_dump};
use migrator_engine::Embedded;
use migrator_engine::locks::LockFile;
use migrator_engine::output as engine;
use migrator_postgres::{Installation, TemporaryServer};
pub(crate) use names::SCHEMA;
use serde_json::json;
pub(crate) use text::clean;

/// Arguments of `dump`.
#[derive(Debug, Default, clap::Args)]
#[command(
    after_help = "db/schema.sql is pg_dump's output for a database with every migration, without what differs from \
                  machine to machine. db/schema.facts.<major> is what `migrator drift` compares with, db/locks.<major> what \
                  `migrator plan` says of locks. All of them come from a throwaway server, never from a database in use.\n\n\
                  Example: cargo xtask dump\n\
                  Example: cargo xtask dump --check"
)]
pub struct Args {
    /// Write nothing; exit with code 1 if a file differs from what the migrations produce
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// Migrates a new database, writes or compares.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let embedded = migrator::load_and_warn(&workspace)?;
    let dump = make(embedded, &LockFile::default())?;
    if args.check { check(&workspace, &dump) } else { write(&workspace, embedded, &dump) }
}

/// From a server of its own; `known` are locks that need not be looked at again.
fn make(embedded: &'static Embedded, known: &LockFile) -> Result<Dump> {
    let reason = {
        let server = TemporaryServer::start()?;
        match Migrated::traced_on(&server, embedded, known) {
            Ok(migrated) => return migrated.dump(),
            Err(reason) => reason,
        }
    };
    // What was there of a migration when it failed can be anything: another server is as new.
    let server = TemporaryServer::start()?;
    let dump = Migrated::on(&server, embedded)?.dump()?;
    output::note(format!(
        "warning: db/{} was not written: the migrations go up, but not while they are looked at: {reason:#}",
        names::locks(&dump.major)
    ));
    Ok(dump)
}

/// The locks that are committed.
fn known(db: &Path, major: &str) -> Result<LockFile> {
    let committed = files::read(&db.join(names::locks(major)))?;
    Ok(committed.map(|bytes| LockFile::parse(&String::from_utf8_lossy(&bytes))).unwrap_or_default())
}

fn write(workspace: &Workspace, embedded: &'static Embedded, dump: &Dump) -> Result<ExitCode> {
    let db = workspace.db();
    let written = files::write(&db, &dump.files())?;
    output::files(written.iter().map(ToString::to_string));
    if written.is_empty() {
        output::note("db/schema.sql, the facts and the locks are up to date");
    }
    for name in files::of_other_releases(&db, dump)? {
        output::note(format!(
            "db/{name} is of another release of PostgreSQL: run `cargo xtask dump` where that release is installed"
        ));
    }
    remember(workspace, embedded, &dump.major);
    Ok(ExitCode::SUCCESS)
}

fn check(workspace: &Workspace, dump: &Dump) -> Result<ExitCode> {
    let Comparison { stale, skipped, same } = compare(&workspace.db(), dump)?;
    skipped.iter().for_each(output::note);
    if engine::is_json() {
        engine::json(&json!({ "stale": stale.iter().map(ToString::to_string).collect::<Vec<_>>() }));
    }
    stale.iter().for_each(output::result);
    if !stale.is_empty() {
        output::result("the migrations produce a different schema: run `cargo xtask dump` and commit the files");
        return Ok(ExitCode::from(output::FOUND));
    }
    if !same.is_empty() {
        output::note("the committed schema is what the migrations produce");
    }
    Ok(ExitCode::SUCCESS)
}

/// After an `up`: does the same as `dump` where it could change something, and says so only then.
///
/// A schema of another release of PostgreSQL is left alone: two developers would write it in turns, each with every `up`.
pub(crate) fn refresh(workspace: &Workspace, embedded: &'static Embedded) -> Result<()> {
    let db = workspace.db();
    let Installation { major, directory, .. } = Installation::find()?;
    let major = major.to_string();
    let committed = files::read(&db.join(SCHEMA))?;
    let other = committed.as_deref().and_then(text::major_of_schema).filter(|committed| *committed != major);
    if let Some(other) = &other {
        output::note(format!(
            "db/schema.sql comes from PostgreSQL {other} and was not updated; `cargo xtask dump` rewrites it for PostgreSQL {major}"
        ));
        if files::read(&db.join(names::facts(&major)))?.is_none() {
            return Ok(());
        }
    }
    if files::is_remembered(workspace, &embedded.digest, &major)? {
        return Ok(());
    }
    refuse_without_pg_dump(&directory)?;
    let dump = make(embedded, &known(&db, &major)?)?;
    if dump.major != major {
        bail!("the throwaway server is PostgreSQL {}, not {major}", dump.major);
    }
    let wanted: Vec<_> = dump.files().into_iter().filter(|(name, _)| other.is_none() || name != SCHEMA).collect();
    let written = files::write(&db, &wanted)?;
    if !written.is_empty() {
        output::note(format!("wrote {}", enumeration(&written)));
    }
    remember(workspace, embedded, &major);
    Ok(())
}

/// `a`, `a and b`, `a, b and c`.
fn enumeration(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [name] => name.clone(),
        [names @ .., last] => format!("{} and {last}", names.join(", ")),
    }
}

/// The files are what they should be, whether or not that can be remembered.
fn remember(workspace: &Workspace, embedded: &'static Embedded, major: &str) {
    if let Err(error) = files::remember(workspace, &embedded.digest, major) {
        output::note(format!(
            "warning: failed to remember that the schema is up to date: {error:#}\nhelp: until this works, every `up` generates the schema again"
        ));
    }
}
