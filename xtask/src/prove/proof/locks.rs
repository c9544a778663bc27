//! Which locks each statement takes on what was there before it, traced while it runs.

use super::answer::{Answer, Verdict};
use crate::prove::scratch::Scratch;
use crate::prove::trace::{Subject, Trace, Tracer, Waits};
use migrator_engine::Error;

/// Every statement of every migration, in its place in the history; what it locks is no failure, but worth knowing.
pub(super) async fn trace(scratch: &Scratch<'_>, traces: &mut Vec<Trace>) -> Result<Answer, Error> {
    let database = scratch.database().await?;
    let migrations = &scratch.context.migrator.embedded().migrations;
    let mut tracer = Tracer::new(&database.locked).await?;
    for migration in migrations.iter() {
        if scratch.context.migrator.stop().is_requested() {
            break;
        }
        traces.push(tracer.run(Subject::Migration(migration)).await?);
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
