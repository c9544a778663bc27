//! `stamp`: record migrations as applied without running them, for a database that already has the schema.

use super::context::Context;
use super::wait_lock::Wait;
use crate::error::{Error, Exit};
use crate::operation::stamp::StampOptions;
use crate::output::{is_json, json, result};
use crate::words::list;

/// The arguments of `stamp`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator stamp --to 001   (the existing schema is that of 001_init.sql)")]
#[group(id = "what", required = true, multiple = false)]
pub(crate) struct Args {
    /// Record the migrations up to and including this version.
    #[arg(long, value_name = "VERSION", group = "what")]
    pub to: Option<i64>,
    /// Record every migration of this binary.
    #[arg(long, group = "what")]
    pub all: bool,
    /// Compare the live schema with the compiled one first, and refuse if they differ; needs the newest version.
    #[arg(long)]
    pub verify: bool,
    /// How long to wait for another migrator.
    #[command(flatten)]
    pub wait: Wait,
}

/// Records.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let session = context.connect_within(args.wait.wait_lock).await?;
    let options = StampOptions { to: args.to, verify: args.verify, wait_lock: args.wait.wait_lock };
    let report = session.stamp(&options).await?;
    let stamped = &report.stamped;
    if is_json() {
        json(&serde_json::json!({ "stamped": stamped }));
    }
    result(&match stamped.len() {
        0 => "nothing to stamp".to_owned(),
        count => format!("stamped {count} without running: {}", list(stamped)),
    });
    Ok(Exit::Done)
}
