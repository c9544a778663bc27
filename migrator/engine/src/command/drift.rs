//! `drift`: the live schema against the one that is compiled in; writes nothing.

use std::collections::BTreeSet;

use serde_json::json;

use crate::command::Context;
use crate::connect::Connection;
use crate::embedded::SchemaFacts;
use crate::error::{Error, Exit};
use crate::facts::{Difference, Facts, diff, report};
use crate::history::History;
use crate::output::{self, file, result, results};
use crate::sql::Tables;

/// The arguments of `drift`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 1: the schema has drifted. `[drift]` in db/migrator.toml says what is not compared.\n\n\
                        Example: migrator drift || echo \"somebody has changed the schema by hand\""
)]
pub(crate) struct Args {
    /// For programs.
    #[arg(long)]
    pub json: bool,
    /// Print the facts of the live schema in the form of db/schema.facts.<major>, and compare nothing.
    #[arg(long, conflicts_with = "json")]
    pub facts: bool,
}

/// Reads, compares, prints.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let session = context.open().await?;
    let major = session.connection.server.version_number / 10_000;
    if args.facts {
        let mut facts = Facts::read(&session.connection, &session.tables).await?;
        let settings = &context.embedded.settings;
        facts.ignore(&[], settings.drift_owners);
        facts.refuse_unknown(settings.drift_ignore)?;
        let applied = session.history.applied.iter().filter_map(|row| Some((row.number()?, &*row.version)));
        let newest = applied.max().map_or("nothing", |(_, version)| version);
        file(facts.render(major, newest).trim_end_matches('\n'));
        return Ok(Exit::Done);
    }
    let compiled = compiled(context, &session.connection)?;
    let elsewhere = elsewhere(context, &session.history, compiled);
    let differences = compare(context, &session.connection, &session.tables, compiled).await?;
    if args.json {
        let objects: Vec<_> = differences.iter().map(Difference::json).collect();
        let value = json!({ "drift": !differences.is_empty(), "postgresql": major, "not_comparable": elsewhere, "differences": objects });
        output::json(&value);
    } else if differences.is_empty() {
        result("no drift");
    } else {
        results(&report(&differences));
    }
    if let Some(reason) = elsewhere
        && !differences.is_empty()
    {
        context.progress.warn(&format!("differences are to be expected: {reason}"));
    }
    if let Some(reason) = outdated(compiled)
        && !differences.is_empty()
    {
        context.progress.warn(&reason);
    }
    Ok(if differences.is_empty() { Exit::Done } else { Exit::Found })
}

/// Before an `up`, or where it has nothing to do: refuses when the schema is not the compiled one. Only a database in the very
/// state that the facts describe can be compared; of another one it is said that it was not.
pub(crate) async fn refuse(
    context: &Context,
    connection: &Connection,
    tables: &Tables,
    history: &History,
) -> Result<(), Error> {
    let Some(differences) = comparable(context, connection, tables, history).await? else { return Ok(()) };
    if differences.is_empty() {
        context.progress.say("no drift");
        return Ok(());
    }
    let database = &connection.server.database;
    let error =
        Error::new(Exit::Refused, format!("the schema of database `{database}` has drifted; nothing was applied"))
            .note(report(&differences));
    let error = match outdated(compiled(context, connection)?) {
        Some(reason) => error.note(reason),
        None => error,
    };
    Err(error.help("write a migration for what shall stay, take back the rest, or name it under `ignore` in [drift] of db/migrator.toml"))
}

/// Why differences may come from the file and not from the schema.
fn outdated(facts: &SchemaFacts) -> Option<String> {
    Facts::is_of_another_format(facts.text).then(|| {
        format!(
            "{} was written by another release of the migrator, and the same schema may read differently there: `cargo xtask dump` writes it again",
            facts.file
        )
    })
}

/// Behind an `up`: the same question, whose answer comes too late to refuse anything.
pub(crate) async fn after(
    context: &Context,
    connection: &Connection,
    tables: &Tables,
    history: &History,
) -> Result<Exit, Error> {
    let differences = comparable(context, connection, tables, history).await?.unwrap_or_default();
    if differences.is_empty() {
        return Ok(Exit::Done);
    }
    context.progress.warn(&format!("the schema is not the compiled one:\n{}", report(&differences)));
    Ok(Exit::Found)
}

/// Behind the loading of a dump that claims to hold everything up to `newest`: the file of the facts that claims the same, and the
/// differences; `None`: there is no such file.
#[cfg(feature = "dev")]
pub(crate) async fn behind_a_load(
    context: &Context,
    connection: &Connection,
    tables: &Tables,
    newest: Option<i64>,
) -> Result<Option<(&'static str, Vec<Difference>)>, Error> {
    let Ok(compiled) = compiled(context, connection) else { return Ok(None) };
    if Facts::version(compiled.text) != newest {
        return Ok(None);
    }
    let mut differences = compare(context, connection, tables, compiled).await?;
    // What ALTER DATABASE has set belongs to the database, and pg_dump leaves it there.
    let is_left_behind = |one: &Difference| one.kind == "setting" && one.found.is_none();
    let left: Vec<String> = differences.extract_if(.., |one| is_left_behind(one)).map(|one| one.part).collect();
    if !left.is_empty() {
        context.progress.warn(&format!("a dump holds no settings of the database; not set here: {}", left.join(", ")));
    }
    Ok(Some((compiled.file, differences)))
}

async fn comparable(
    context: &Context,
    connection: &Connection,
    tables: &Tables,
    history: &History,
) -> Result<Option<Vec<Difference>>, Error> {
    let compiled = compiled(context, connection)?;
    if let Some(reason) = elsewhere(context, history, compiled) {
        context.progress.say(&format!("drift is not looked for here: {reason}"));
        return Ok(None);
    }
    compare(context, connection, tables, compiled).await.map(Some)
}

/// The facts for the server's major release.
fn compiled(context: &Context, connection: &Connection) -> Result<&'static SchemaFacts, Error> {
    let major = connection.server.version_number / 10_000;
    let all = context.embedded.facts;
    all.iter().find(|facts| facts.major == major).ok_or_else(|| {
        let majors: Vec<String> = all.iter().map(|facts| facts.major.to_string()).collect();
        let there = if majors.is_empty() { "none".to_owned() } else { majors.join(", ") };
        Error::new(Exit::Usage, format!("this binary has no schema facts for PostgreSQL {major}; there are: {there}")).help(
            format!(
                "`cargo xtask dump` writes db/schema.facts.{major} where PG_BIN names the programs of PostgreSQL {major}, or it is the newest \
                 one installed; where it has no pg_dump, `migrator drift --facts > db/schema.facts.{major}` does, on a database with these \
                 migrations and nothing else; commit the file, and build again"
            ),
        )
    })
}

async fn compare(
    context: &Context,
    connection: &Connection,
    tables: &Tables,
    compiled: &SchemaFacts,
) -> Result<Vec<Difference>, Error> {
    let settings = &context.embedded.settings;
    let mut expected = Facts::parse(compiled.text);
    let mut found = Facts::read(connection, tables).await?;
    for facts in [&mut expected, &mut found] {
        facts.ignore(settings.drift_ignore, settings.drift_owners);
    }
    found.refuse_unknown(&[])?;
    Ok(diff(&expected, &found))
}

/// Why the database is not in the state that the facts describe; `None`: it is.
fn elsewhere(context: &Context, history: &History, facts: &SchemaFacts) -> Option<String> {
    let embedded = context.embedded;
    let at = Facts::version(facts.text);
    let numbers = embedded.migrations.iter().map(|migration| migration.number);
    let described: BTreeSet<i64> = numbers.filter(|number| at.is_some_and(|at| *number <= at)).collect();
    let applied: BTreeSet<i64> = history.applied.iter().filter_map(|row| row.number()).collect();
    let shown = |number: &i64| {
        let known = embedded.migrations.iter().find(|migration| migration.number == *number);
        known.map_or_else(|| number.to_string(), |migration| migration.version.to_owned())
    };
    let file = facts.file;
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
    let other = repeatables.find(|script| history.repeatable_checksum(script.name) != Some(script.checksum))?;
    Some(format!("the repeatable `{}` has not been applied as it is in this binary", other.name))
}
