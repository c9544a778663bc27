//! What the new files lock, in few words.

use std::time::Duration;

use migrator_engine::Error;
use migrator_engine::embedded::Migration;

use crate::developer::Context;
use crate::prove::trace::{Effect, Held, Statement, Subject, Trace, Tracer, Waits};

/// No one else is on the server.
const WAIT: Duration = Duration::from_secs(10);

/// Applies the migrations on a copy of the schema and says of each what it locks, how strongly, and for how long.
///
/// # Errors
/// A migration does not go up; a lost connection.
pub(super) async fn lines(
    context: &Context,
    migrations: impl Iterator<Item = &'static Migration>,
) -> Result<Vec<String>, Error> {
    let locked = context.connect().await?.lock(WAIT).await?;
    let mut tracer = Tracer::new(&locked).await?;
    let mut lines = vec!["locks, as seen on an empty copy of the schema:".to_owned()];
    for migration in migrations {
        let trace = tracer.run_new(Subject::Migration(migration)).await?;
        lines.extend(of(&trace).into_iter().map(|line| format!("  {}: {line}", trace.label)));
    }
    drop(tracer);
    locked.release().await;
    Ok(lines)
}

/// One line for each table whose readers or writers wait.
fn of(trace: &Trace) -> Vec<String> {
    let held = trace.held(|statement| {
        let is_old = |effect: &&Effect| !effect.index && !trace.new_relations.contains(&effect.relation);
        statement.certain().iter().filter(is_old).collect()
    });
    let lines: Vec<String> = held.iter().map(|held| line(trace, held)).collect();
    match lines.is_empty() {
        true => vec![Waits::Nobody.words().to_owned()],
        false => lines,
    }
}

/// `AccessExclusive on core.users for a moment: reads and writes wait`.
fn line(trace: &Trace, held: &Held<'_>) -> String {
    let during = trace.statements.get(held.during.clone()).unwrap_or_default();
    let effects = || during.iter().flat_map(Statement::certain);
    let long = |is: fn(&Effect) -> bool, how: &str| {
        effects().find(|effect| is(effect)).map(|effect| format!("while {} is {how}", effect.relation))
    };
    let how_long = long(|effect| effect.rewritten, "rewritten")
        .or_else(|| long(|effect| effect.scanned, "read"))
        .unwrap_or_else(|| "for a moment".to_owned());
    let lock = held.lock.name();
    format!("{lock} on {} {how_long}: {}", held.relation, held.waits.words())
}
