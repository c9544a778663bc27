//! `drift`: compare the live schema with the compiled one; writes nothing.

use std::collections::BTreeSet;

use crate::adopt::traces;
use crate::connect::Connection;
use crate::embedded::{SchemaFacts, Text};
use crate::error::{Error, Exit};
use crate::event::Event;
use crate::facts::{Difference, Facts, diff, report};
use crate::history::History;
use crate::migrator::Migrator;
use crate::session::Session;
use crate::sql::Tables;

/// How the live schema differs from the compiled one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DriftReport {
    /// The server's major release.
    pub major: i32,
    /// Every difference.
    pub differences: Vec<Difference>,
    /// Why the database is not in the state that the compiled facts describe; `None`: it is.
    pub not_comparable: Option<String>,
    /// Why differences may come from the compiled facts and not from the schema.
    pub outdated: Option<String>,
}

/// Reads and compares.
pub(crate) async fn run(session: &Session) -> Result<DriftReport, Error> {
    let Session { migrator, connection, tables, history, .. } = session;
    let compiled = compiled(migrator, connection)?;
    Ok(DriftReport {
        major: connection.major,
        not_comparable: elsewhere(migrator, history, compiled),
        differences: compare(migrator, connection, tables, compiled, &traces(history)).await?,
        outdated: outdated(compiled),
    })
}

/// The facts of the live schema, in the form of a file of the db directory.
pub(crate) async fn facts_file(session: &Session) -> Result<String, Error> {
    let mut facts = session.facts().await?;
    let settings = &session.migrator.embedded.settings;
    facts.ignore(&[], settings.drift_owners);
    facts.refuse_unknown(&settings.drift_ignore)?;
    let applied = session.history.applied.iter().filter_map(|row| Some((row.number()?, &*row.version)));
    let newest = applied.max().map_or("nothing", |(_, version)| version);
    Ok(facts.render(session.connection.major, newest))
}

/// Before an `up`, or where it has nothing to do: refuses if the schema has drifted. Only a database in exactly the
/// state that the facts describe can be compared; for any other, the check is reported as skipped.
pub(super) async fn refuse(
    migrator: &Migrator,
    connection: &Connection,
    tables: &Tables,
    history: &History,
) -> Result<(), Error> {
    let Some(differences) = comparable(migrator, connection, tables, history).await? else { return Ok(()) };
    if differences.is_empty() {
        migrator.tell(Event::NoDrift);
        return Ok(());
    }
    let database = &connection.server.database;
    let error = Error::refused(format!("the schema of database `{database}` has drifted; nothing was applied"))
        .note(report(&differences));
    let error = match outdated(compiled(migrator, connection)?) {
        Some(reason) => error.note(reason),
        None => error,
    };
    Err(error.help("write a migration for the changes to keep, undo the others, or list them under `ignore` in [drift] of db/migrator.toml"))
}

/// Refuses to record this binary's migrations for a schema that is not theirs; `traces`: what another tool has left.
pub(super) async fn verify(
    migrator: &Migrator,
    connection: &Connection,
    tables: &Tables,
    traces: &[Text],
) -> Result<(), Error> {
    let compiled = compiled(migrator, connection)?;
    let differences = compare(migrator, connection, tables, compiled, traces).await?;
    if differences.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the schema of database `{}` is not that of {}; nothing was recorded",
        connection.server.database, compiled.file
    );
    let error = outdated(compiled).into_iter().fold(Error::refused(message).note(report(&differences)), Error::note);
    Err(error.help("bring the schema to that state, or list what may differ under `ignore` in [drift] of db/migrator.toml; without `--verify` nothing is compared"))
}

/// Why differences may come from the file and not from the schema.
fn outdated(facts: &SchemaFacts) -> Option<String> {
    Facts::is_of_another_format(&facts.text).then(|| {
        format!(
            "another release of the migrator wrote {} and may describe the same schema differently: run `cargo xtask dump` to write it again",
            facts.file
        )
    })
}

/// After an `up`: the same check, too late to refuse anything.
pub(super) async fn after(
    migrator: &Migrator,
    connection: &Connection,
    tables: &Tables,
    history: &History,
) -> Result<Exit, Error> {
    let differences = comparable(migrator, connection, tables, history).await?.unwrap_or_default();
    if differences.is_empty() {
        return Ok(Exit::Done);
    }
    migrator.tell(Event::Drifted(&differences));
    Ok(Exit::Found)
}

async fn comparable(
    migrator: &Migrator,
    connection: &Connection,
    tables: &Tables,
    history: &History,
) -> Result<Option<Vec<Difference>>, Error> {
    let compiled = compiled(migrator, connection)?;
    if let Some(reason) = elsewhere(migrator, history, compiled) {
        migrator.tell(Event::DriftSkipped { reason: &reason });
        return Ok(None);
    }
    compare(migrator, connection, tables, compiled, &traces(history)).await.map(Some)
}

/// The facts for the server's major release.
fn compiled(migrator: &Migrator, connection: &Connection) -> Result<&'static SchemaFacts, Error> {
    let major = connection.major;
    let all = &*migrator.embedded.facts;
    all.iter().find(|facts| facts.major == major).ok_or_else(|| {
        let majors: Vec<String> = all.iter().map(|facts| facts.major.to_string()).collect();
        let there = if majors.is_empty() { "none".to_owned() } else { majors.join(", ") };
        Error::usage(format!("this binary has no schema facts for PostgreSQL {major}; it has: {there}")).help(
            format!(
                "run `cargo xtask dump` with PG_BIN set to the programs of PostgreSQL {major} to write db/schema.facts.{major}; without its \
                 pg_dump, run `migrator drift --facts > db/schema.facts.{major}` on a database with these migrations and nothing else; commit \
                 the file, and build again"
            ),
        )
    })
}

async fn compare(
    migrator: &Migrator,
    connection: &Connection,
    tables: &Tables,
    compiled: &SchemaFacts,
    traces: &[Text],
) -> Result<Vec<Difference>, Error> {
    let settings = &migrator.embedded.settings;
    let mut expected = Facts::parse(&compiled.text);
    let mut found = Facts::read(connection, tables).await?;
    for facts in [&mut expected, &mut found] {
        facts.ignore(&settings.drift_ignore, settings.drift_owners);
    }
    found.ignore(traces, true);
    found.refuse_unknown(&[])?;
    Ok(diff(&expected, &found))
}

/// Why the database is not in the state that the facts describe; `None`: it is.
fn elsewhere(migrator: &Migrator, history: &History, facts: &SchemaFacts) -> Option<String> {
    let embedded = migrator.embedded;
    let at = Facts::version(&facts.text);
    let numbers = embedded.migrations.iter().map(|migration| migration.number);
    let described: BTreeSet<i64> = numbers.filter(|number| at.is_some_and(|at| *number <= at)).collect();
    let applied: BTreeSet<i64> = history.applied.iter().filter_map(|row| row.number()).collect();
    let shown = |number: &i64| {
        let known = embedded.migrations.iter().find(|migration| migration.number == *number);
        known.map_or_else(|| number.to_string(), |migration| migration.version.to_string())
    };
    let file = &*facts.file;
    if let Some(version) = history.progress().keys().next() {
        return Some(format!("{version} is half-done"));
    }
    if let Some(version) = described.difference(&applied).next() {
        return Some(format!("{} is not applied, and {file} describes the schema with it", shown(version)));
    }
    if let Some(version) = applied.difference(&described).next() {
        return Some(format!("{} is applied, and {file} describes the schema without it", shown(version)));
    }
    let mut repeatables = embedded.repeatables.iter();
    let other = repeatables.find(|script| history.is_due(script))?;
    Some(format!("the repeatable `{}` of this binary has not been applied", other.name))
}
