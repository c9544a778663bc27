//! Whether the next release keeps to `[budget]`.

use std::collections::BTreeMap;

use super::answer::{Answer, Verdict};
use super::before::Base;
use crate::prove::budget::{Bounds, Judged, NEEDS_TIMES, judge};
use crate::prove::forecast::{Step, Time};
use crate::prove::trace::Trace;
use migrator_engine::Error;
use migrator_engine::embedded::Embedded;
use migrator_engine::words;

/// Judges the migrations that are not on the base branch; `traces` are those of all of them, `forecasts` what is known of their times.
pub(super) async fn answer(
    embedded: &'static Embedded,
    base: &Base,
    traces: &[Trace],
    forecasts: &BTreeMap<i64, Step>,
) -> Result<Answer, Error> {
    if traces.len() < embedded.migrations.len() {
        return Ok((Verdict::Skipped, vec!["what the statements lock is not known".to_owned()]));
    }
    let steps = embedded.migrations.iter().zip(traces);
    let new = steps.filter(|(migration, _)| !base.versions.contains(&migration.number));
    let new: Vec<Judged<'_>> = new.map(|(migration, trace)| judged(trace, forecasts.get(&migration.number))).collect();
    let judgement = judge(&embedded.settings.budget, &new);
    let note = judgement.needs_times.then(|| NEEDS_TIMES.to_owned());
    let count = words::count(new.len(), "new migration");
    if judgement.beyond.is_empty() {
        let known = if judgement.needs_times { ", as far as is known" } else { "" };
        let head = format!("{count}, within [budget]{known}");
        return Ok((Verdict::Ok, std::iter::once(head).chain(note).collect()));
    }
    let head = format!("{count}, beyond [budget] of db/migrator.toml");
    Ok((Verdict::Failed, std::iter::once(head).chain(judgement.beyond).chain(note).collect()))
}

fn judged<'t>(trace: &'t Trace, forecast: Option<&Step>) -> Judged<'t> {
    let Some(forecast) = forecast else { return Judged::untimed(trace) };
    let bounds = |time: &Time| Bounds { lower: time.lower, upper: time.upper };
    let time = |number| forecast.statement(number)?.time.as_ref().ok().map(bounds);
    Judged { trace, times: trace.statements.iter().map(|statement| time(statement.number)).collect() }
}
