//! Repairs what an earlier run has left of a statement that cannot be rolled back, as the catalog shows it.

use super::catalog;
use super::executor::Executor;
use super::failure::{Failure, Place};
use crate::connect::is_lost;
use crate::embedded::{Block, Migration, Statement, StatementKind};
use crate::event::Event;
use crate::history::OpenStatement;

/// What to do with a statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Run it.
    Run,
    /// Its effect is in the database: record it as done.
    Done,
}

/// Checks how much of the statement is in the database, and removes what would block it; `open` says how an earlier try ended.
///
/// # Errors
/// The server's refusal of a statement of ours, a lost connection.
pub(super) async fn prepare(
    executor: &Executor,
    (migration, block): (&Migration, &Block),
    statement: &Statement,
    open: Option<&OpenStatement>,
) -> Result<Next, Failure> {
    // An earlier try was started, and its outcome is unknown.
    let unfinished = open.is_some_and(|open| !open.failed);
    let client = &executor.connection.client;
    let say = |line: &str| executor.tell(Event::Healing { step: &migration.label(), text: line });
    let own = |error| Failure::new(error, Place::Own);
    match &statement.kind {
        StatementKind::CreateIndexConcurrently { index, table, unique, rest } => {
            match catalog::index(client, table, index).await.map_err(own)? {
                catalog::Index::Valid(name) if unfinished => {
                    let rest = &migration.text[statement.range.start + rest..statement.range.end];
                    match catalog::is_as_written(client, &name, (table, *unique, rest)).await {
                        Ok(true) => {
                            say(&format!("index {} was finished by an earlier run", name.index));
                            return Ok(Next::Done);
                        }
                        Err(error) if is_lost(&error) => return Err(own(error)),
                        // Another session has built it: the server will say that it exists.
                        Ok(false) | Err(_) => say(&format!("index {} is not the one that the file builds", name.index)),
                    }
                }
                catalog::Index::Invalid(name) => {
                    let name = name.index;
                    say(&format!(
                        "index {name} is invalid, left by an unfinished build: dropping it and building it again"
                    ));
                    run(executor, block, &format!("DROP INDEX CONCURRENTLY {name}")).await?;
                }
                catalog::Index::Valid(_) | catalog::Index::Absent => {}
            }
        }
        StatementKind::DropIndexConcurrently { index }
            if unfinished && !catalog::exists(client, index).await.map_err(own)? =>
        {
            say(&format!("index {index} was dropped by an earlier run"));
            return Ok(Next::Done);
        }
        StatementKind::ReindexConcurrently { object, name } if open.is_some() => {
            for index in catalog::leftovers(client, *object, name).await.map_err(own)? {
                say(&format!("index {index} was left by an unfinished REINDEX: dropping it"));
                run(executor, block, &format!("DROP INDEX CONCURRENTLY {index}")).await?;
            }
        }
        StatementKind::DetachConcurrently { table, partition } => {
            match catalog::partition(client, table, partition).await.map_err(own)? {
                catalog::Partition::Detached if unfinished => {
                    say(&format!("partition {partition} was detached by an earlier run"));
                    return Ok(Next::Done);
                }
                catalog::Partition::Pending => {
                    say(&format!("an earlier run began to detach partition {partition}: finishing it"));
                    let statement = format!("ALTER TABLE {table} DETACH PARTITION {partition} FINALIZE");
                    run(executor, block, &statement).await?;
                    return Ok(Next::Done);
                }
                catalog::Partition::Attached | catalog::Partition::Detached => {}
            }
        }
        _ => {}
    }
    Ok(Next::Run)
}

/// Runs a statement of ours.
async fn run(executor: &Executor, block: &Block, statement: &str) -> Result<(), Failure> {
    let own = |error| Failure::new(error, Place::Own);
    let client = &executor.connection.client;
    without_lock_timeout(executor, block, async { client.batch_execute(statement).await.map_err(own) }).await
}

/// Runs something that waits for other sessions as long as it must: a lock timeout would leave it unfinished, and
/// waiting blocks no other session.
pub(super) async fn without_lock_timeout(
    executor: &Executor,
    block: &Block,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let client = &executor.connection.client;
    client.batch_execute("SET lock_timeout = 0").await.map_err(|error| Failure::new(error, Place::Own))?;
    let outcome = work.await;
    if !client.is_closed() {
        let lock_timeout = executor.session(Some(block)).lock_timeout_ms;
        let back = lock_timeout.map_or("RESET lock_timeout".to_owned(), |limit| format!("SET lock_timeout = {limit}"));
        let _ = client.batch_execute(&back).await;
    }
    outcome
}
