//! How long the new migrations take on tables as large as in production, where statistics are given.

use std::collections::BTreeMap;

use super::answer::{Answer, Verdict};
use super::before::Base;
use crate::prove::forecast::{self, Forecast, Place, Step as Forecasted};
use crate::prove::scratch::{Database, Scratch};
use crate::prove::trace::{Subject, Trace, Tracer};
use migrator_engine::embedded::Migration;
use migrator_engine::plan::{self, Plan, Step, Target};
use migrator_engine::stats::Stats;
use migrator_engine::words::count;
use migrator_engine::{Error, ErrorKind};

/// Runs the migrations that are not on the base branch on copies with rows; `forecasts` gets what comes of it, by their numbers.
pub(super) async fn ask(
    scratch: &Scratch<'_>,
    base: &Base,
    stats: &Stats,
    forecasts: &mut BTreeMap<i64, Forecasted>,
) -> Result<Answer, Error> {
    let is_new = |migration: &&Migration| !base.versions.contains(&migration.number);
    let new: Vec<&'static Migration> = base.road.migrations.iter().filter(is_new).collect();
    if new.is_empty() {
        return Ok((Verdict::Ok, vec!["nothing new".to_owned()]));
    }
    let make = async || at_base(scratch, base).await;
    let run = async |database: &Database, traces: &mut Vec<Trace>| trace(scratch, database, &new, traces).await;
    let (database, mut traces) = (make().await?, Vec::new());
    run(&database, &mut traces).await?;
    let place =
        Place::Unknown("it was run on a throwaway server, which is not where the statistics come from".to_owned());
    let Forecast { steps, notes } =
        forecast::measure((stats, &place), scratch, (&database, &traces), &make, &run).await?;
    scratch.discard(database).await;
    let lines = new.iter().zip(&steps).flat_map(|(migration, step)| {
        step.lines().into_iter().map(|line| format!("{} {line}", migration.label())).collect::<Vec<_>>()
    });
    let head = format!("{}, with real data", count(new.len(), "new migration"));
    let answer = std::iter::once(head).chain(lines).chain(notes).collect();
    forecasts.extend(new.iter().map(|migration| migration.number).zip(steps));
    Ok((Verdict::Ok, answer))
}

/// A new database where production is.
async fn at_base(scratch: &Scratch<'_>, base: &Base) -> Result<Database, Error> {
    let mut database = scratch.database().await?;
    let history = database.history().await?;
    let mut plan = plan::up(base.road, &history, Target::Newest, false)?;
    plan.steps.retain(|step| match step {
        Step::Migration { migration, .. } => base.versions.contains(&migration.number),
        Step::Repeatable(_) => false,
    });
    database.locked.apply(&plan).await?;
    for script in &base.repeatables {
        // One that needs what is new cannot have been there.
        let _ = database.locked.apply(&Plan::new([Step::Repeatable(script)])).await;
    }
    Ok(database)
}

async fn trace(
    scratch: &Scratch<'_>,
    database: &Database,
    new: &[&'static Migration],
    traces: &mut Vec<Trace>,
) -> Result<(), Error> {
    let mut tracer = Tracer::new(&database.locked).await?;
    for migration in new {
        let stop = scratch.context.migrator.stop();
        if stop.is_requested() {
            return Err(ErrorKind::Stopped { by: stop.reason() }.into());
        }
        traces.push(tracer.run_new(Subject::Migration(migration)).await?);
    }
    Ok(())
}
