//! `resolve`: a person decides about a statement whose outcome nobody knows.

use crate::command::{Context, Wait};
use crate::connect::failed;
use crate::error::{Error, Exit};
use crate::output::result;
use crate::sql::NewEvent;

/// The arguments of `resolve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator resolve 010 --statement 2 --applied")]
#[group(id = "decision", required = true, multiple = false)]
pub(crate) struct Args {
    /// The half-done migration.
    #[arg(value_name = "VERSION")]
    pub version: i64,
    /// The statement's number, as `status` shows it.
    #[arg(long, value_name = "N")]
    pub statement: i32,
    /// Its effect is in the database: go on behind it.
    #[arg(long, group = "decision")]
    pub applied: bool,
    /// Its effect is not in the database: run it again.
    #[arg(long, group = "decision")]
    pub retry: bool,
    /// How long to wait for another migrator.
    #[command(flatten)]
    pub wait: Wait,
}

/// Writes the decision into the event log.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let migration = context.migration(args.version)?;
    let session = context.open_within(args.wait.wait_lock).await?;
    context.announce(&session);
    let (executor, history) = context.lock(session, args.wait.wait_lock).await?;
    let progress = history.progress().remove(migration.version);
    let open = progress.as_ref().and_then(|progress| progress.open.as_ref());
    let (Some(progress), Some(open)) = (&progress, open) else {
        return Err(Error::new(
            Exit::Usage,
            format!("migration {} has no statement to decide about", migration.label()),
        )
        .help("`migrator status` shows what is half-done"));
    };
    if open.number != args.statement {
        return Err(Error::new(
            Exit::Usage,
            format!(
                "statement {} of migration {} is not the open one: that is statement {}",
                args.statement,
                migration.label(),
                open.number
            ),
        )
        .help("decide about the statement that `migrator status` shows"));
    }
    let decision = if args.applied { "applied" } else { "retry" };
    let event = NewEvent {
        action: "resolve",
        version: Some(migration.version),
        name: Some(migration.name),
        attempt: Some(progress.attempt),
        statement: Some((args.statement.unsigned_abs() as usize, &open.checksum)),
        outcome: "done",
        duration_ms: Some(0),
        detail: Some(decision),
        ..NewEvent::default()
    };
    executor.record(&event).await.map_err(|error| failed("recording the decision", &error))?;
    executor.finish().await;
    let next = if args.applied { "counts as applied" } else { "will be run again" };
    let command = progress.direction.word();
    result(&format!("statement {} of {} {next}; `migrator {command}` goes on", args.statement, migration.label()));
    Ok(Exit::Done)
}
