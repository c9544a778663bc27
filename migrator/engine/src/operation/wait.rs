//! `wait`: until the server accepts connections to the database.

use std::time::{Duration, Instant};

use crate::connect::{Trouble, dial};
use crate::conninfo::ConnectionTarget;
use crate::error::{Error, ErrorKind};
use crate::event::{Event, Waiting};
use crate::migrator::Migrator;
use crate::words;

/// The result of [`Migrator::wait`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WaitReport {
    /// The server that answered: `db1:5432`.
    pub host: String,
}

/// Tries until it works, until an error does not pass by itself, or until the time is over.
pub(crate) async fn run(
    migrator: &Migrator,
    target: &ConnectionTarget,
    timeout: Duration,
) -> Result<WaitReport, Error> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(100);
    let mut told = String::new();
    let too_late = |last: Option<Error>| {
        let message = format!("no answer from `{target}`");
        let error = last.unwrap_or_else(|| ErrorKind::NoConnection { message }.into());
        error.note(format!("waited for {}", words::duration(timeout)))
    };
    let mut last = None;
    loop {
        let left = timeout.saturating_sub(begun.elapsed());
        let attempt = dial(target, migrator.release.version, migrator.notices());
        let Ok(outcome) = tokio::time::timeout(left, attempt).await else { return Err(too_late(last)) };
        match outcome {
            Ok(connection) => return Ok(WaitReport { host: connection.host.to_string() }),
            Err(Trouble::Lasting(error)) => {
                return Err(error.note("waiting does not help: this error does not go away by itself"));
            }
            Err(Trouble::Passing(error)) => {
                let reason = error.kind().cause().into_owned();
                if reason != told {
                    let (target, help) = (target.to_string(), error.ways_out());
                    migrator.tell(Event::Waiting(Waiting::Connection { target: &target, reason: &reason, help }));
                    told = reason;
                }
                last = Some(error);
            }
        }
        let left = timeout.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Err(too_late(last));
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}
