//! Which locks each statement takes on what was there before it, traced while it runs.

use std::collections::BTreeMap;

use super::answer::{Answer, Verdict};
use super::before::Base;
use crate::prove::scratch::{Database, Scratch};
use crate::prove::trace::{Subject, Trace, Tracer, Waits};
use migrator_engine::Error;
use migrator_engine::facts::{Difference, Facts, diff};

/// Every statement of every migration, in its place in the history; what it locks is no failure, but worth knowing.
///
/// What the migrations make that are not on the base branch is not in production, and is told apart. `facts` gets what they make of the
/// schema, by their numbers.
pub(super) async fn trace(
    scratch: &Scratch<'_>,
    base: &Base,
    traces: &mut Vec<Trace>,
    mut facts: Option<&mut BTreeMap<i64, Vec<Difference>>>,
) -> Result<Answer, Error> {
    let database = scratch.database().await?;
    let migrations = &scratch.context.migrator.embedded().migrations;
    let mut tracer = Tracer::new(&database.locked).await?;
    let mut before: Option<Facts> = None;
    for migration in migrations.iter() {
        if scratch.context.migrator.stop().is_requested() {
            break;
        }
        let subject = Subject::Migration(migration);
        if base.versions.contains(&migration.number) {
            traces.push(tracer.run(subject).await?);
            before = None;
        } else {
            if facts.is_some() && before.is_none() {
                before = read(&database).await;
            }
            traces.push(tracer.run_new(subject).await?);
            if let Some(facts) = &mut facts {
                let after = read(&database).await;
                facts.extend(before.as_ref().zip(after.as_ref()).map(|(a, b)| (migration.number, diff(a, b))));
                before = after;
            }
        }
        scratch.context.terminal.reached(traces.len(), migrations.len());
    }
    scratch.discard(database).await;
    let lines: Vec<String> = traces.iter().flat_map(lines).collect();
    let head = match lines.len() {
        0 => "no statement blocks others on an existing relation".to_owned(),
        1 => "1 statement blocks others on an existing relation".to_owned(),
        count => format!("{count} statements block others on existing relations"),
    };
    Ok((Verdict::Ok, std::iter::once(head).chain(lines).collect()))
}

/// What the schema is; nothing, where it holds something that no one can compare.
async fn read(database: &Database) -> Option<Facts> {
    database.locked.facts().await.ok()
}

fn lines(trace: &Trace) -> Vec<String> {
    let of_statement = trace.statements.iter().flat_map(|statement| statement.lines(Waits::Writes));
    of_statement.map(|line| format!("{} {line}", trace.label)).collect()
}
