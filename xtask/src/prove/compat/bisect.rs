//! Which migration it is: a database goes from the release to the new schema, one step at a time, and what is broken in the end is asked
//! again after each.

use std::collections::{BTreeMap, BTreeSet};

use migrator_engine::Error;
use migrator_engine::plan::{Plan, Step};

use super::application;
use super::case::Case;
use super::databases::{label, pending};
use super::description::{Description, Difference, Standing, differences};
use super::functions;
use super::judgement::{Asker, Break};
use super::survey;
use crate::prove::scratch::Database;

/// Walks there, and says in each break after which step it was there to stay. `was`: what the askers were on the release.
///
/// # Errors
/// A lost connection.
pub(super) async fn find(
    mut database: Database,
    case: &Case<'_>,
    was: &BTreeMap<Asker, Description>,
    breaks: &mut [Break],
) -> Result<Database, Error> {
    let steps = pending(&mut database, case.release).await?;
    let mut broken = BTreeSet::new();
    for step in steps {
        apply(&mut database, case, &step).await?;
        let now = broken_now(&database, case, was, breaks).await?;
        for found in breaks.iter_mut().filter(|found| now.contains(&found.asker) && !broken.contains(&found.asker)) {
            found.by = Some(label(&step));
        }
        broken = now;
    }
    Ok(database)
}

async fn apply(database: &mut Database, case: &Case<'_>, step: &Step) -> Result<(), Error> {
    let alone = match step {
        // How far it got before is part of such a step.
        Step::Migration { migration, .. } if !migration.up.options.transaction => {
            let pending = pending(database, case.release).await?;
            pending.into_iter().find(|pending| label(pending) == label(step))
        }
        step => Some(step.clone()),
    };
    database.locked.apply(&Plan::new(alone)).await.map(|_| ())
}

async fn broken_now(
    database: &Database,
    case: &Case<'_>,
    was: &BTreeMap<Asker, Description>,
    breaks: &[Break],
) -> Result<BTreeSet<Asker>, Error> {
    let session = application::open(&database.context, case.role).await?;
    let queries = breaks.iter().filter_map(|found| match found.asker {
        Asker::Query(index) => Some(index),
        Asker::Function(_) => None,
    });
    let queries: Vec<usize> = queries.collect();
    let texts: Vec<&str> = queries.iter().map(|&index| &*case.queries[index].text).collect();
    let standings = survey::survey(session.client(), &texts).await?;
    let mut now: Vec<(Asker, Standing)> = queries.into_iter().map(Asker::Query).zip(standings).collect();
    if breaks.iter().any(|found| matches!(found.asker, Asker::Function(_))) {
        let owner = application::open_as_owner(&database.context, case.role).await?;
        let functions = functions::survey(&owner).await?;
        now.extend(functions.into_iter().map(|(signature, standing)| (Asker::Function(signature), standing)));
    }
    let differs = |(asker, standing): &(Asker, Standing)| {
        let Some(found) = breaks.iter().find(|found| found.asker == *asker) else { return false };
        let is_found = |now: &Difference| found.differences.iter().any(|found| found.kind() == now.kind());
        was.get(asker).is_some_and(|description| differences(description, standing).iter().any(is_found))
    };
    Ok(now.into_iter().filter(differs).map(|(asker, _)| asker).collect())
}
