//! The seeds as data: what the new migrations make of them.

use super::answer::{Answer, Verdict};
use super::before::Base;
use super::new::{Extent, new};
use crate::prove::data::ladder::Ladder;
use crate::prove::data::seeded;
use crate::prove::scratch::Scratch;
use migrator_engine::Error;
use migrator_engine::words::count;
use migrator_engine::words::list;

/// The new migrations, or all, on a database that is seeded before each: they go up, and the checks hold.
pub(super) async fn ask(scratch: &Scratch<'_>, base: &Base, extent: Extent) -> Result<Answer, Error> {
    let embedded = scratch.context.migrator.embedded();
    let chosen = new(embedded, base, extent);
    if embedded.seeds.is_empty() {
        return Ok((Verdict::Ok, vec!["there are no seeds".to_owned()]));
    }
    if chosen.is_empty() {
        return Ok((Verdict::Ok, vec!["nothing new".to_owned()]));
    }
    let seeded = seeded::run(&mut Ladder::new(scratch), &chosen, &base.seeds).await?;
    let names: Vec<String> = seeded.skipped.iter().map(|(seed, label)| format!("{seed} before {label}")).collect();
    let with = match embedded.checks.iter().map(|check| check.statements.len()).sum() {
        0 => "there are no checks".to_owned(),
        1 => "checked with 1 query".to_owned(),
        queries => format!("checked with {queries} queries"),
    };
    let mut parts = vec![format!("{} on seeded databases", count(seeded.migrations, "migration")), with];
    if !names.is_empty() {
        parts.push(format!("seeds that do not fit: {}", list(&names)));
    }
    let head = parts.join("; ");
    let verdict = match (seeded.failures.is_empty(), seeded.broken_before.is_empty()) {
        (false, _) => Verdict::Failed,
        (true, false) => Verdict::Mild,
        (true, true) => Verdict::Ok,
    };
    let lines = seeded.failures.iter().flat_map(|failure| failure.lines().map(str::to_owned));
    Ok((verdict, std::iter::once(head).chain(lines).chain(seeded.broken_before).collect()))
}
