//! `stamp`: record as applied without running, for a database that has the schema already.

use crate::command::{Beside, Context, Wait};
use crate::connect::failed;
use crate::error::{Error, Exit};
use crate::output::{list, result};
use crate::plan::{self, Step, Target};
use crate::recorded;
use crate::sql::{NewEvent, insert_event, insert_state};

/// The arguments of `stamp`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator stamp --to 001   (an existing production schema is what 001_init.sql says)")]
#[group(id = "what", required = true, multiple = false)]
pub(crate) struct Args {
    /// Up to and with this version.
    #[arg(long, value_name = "VERSION", group = "what")]
    pub to: Option<i64>,
    /// Every migration of this binary.
    #[arg(long, group = "what")]
    pub all: bool,
    /// How long to wait for another migrator.
    #[command(flatten)]
    pub wait: Wait,
}

/// Plans like `up` and writes the history rows only, all in one transaction.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let target = args.to.map_or(Target::Newest, Target::Version);
    let session = context.open_within(args.wait.wait_lock).await?;
    context.announce(&session);
    let (executor, history) = context.lock(session, args.wait.wait_lock).await?;
    let plan = plan::up(context.embedded, &history, target, false)?;
    let migrations = plan.steps.iter().filter_map(|step| match step {
        Step::Migration { migration, .. } => Some(*migration),
        Step::Repeatable(_) => None,
    });
    let mut statements = Vec::new();
    let mut names = Vec::new();
    for migration in migrations {
        let label = (migration.version, migration.name, migration.checksum);
        let down_block = recorded::encode(migration);
        let event = NewEvent {
            down_block: Some(&down_block),
            action: "stamp",
            version: Some(migration.version),
            name: Some(migration.name),
            checksum: Some(migration.checksum),
            outcome: "done",
            duration_ms: Some(0),
            ..NewEvent::default()
        };
        statements.push(insert_state(&executor.tables, &executor.run, label, Some(0)));
        statements.push(insert_event(&executor.tables, &executor.run, &event));
        names.push(migration.label());
    }
    if names.is_empty() {
        result("nothing to stamp");
    } else {
        executor.prepare(&history, Beside::Allowed).await?;
        let written = executor.write(&statements.join(";\n")).await;
        written.map_err(|error| failed("recording the migrations", &error))?;
        result(&format!("stamped {} without running: {}", names.len(), list(&names)));
    }
    executor.finish().await;
    Ok(Exit::Done)
}
