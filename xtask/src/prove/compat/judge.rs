//! Which queries of a release break on the new schema, and by which migration.

use std::collections::BTreeMap;
use std::time::Instant;

use futures_util::future::try_join;
use migrator_engine::Error;
use migrator_engine::plan::Plan;

use super::accept;
use super::application;
use super::bisect;
use super::case::Case;
use super::databases::{as_next, at_release, label, pending};
use super::description::{Description, Difference, Standing, differences};
use super::functions;
use super::judgement::{Asker, Break, Judgement};
use super::procedures::{self, Procedure};
use super::query::Query;
use super::survey;
use crate::prove::scratch::{Database, Scratch};

/// From so many queries on, a second session pays.
const WORTH_TWO_SESSIONS: usize = 100;

/// What a database says of all askers.
struct Seen {
    queries: Vec<Standing>,
    next: Vec<Standing>,
    functions: BTreeMap<String, Standing>,
    procedures: Vec<Procedure>,
}

/// Judges on databases of its own.
///
/// # Errors
/// The migrations do not go up, on the release or from zero; a lost connection.
pub(super) async fn judge(scratch: &Scratch<'_>, case: &Case<'_>) -> Result<Judgement, Error> {
    let mut judgement = Judgement::default();
    let old = at_release(scratch, case).await?;
    let begun = Instant::now();
    let before = see(&old, case).await?;
    judgement.asked += begun.elapsed();
    let template = old.context.clone();
    let server_version = old.locked.server().version_number;
    let mut database = as_next(scratch, old).await?;
    let steps = pending(&mut database, case.release).await?;
    judgement.steps = steps.iter().map(label).collect();
    // Roles and the like that the new migrations make would be there twice.
    let copied = if steps.len() > 1 && scratch.shares_nothing().await {
        database.close().await;
        let copy = scratch.copy(&template, server_version).await?;
        database = Database::open(scratch.context_of(template.target.clone())).await?;
        copy
    } else {
        None
    };
    let went = database.locked.apply(&Plan::new(steps)).await;
    went.map_err(|error| error.note(format!("this happened on a database at `{}`", case.release)))?;
    let begun = Instant::now();
    let after = see(&database, case).await?;
    compare(&mut judgement, case, &before, &after);
    accept::accept(&mut judgement.breaks, case, (&before.queries, &after.queries), &database).await?;
    judgement.procedures = after.procedures;
    judgement.asked += begun.elapsed();
    let shares_nothing = scratch.shares_nothing().await;
    scratch.discard(database).await;
    match &judgement.steps[..] {
        _ if judgement.breaks.is_empty() => {}
        [only] => judgement.breaks.iter_mut().for_each(|found| found.by = Some(only.clone())),
        _ => {
            let start = match copied.filter(|_| shares_nothing) {
                Some(context) => Database::open(context).await?,
                None => as_next(scratch, at_release(scratch, case).await?).await?,
            };
            let walked = bisect::find(start, case, &works(&before), &mut judgement.breaks).await?;
            scratch.discard(walked).await;
        }
    }
    Ok(judgement)
}

async fn see(database: &Database, case: &Case<'_>) -> Result<Seen, Error> {
    let texts = case.queries.iter().chain(case.next.iter().copied()).map(|query| &*query.text);
    let mut queries = ask(database, case, &texts.collect::<Vec<_>>()).await?;
    let next = queries.split_off(case.queries.len());
    let owner = application::open_as_owner(&database.context, case.role).await?;
    let functions = functions::survey(&owner).await?;
    Ok(Seen { queries, next, functions, procedures: procedures::read(&owner).await? })
}

/// Asks in two sessions, each of which is a process of the server, unless opening the second takes longer than it saves.
async fn ask(database: &Database, case: &Case<'_>, texts: &[&str]) -> Result<Vec<Standing>, Error> {
    let in_one = async |texts: &[&str]| {
        let session = application::open(&database.context, case.role).await?;
        survey::survey(session.client(), texts).await
    };
    if texts.len() < WORTH_TWO_SESSIONS {
        return in_one(texts).await;
    }
    let (first, second) = texts.split_at(texts.len() / 2);
    let (mut answers, others) = try_join(in_one(first), in_one(second)).await?;
    answers.extend(others);
    Ok(answers)
}

/// What works there, by asker.
fn works(seen: &Seen) -> BTreeMap<Asker, Description> {
    let queries = seen.queries.iter().enumerate().map(|(index, standing)| (Asker::Query(index), standing));
    let functions = seen.functions.iter().map(|(signature, standing)| (Asker::Function(signature.clone()), standing));
    let works = |(asker, standing): (Asker, &Standing)| match standing {
        Standing::Works(description) => Some((asker, description.clone())),
        Standing::Refused(_) => None,
    };
    queries.chain(functions).filter_map(works).collect()
}

fn compare(judgement: &mut Judgement, case: &Case<'_>, before: &Seen, after: &Seen) {
    let mut breaks = Vec::new();
    let mut add = |asker, differences: Vec<Difference>| {
        if !differences.is_empty() {
            breaks.push(Break { asker, differences, by: None });
        }
    };
    for (index, (was, is)) in before.queries.iter().zip(&after.queries).enumerate() {
        match was {
            Standing::Refused(refusal) => judgement.left_out.push((index, refusal.clone())),
            Standing::Works(description) => {
                note(judgement, index, description, is);
                let mut differences = differences(description, is);
                differences.retain(|difference| !is_expected(difference, &case.queries[index]));
                judgement.grown += usize::from(differences.is_empty() && has_grown(description, is));
                add(Asker::Query(index), differences);
            }
        }
    }
    judgement.functions = before.functions.len();
    for (signature, was) in &before.functions {
        // One that is gone is missed by those that call it.
        let (Standing::Works(description), Some(is)) = (was, after.functions.get(signature)) else { continue };
        add(Asker::Function(signature.clone()), differences(description, is));
    }
    judgement.breaks = breaks;
    for (index, (old, new)) in before.next.iter().zip(&after.next).enumerate() {
        let Standing::Works(description) = new else { continue };
        let mut found = differences(description, old);
        let names_types = case.next[index].declared.is_some();
        found.retain(|difference| match difference {
            // The new release expects what is more.
            Difference::Nullable { .. } => false,
            Difference::ParameterType { .. } => !names_types,
            _ => true,
        });
        if !found.is_empty() {
            judgement.too_early.push((index, found));
        }
    }
}

/// What is to be known of a query that works on the release.
fn note(judgement: &mut Judgement, index: usize, was: &Description, is: &Standing) {
    let Standing::Works(is) = is else {
        judgement.whole_rows.extend(was.has_whole_rows.then_some(index));
        return;
    };
    if !(was.is_planned && is.is_planned) {
        judgement.unplanned.push(index);
    }
    if was.has_whole_rows || is.has_whole_rows {
        judgement.whole_rows.push(index);
    }
    judgement.newly_null.extend(was.newly_null(is).into_iter().map(|null| (index, null.table.clone())));
}

/// Whether the client takes a NULL there already: it says so, as `.sqlx` does, or by the name that it gives the column (`"id?"`).
fn is_expected(difference: &Difference, query: &Query) -> bool {
    let Difference::Nullable { name, number } = difference else { return false };
    let declared = query.declared.as_ref().and_then(|declared| declared.columns.get(number - 1));
    name.ends_with('?') || declared.is_some_and(|column| column.nullable == Some(true))
}

fn has_grown(before: &Description, now: &Standing) -> bool {
    matches!(now, Standing::Works(now) if now.columns.len() > before.columns.len())
}
