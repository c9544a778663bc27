//! Each migration up, down and up again: the way back must restore the schema, the way up must lead to the same place.

use super::scratch::{Database, Scratch};
use super::{Answer, Verdict, error_lines};
use crate::embedded::Migration;
use crate::error::Error;
use crate::facts::Facts;
use crate::plan::Target;

/// How one way back came out.
enum Outcome {
    Exact,
    /// Only the order of columns differs: nobody loses data, but `SELECT *` reads otherwise.
    OrderOfColumns(Vec<String>),
    Broken(Vec<String>),
}

/// Every migration that has a way back, in its place in the history.
pub(super) async fn every_migration(scratch: &Scratch<'_>) -> Result<Answer, Error> {
    let migrations = scratch.context.embedded.migrations;
    let mut database = scratch.database().await?;
    let (mut exact, mut without) = (0, 0);
    let (mut mild, mut broken) = (Vec::new(), Vec::new());
    let mut before = facts(&database).await?;
    for migration in migrations {
        if let Err(error) = database.up(Target::Version(migration.number), false).await {
            broken.push(format!("not looked at: {} and what follows, it does not go up", migration.label()));
            broken.extend(error_lines(&error));
            break;
        }
        let after = facts(&database).await?;
        if migration.down.is_none() {
            without += 1;
            before = after;
            continue;
        }
        let outcome = round_trip(&mut database, migration, &before, &after).await?;
        if !matches!(outcome, Outcome::Exact) {
            // What follows is looked at in a database that has not been through this.
            database.close().await;
            database = scratch.database().await?;
            database.up(Target::Version(migration.number), false).await?;
        }
        match outcome {
            Outcome::Exact => exact += 1,
            Outcome::OrderOfColumns(lines) => {
                mild.push(format!("{}: only the order of columns is not restored", migration.label()));
                mild.extend(lines);
            }
            Outcome::Broken(lines) => broken.extend(lines),
        }
        before = after;
    }
    database.close().await;
    let with = migrations.len() - without;
    let head = format!("{exact} of {with} ways back restore the schema exactly, {without} migrations without one");
    let verdict = match (broken.is_empty(), mild.is_empty()) {
        (false, _) => Verdict::Failed,
        (true, false) => Verdict::Mild,
        (true, true) => Verdict::Ok,
    };
    Ok((verdict, std::iter::once(head).chain(broken).chain(mild).collect()))
}

async fn facts(database: &Database) -> Result<Facts, Error> {
    Facts::read(&database.executor.connection, &database.executor.tables).await
}

/// Down and up again; where something is broken the database is not to be used any more.
async fn round_trip(
    database: &mut Database,
    migration: &Migration,
    before: &Facts,
    after: &Facts,
) -> Result<Outcome, Error> {
    let failed = |what: &str, lines: Vec<String>| {
        Outcome::Broken(std::iter::once(format!("{}: {what}", migration.label())).chain(lines).collect())
    };
    if let Err(error) = database.down().await {
        return Ok(failed("the way back fails", error_lines(&error)));
    }
    let restored = facts(database).await?;
    let differences = before.differences(&restored);
    let only_order = !differences.is_empty() && before.without_order() == restored.without_order();
    if !differences.is_empty() && !only_order {
        return Ok(failed("the way back does not restore the schema", differences));
    }
    if let Err(error) = database.up(Target::Version(migration.number), false).await {
        return Ok(failed("behind its way back it does not go up again", error_lines(&error)));
    }
    let again = facts(database).await?;
    let after_again = after.differences(&again);
    if !only_order && !after_again.is_empty() {
        return Ok(failed("the second way up leads elsewhere", after_again));
    }
    Ok(if only_order { Outcome::OrderOfColumns(differences) } else { Outcome::Exact })
}
