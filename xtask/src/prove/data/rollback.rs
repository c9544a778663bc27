//! One rollback with rows in place: what it loses, and what its down block says that it loses.

use std::collections::{BTreeMap, BTreeSet};

use migrator_build::{DataTest, DeclaredLoss, Moment, declared_losses};

use super::fill::{self, Style};
use super::ladder::{self, Ladder};
use super::loss::{self, Forms, Loss, What};
use super::query;
use super::scope;
use super::state::{self, Oid, State, Table};
use super::words::Words;
use crate::prove::scratch::Database;
use crate::prove::scratch::shared::says;
use migrator_engine::Error;
use migrator_engine::embedded::Migration;

/// What became of the rows.
#[derive(Debug, Default)]
pub(in crate::prove) struct RolledBack {
    /// What is lost, and whether the down block says so.
    pub(in crate::prove) losses: Vec<(Loss, bool)>,
    /// What the down block says, and is not so.
    pub(in crate::prove) kept: Vec<DeclaredLoss>,
    /// The rollback fails with rows in place, and goes through with smaller values (true) or not at all.
    pub(in crate::prove) failed: Option<(Error, bool)>,
    /// Tables for which no row could be made, and why.
    pub(in crate::prove) unfilled: Vec<(String, String)>,
}

/// Rolls a migration back in a database with rows in every table that it may touch; `index` is that of the migration. `None`: it has no down block.
///
/// # Errors
/// It does not go up, a lost connection.
pub(in crate::prove) async fn run(
    ladder: &mut Ladder<'_>,
    tests: &[DataTest],
    (index, migration): (usize, &Migration),
) -> Result<Option<RolledBack>, Error> {
    let Some(down) = &migration.down else { return Ok(None) };
    let words = Words::of_down(down.sql(&migration.text));
    let mut failed: Option<Error> = None;
    for is_large in [true, false] {
        let mut database = ladder.database(index).await?;
        let enums = state::read_enums(database.locked.client()).await?;
        let labels: BTreeMap<Oid, Vec<String>> = enums.into_iter().map(|(oid, known)| (oid, known.labels)).collect();
        prepare(&database, tests.iter().filter(|test| test.number == migration.number)).await;
        ladder::up(&mut database, migration).await?;
        let but = scope::left_alone(&database, migration).await?;
        let (filled, unfilled) = fill(&database, &but, Style { is_large, labels: &labels, words: &words }).await?;
        if let Err(error) = ladder::down(&mut database).await {
            ladder.leave(database).await;
            failed.get_or_insert(error);
            continue;
        }
        let after = state::read(&database, &but).await?;
        let losses = losses(&mut database, (migration, &but), (&filled, &after), &unfilled).await?;
        ladder.leave(database).await;
        let name = |oid: &Oid| {
            filled.tables.get(oid).map(|table| format!("{}.{}", table.schema, table.name)).unwrap_or_default()
        };
        let text = migration.text.to_lowercase();
        return Ok(Some(RolledBack {
            unfilled: unfilled
                .iter()
                .filter(|(oid, _)| filled.tables.get(*oid).is_some_and(|table| says(&text, &table.name.to_lowercase())))
                .map(|(oid, reason)| (name(oid), reason.clone()))
                .collect(),
            failed: failed.map(|error| (error, true)),
            ..judge(losses, declared_losses(migration))
        }));
    }
    Ok(Some(RolledBack { failed: failed.map(|error| (error, false)), ..RolledBack::default() }))
}

/// Puts the rows of tests in place, as far as they let themselves: their mistakes are told elsewhere.
async fn prepare(database: &Database, tests: impl Iterator<Item = &DataTest>) {
    for test in tests {
        let Some(block) = test.block(Moment::Before) else { continue };
        if database.locked.put_back(None).await.is_err() {
            return;
        }
        for statement in &block.statements {
            if query::run(database.locked.client(), &test.text[statement.range.clone()]).await.is_err() {
                break;
            }
        }
    }
}

/// Fills the tables; the seeds are a second try for those that stay empty. What is there then, and what stays empty, and why.
async fn fill(
    database: &Database,
    but: &BTreeSet<Oid>,
    style: Style<'_>,
) -> Result<(State, BTreeMap<Oid, String>), Error> {
    let mut filled = state::read(database, but).await?;
    let mut unfilled = fill::fill(database, &filled, style).await?;
    filled = state::read(database, but).await?;
    if !unfilled.is_empty() {
        for seed in database.context.migrator.embedded().seeds.iter() {
            // One that needs what comes later does not fit here.
            let _ = database.locked.seed(seed).await;
        }
        filled = state::read(database, but).await?;
        unfilled.retain(|oid, _| filled.tables.get(oid).is_some_and(|table| table.count == 0));
    }
    Ok((filled, unfilled))
}

/// What is lost between two moments. Where a type was changed, values may only look different: what is as before once the migration has
/// gone up again was not lost.
async fn losses(
    database: &mut Database,
    (migration, but): (&Migration, &BTreeSet<Oid>),
    (before, after): (&State, &State),
    unfilled: &BTreeMap<Oid, String>,
) -> Result<Vec<Loss>, Error> {
    let unfilled: BTreeSet<Oid> = unfilled.keys().cloned().collect();
    let mut forms = Forms::new();
    for (key, now, column) in retyped(before, after) {
        let type_name = &before.tables[&key.0].columns[&key.1].type_name;
        let values = state::in_type(database.locked.client(), now, column, type_name).await;
        forms.entry(key).or_default().extend(values);
    }
    let losses = loss::compare(before, after, &forms, &unfilled);
    let is_changed = |loss: &Loss| matches!(loss.what, What::Values(_) | What::Nulls(_));
    if forms.is_empty() || !losses.iter().any(is_changed) || ladder::up(database, migration).await.is_err() {
        return Ok(losses);
    }
    let again = state::read(database, but).await?;
    for ((oid, number), values) in &mut forms {
        let now = again.tables.get(oid).map(|table| table.values(*number)).unwrap_or_default();
        values.push(now.into_iter().map(str::to_owned).collect());
    }
    Ok(loss::compare(before, after, &forms, &unfilled))
}

/// The columns whose type was changed: their numbers, the table as it is now, and their names.
fn retyped<'a>(before: &'a State, after: &'a State) -> Vec<((Oid, i32), &'a Table, &'a str)> {
    let mut retyped = Vec::new();
    for (oid, table) in before.tables.iter().filter(|(_, table)| table.count > 0) {
        let Some(now) = after.tables.get(oid) else { continue };
        for (number, column) in &table.columns {
            if let Some(current) = now.columns.get(number).filter(|now| now.type_name != column.type_name) {
                retyped.push(((oid.clone(), *number), now, current.name.as_str()));
            }
        }
    }
    retyped
}

/// Compares what is lost with what is declared.
fn judge(losses: Vec<Loss>, declared: Vec<DeclaredLoss>) -> RolledBack {
    let mut used = BTreeSet::new();
    let mut judged = Vec::new();
    for loss in losses {
        let says: Vec<usize> =
            (0..declared.len()).filter(|index| covers(&declared[*index].object, &loss.object)).collect();
        judged.push((loss, !says.is_empty()));
        used.extend(says);
    }
    let kept =
        declared.into_iter().enumerate().filter(|(index, _)| !used.contains(index)).map(|(_, declared)| declared);
    RolledBack { losses: judged, kept: kept.collect(), ..RolledBack::default() }
}

/// Whether a declared name is that of the object, or of what it is in; the schema `public` may be left out.
fn covers(declared: &[String], object: &[String]) -> bool {
    let in_public = object.first().is_some_and(|schema| schema == "public") && object[1..].starts_with(declared);
    object.starts_with(declared) || in_public
}
