//! `wait`: until the server accepts connections to the database.

use std::time::Duration;

use super::context::Context;
use super::wait_lock;
use crate::error::{Error, Exit};
use crate::output::{is_json, json, result};

/// The arguments of `wait`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator wait --timeout 2min && migrator up")]
pub(crate) struct Args {
    /// How long to wait for the server.
    #[arg(long, env = "MIGRATOR_WAIT_TIMEOUT", default_value = "1min", value_parser = wait_lock::parse, value_name = "DURATION")]
    pub timeout: Duration,
}

/// Waits.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let target = context.target()?;
    let report = context.migrator.wait(&target, args.timeout).await?;
    if is_json() {
        json(&serde_json::json!({ "host": report.host, "database": target.database() }));
    }
    result(&format!("{} accepts connections to `{}`", report.host, target.database()));
    Ok(Exit::Done)
}
