//! `stats`: how large the tables are and how busy; writes nothing to the database.

use std::path::PathBuf;

use super::context::Context;
use crate::error::{Error, Exit};
use crate::output::{self, is_json, json};
use crate::place::Place;

/// The arguments of `stats`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The file holds names, sizes and counts, and no value of any row. A role that may only connect is enough; what it may not \
                        read is left out and named.\n\n\
                        Example: migrator stats --out stats.json"
)]
pub(crate) struct Args {
    /// Write to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Reads and writes.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let place = args.out.as_deref().map(|path| Place::open(path, "the statistics")).transpose()?;
    let stats = context.migrator.stats(&context.target()?).await?;
    match place {
        Some(place) => place.write(&stats.render())?,
        None if is_json() => json(&serde_json::json!({ "stats": stats })),
        None => output::json_file(&stats.render()),
    }
    if is_json() {
        let file = args.out.as_ref().map(|path| path.display().to_string());
        json(&serde_json::json!({ "file": file, "tables": stats.tables.len(), "left_out": stats.left_out }));
    }
    for left_out in &stats.left_out {
        context.terminal.say(&format!("left out: {left_out}"));
    }
    if let Some(path) = &args.out {
        context.terminal.say(&format!("wrote {}: {} tables", path.display(), stats.tables.len()));
    }
    Ok(Exit::Done)
}
