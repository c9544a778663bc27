//! Which locks each statement takes on what was there before it, traced while it runs.

use super::answer::{Answer, Verdict};
use super::before::Base;
use crate::prove::scratch::Scratch;
use crate::prove::trace::{Subject, Trace, Tracer, Waits};
use migrator_engine::Error;

/// Every statement of every migration, in its place in the history; what it locks is no failure, but worth knowing.
///
/// What the migrations make that are not on the base branch is not in production, and is told apart.
pub(super) async fn trace(scratch: &Scratch<'_>, base: &Base, traces: &mut Vec<Trace>) -> Result<Answer, Error> {
    let database = scratch.database().await?;
    let migrations = &scratch.context.migrator.embedded().migrations;
    let mut tracer = Tracer::new(&database.locked).await?;
    for migration in migrations.iter() {
        if scratch.context.migrator.stop().is_requested() {
            break;
        }
        let subject = Subject::Migration(migration);
        traces.push(match base.versions.contains(&migration.number) {
            true => tracer.run(subject).await?,
            false => tracer.run_new(subject).await?,
        });
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

fn lines(trace: &Trace) -> Vec<String> {
    let of_statement = trace.statements.iter().flat_map(|statement| statement.lines(Waits::Writes));
    of_statement.map(|line| format!("{} {line}", trace.label)).collect()
}
