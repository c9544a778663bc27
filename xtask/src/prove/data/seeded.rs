//! Migrations on a database with its seeds: the checks hold after each.

use std::collections::BTreeMap;

use super::ladder::{self, Ladder};
use super::query::{self, Returned};
use super::table;
use crate::prove::scratch::Database;
use migrator_engine::Error;
use migrator_engine::client::failed;
use migrator_engine::embedded::{Migration, Script};
use migrator_engine::words::count;

/// What became of the seeded rows.
#[derive(Debug, Default)]
pub(in crate::prove) struct Seeded {
    /// How many migrations went up with at least one seed in place.
    pub(in crate::prove) migrations: usize,
    /// Migrations that fail, and checks that no longer hold, each as it is shown.
    pub(in crate::prove) failures: Vec<String>,
    /// Checks that did not hold before the migration either.
    pub(in crate::prove) broken_before: Vec<String>,
    /// Seeds that did not fit before a migration: the seed and the migration.
    pub(in crate::prove) skipped: Vec<(String, String)>,
}

/// What each query of the checks has found, by name and number; `None`: it cannot be run here.
type Found = BTreeMap<(&'static str, usize), Option<Returned>>;

/// Applies migrations, which are the ones at those places of the history, with the seeds in place. `earlier` are seeds as they were before
/// the new migrations: they fit where today's do not yet.
///
/// # Errors
/// An earlier migration does not go up, a lost connection.
pub(in crate::prove) async fn run(
    ladder: &mut Ladder<'_>,
    chosen: &[(usize, &Migration)],
    earlier: &[&'static Script],
) -> Result<Seeded, Error> {
    let mut seeded = Seeded::default();
    let mut open: Option<(usize, Database)> = None;
    for (index, migration) in chosen {
        let mut database = match open.take() {
            Some((at, database)) if at == *index => database,
            other => {
                if let Some((_, database)) = other {
                    ladder.leave(database).await;
                }
                ladder.database(*index).await?
            }
        };
        if one(&mut database, migration, earlier, &mut seeded).await? {
            open = Some((index + 1, database));
        } else {
            ladder.leave(database).await;
        }
    }
    if let Some((_, database)) = open {
        ladder.leave(database).await;
    }
    Ok(seeded)
}

/// One migration; false: it does not go up.
async fn one(
    database: &mut Database,
    migration: &Migration,
    earlier: &[&'static Script],
    seeded: &mut Seeded,
) -> Result<bool, Error> {
    let label = migration.label();
    let embedded = database.context.migrator.embedded();
    let mut fits = 0;
    for seed in embedded.seeds.iter() {
        let was = earlier.iter().find(|script| script.name == seed.name);
        let before = match was {
            Some(was) => database.locked.seed(was).await.is_ok(),
            None => false,
        };
        if before || database.locked.seed(seed).await.is_ok() {
            fits += 1;
        } else {
            seeded.skipped.push((seed.name.to_string(), label.clone()));
        }
    }
    let before = ask(database).await?;
    if let Err(error) = ladder::up(database, migration).await {
        seeded
            .failures
            .push(format!("with the seeds in place, {label} does not go up\n{}", error.render(false).trim_end()));
        return Ok(false);
    }
    seeded.migrations += usize::from(fits > 0);
    for ((check, number), found) in ask(database).await? {
        let Some(found) = found.filter(|found| found.count > 0) else { continue };
        let held =
            before.get(&(check, number)).is_none_or(|before| before.as_ref().is_none_or(|before| before.count == 0));
        let name = if number == 0 { check.to_owned() } else { format!("{check} ({})", number + 1) };
        if held {
            let lines = table::rows(&found.columns, &found.rows, found.count).join("\n");
            seeded
                .failures
                .push(format!("after {label} the check {name} finds {}\n{lines}", count(found.count, "row")));
        } else {
            seeded.broken_before.push(format!("the check {name} finds the seeds wrong already before {label}"));
        }
    }
    Ok(true)
}

/// Asks the checks. A check that is written for a newer schema cannot be run.
async fn ask(database: &Database) -> Result<Found, Error> {
    let lost = |error| failed("running the checks", error);
    database.locked.put_back(None).await.map_err(lost)?;
    let client = database.locked.client();
    client.batch_execute("BEGIN READ ONLY").await.map_err(lost)?;
    let mut found = Found::new();
    for check in database.context.migrator.embedded().checks.iter() {
        for (number, statement) in check.statements.iter().enumerate() {
            client.batch_execute("SAVEPOINT asked").await.map_err(lost)?;
            let returned = query::run(client, &check.text[statement.range.clone()]).await.ok();
            client.batch_execute("ROLLBACK TO SAVEPOINT asked").await.map_err(lost)?;
            found.insert((&*check.name, number), returned.map(violations));
        }
    }
    client.batch_execute("ROLLBACK").await.map_err(lost)?;
    Ok(found)
}

/// The rows that are violations: where the last column is called `count`, those in which it is above 0.
fn violations(returned: Returned) -> Returned {
    if returned.columns.last().is_none_or(|name| name != "count") {
        return returned;
    }
    let is_one = |row: &Vec<Option<String>>| {
        row.last().and_then(|last| last.as_ref()?.parse::<f64>().ok()).is_some_and(|count| count > 0.0)
    };
    let rows: Vec<_> = returned.rows.into_iter().filter(is_one).collect();
    Returned { count: rows.len(), rows, ..returned }
}
