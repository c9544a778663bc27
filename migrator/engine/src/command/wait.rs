//! `wait`: until the server accepts connections to the database.

use std::time::{Duration, Instant};

use crate::command::{Context, wait_lock};
use crate::connect::{Trouble, dial};
use crate::error::{Error, Exit};
use crate::output::{self, result};

/// The arguments of `wait`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator wait --timeout 2min && migrator up")]
pub(crate) struct Args {
    /// How long.
    #[arg(long, env = "MIGRATOR_WAIT_TIMEOUT", default_value = "1min", value_parser = wait_lock::duration, value_name = "DURATION")]
    pub timeout: Duration,
}

/// Tries until it works, until trying is in vain, or until the time is over.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let target = context.target()?;
    let begun = Instant::now();
    let mut pause = Duration::from_millis(100);
    let mut told = String::new();
    let too_late = |last: Option<Error>| {
        let waited = format!("waited for {}", output::duration(args.timeout));
        let error = last.unwrap_or_else(|| Error::new(Exit::NoConnection, format!("no answer from `{target}`")));
        error.note(waited)
    };
    let mut last = None;
    loop {
        let left = args.timeout.saturating_sub(begun.elapsed());
        let attempt = dial(&target, context.release.version, context.notices());
        let Ok(outcome) = tokio::time::timeout(left, attempt).await else { return Err(too_late(last)) };
        match outcome {
            Ok(connection) => {
                result(&format!("{} accepts connections to `{}`", connection.host, target.database()));
                return Ok(Exit::Done);
            }
            Err(Trouble::Lasting(error)) => {
                return Err(error.note("waiting does not help: this does not pass by itself"));
            }
            Err(Trouble::Passing(error)) => {
                if error.reason() != told {
                    error.reason().clone_into(&mut told);
                    context.progress.say(&format!("waiting for {target}: {told}"));
                    for help in error.helps() {
                        context.progress.say(&format!("help: {help}"));
                    }
                }
                last = Some(error);
            }
        }
        let left = args.timeout.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Err(too_late(last));
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}
