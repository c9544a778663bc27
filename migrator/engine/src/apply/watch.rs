//! What the second session sees while the first one works: which session blocks it, how far an index build is.

use std::time::{Duration, Instant};

use tokio_postgres::{Client, SimpleQueryRow};

use super::done::Done;
use super::executor::Executor;
use super::failure::Failure;
use crate::connect::{number, ours, text};
use crate::event::{Doing, Event};
use crate::peers::{Activity, Holder};
use crate::store;

/// How often the second session looks; below the usual `lock_timeout`, so that a blocker is seen before it strikes.
const EVERY: Duration = Duration::from_millis(200);

/// Watches one step.
pub(super) struct Watch<'a> {
    executor: &'a Executor,
    label: &'a str,
    /// What was said last, and when.
    said: String,
    at: Instant,
    /// Who blocked it when it was seen last.
    blocker: Option<Holder>,
}

/// Waits for something that the first session does, and says what it waits for.
pub(super) async fn while_running<T>(
    executor: &Executor,
    label: &str,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut watch = Watch::new(executor, label);
    let outcome = watch.announcing(work, &mut Done::default()).await;
    outcome.map_err(|failure| watch.explain(failure))
}

impl<'a> Watch<'a> {
    pub(super) fn new(executor: &'a Executor, label: &'a str) -> Watch<'a> {
        Watch { executor, label, said: String::new(), at: Instant::now(), blocker: None }
    }

    /// Waits for the work; while it takes its time, what was done before it is made durable and announced.
    pub(super) async fn announcing<T>(&mut self, work: impl Future<Output = T>, done: &mut Done) -> T {
        let mut work = std::pin::pin!(work);
        let mut ticks = 0_u32;
        loop {
            match tokio::time::timeout(EVERY, &mut work).await {
                Ok(outcome) => return outcome,
                Err(_) => {
                    ticks += 1;
                    // The look itself may take its time: the work's end must not wait for it.
                    tokio::select! {
                        outcome = &mut work => return outcome,
                        () = self.look(done, ticks >= 5) => {}
                    }
                }
            }
        }
    }

    async fn look(&mut self, done: &mut Done, long: bool) {
        let Some(monitor) = self.executor.monitor_if_possible().await else { return };
        if long && done.is_unannounced() && store::flush(monitor).await.is_ok() {
            done.announce(&*self.executor.migrator.observer);
        }
        let Ok(seen) = see(monitor, self.executor.connection.server.backend_pid).await else { return };
        if let Some(blocker) = &seen.blocker {
            self.blocker = Some(blocker.clone());
        }
        let (line, doing) = match &seen {
            Seen { blocker: Some(holder), .. } => {
                (format!("waits for a lock: blocked by {holder}"), Doing::Waits { holder })
            }
            Seen { index_build: Some((phase, done, total)), .. } => {
                let line = format!("index build: {phase}, {done} of {total} blocks");
                (line, Doing::BuildsIndex { phase, done: *done, total: *total })
            }
            _ => return,
        };
        // Once a second, and a line that has been said only every ten.
        let pause = if line == self.said { Duration::from_secs(10) } else { Duration::from_secs(1) };
        if self.said.is_empty() || self.at.elapsed() >= pause {
            self.executor.tell(Event::Progress { step: self.label, text: &line, doing });
            (self.said, self.at) = (line, Instant::now());
        }
    }

    /// Adds the blocking session to a failure for want of a lock.
    pub(super) fn explain(self, mut failure: Failure) -> Failure {
        if failure.is_about_locks() {
            failure.blocker = self.blocker;
        }
        failure
    }
}

struct Seen {
    blocker: Option<Holder>,
    /// The phase, the blocks that are done, and all of them.
    index_build: Option<(String, i64, i64)>,
}

/// One query: who blocks the session, and the progress of the index that it builds.
async fn see(monitor: &Client, pid: i32) -> Result<Seen, tokio_postgres::Error> {
    let statement = format!(
        "SELECT 'blocker' AS what, a.pid, a.usename::text AS user, a.application_name AS application, \
           pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS since, a.state, \
           greatest(0, extract(epoch FROM pg_catalog.clock_timestamp() - coalesce(a.state_change, a.backend_start)))::int8 AS done, \
           0::int8 AS total, pg_catalog.left(pg_catalog.regexp_replace(a.query, '\\s+', ' ', 'g'), 80) AS text \
         FROM pg_catalog.pg_stat_activity a WHERE a.pid = ANY (pg_catalog.pg_blocking_pids({pid})) \
         UNION ALL SELECT 'index', NULL, NULL, NULL, NULL, NULL, p.blocks_done, p.blocks_total, p.phase \
         FROM pg_catalog.pg_stat_progress_create_index p WHERE p.pid = {pid}"
    );
    let rows = ours(monitor, &statement).await?;
    let find = |what: &str| rows.iter().find(|row| row.get("what") == Some(what));
    let index_build = find("index").map(|row| {
        let count = |name| number(row, name).unwrap_or_default();
        (text(row, "text").unwrap_or_default(), count("done"), count("total"))
    });
    Ok(Seen { blocker: find("blocker").map(holder), index_build })
}

fn holder(row: &SimpleQueryRow) -> Holder {
    let known = |name| text(row, name).filter(|text| !text.is_empty());
    let doing = Activity {
        state: known("state"),
        seconds: number(row, "done").unwrap_or_default(),
        query: known("text").unwrap_or_default(),
    };
    Holder {
        pid: number(row, "pid"),
        user: known("user"),
        application: known("application"),
        since: known("since"),
        doing: Some(doing),
    }
}
