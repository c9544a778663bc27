//! The short questions.

use super::answer::{Answer, Verdict, error_lines};
use super::place::Place;
use super::reading::Reading;
use crate::prove::scratch::{Database, Scratch};
use migrator_engine::Error;
use migrator_engine::facts::Facts;
use migrator_engine::plan::{self, Plan, Step, Target};
use migrator_engine::words::count;
use migrator_engine::words::list;

/// `3 migrations`, `there are none`.
fn some(number: usize, noun: &str) -> String {
    if number == 0 { "there are none".to_owned() } else { count(number, noun) }
}

/// What is there after an `up` from zero.
pub(super) struct Zero {
    pub(super) facts: Facts,
    /// Before the repeatables followed.
    pub(super) before_repeatables: Reading,
}

/// Every migration goes up on an empty database, one after the other; `zero` gets what is there then, if they do.
pub(super) async fn up_from_zero(scratch: &Scratch<'_>, zero: &mut Option<Zero>) -> Result<Answer, Error> {
    let migrations = &scratch.context.migrator.embedded().migrations;
    let mut place = Place::new(scratch, 0).await?;
    for _ in migrations.iter() {
        if let Err(error) = place.up().await {
            return Ok((Verdict::Failed, error_lines(&error)));
        }
    }
    let before_repeatables = place.read().await?;
    // The repeatables follow.
    let mut database = place.into_database();
    if let Err(error) = database.up(Target::Newest, true).await {
        return Ok((Verdict::Failed, error_lines(&error)));
    }
    let facts = database.locked.facts().await?;
    *zero = Some(Zero { facts, before_repeatables });
    scratch.discard(database).await;
    Ok((Verdict::Ok, vec![some(migrations.len(), "migration")]))
}

/// Another `up` has nothing to do.
pub(super) async fn second_up(scratch: &Scratch<'_>) -> Result<Answer, Error> {
    let mut database = scratch.database().await?;
    database.up(Target::Newest, true).await?;
    let history = database.history().await?;
    let plan = plan::up(database.context.migrator.embedded(), &history, Target::Newest, false)?;
    scratch.discard(database).await;
    let labels: Vec<String> = plan.steps.iter().map(Step::label).collect();
    Ok(match labels.is_empty() {
        true => (Verdict::Ok, vec!["nothing to apply".to_owned()]),
        false => (Verdict::Failed, vec![format!("it would apply again: {}", list(&labels))]),
    })
}

/// A repeatable that is applied again changes nothing.
pub(super) async fn repeatables_twice(scratch: &Scratch<'_>) -> Result<Answer, Error> {
    let mut database = scratch.database().await?;
    let repeatables = &*database.context.migrator.embedded().repeatables;
    database.up(Target::Newest, true).await?;
    let once = database.locked.facts().await?;
    let plan = Plan::new(repeatables.iter().map(Step::Repeatable));
    if let Err(error) = database.locked.apply(&plan).await {
        return Ok((Verdict::Failed, error_lines(&error)));
    }
    let twice = database.locked.facts().await?;
    scratch.discard(database).await;
    let differences = once.differences(&twice);
    Ok(match differences.is_empty() {
        true => (Verdict::Ok, vec![some(repeatables.len(), "repeatable")]),
        false => {
            let head = "the repeatables change the schema when they are applied again".to_owned();
            (Verdict::Failed, std::iter::once(head).chain(differences).collect())
        }
    })
}

/// Each seed can be run on a fresh database, and again.
pub(super) async fn seeds(scratch: &Scratch<'_>) -> Result<Answer, Error> {
    let seeds = &scratch.context.migrator.embedded().seeds;
    let mut broken = Vec::new();
    for seed in seeds.iter() {
        let mut database = scratch.database().await?;
        database.up(Target::Newest, true).await?;
        for again in [false, true] {
            if let Err(error) = database.locked.seed(seed).await {
                let often = if again { "cannot be run twice (use `ON CONFLICT ...`)" } else { "cannot be run" };
                broken.push(format!("{} {often}", seed.name));
                broken.extend(error_lines(&error));
                break;
            }
        }
        scratch.discard(database).await;
    }
    if !broken.is_empty() {
        return Ok((Verdict::Failed, broken));
    }
    let names: Vec<&str> = seeds.iter().map(|seed| &*seed.name).collect();
    let names = if names.is_empty() { some(0, "seed") } else { names.join(", ") };
    Ok((Verdict::Ok, vec![names]))
}

/// Two migrators that start together: everything is applied, and once.
pub(super) async fn two_at_once(scratch: &Scratch<'_>) -> Result<Answer, Error> {
    let context = scratch.empty().await?;
    let one = async || {
        let mut database = Database::open(context.clone()).await?;
        let applied = database.up(Target::Newest, true).await?;
        database.close().await;
        Ok::<_, Error>(applied)
    };
    let (first, second) = futures_util::future::join(one(), one()).await;
    let (first, second) = (first?, second?);
    let all = context.migrator.embedded().migrations.len() + context.migrator.embedded().repeatables.len();
    Ok(match first + second == all {
        true if all == 0 => (Verdict::Ok, vec![some(0, "step")]),
        true if all == 1 => (Verdict::Ok, vec!["1 step, applied once".to_owned()]),
        true => (Verdict::Ok, vec![format!("{all} steps, each applied once")]),
        false => {
            (Verdict::Failed, vec![format!("{} and {second} were applied, not {all} in all", count(first, "step"))])
        }
    })
}
