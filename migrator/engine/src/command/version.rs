//! `version`: which binary this is.

use serde_json::json;

use super::context::Context;
use crate::error::Exit;
use crate::output::{self, result};

/// The arguments of `version`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator version --verbose")]
pub(crate) struct Args {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Prints it.
pub(crate) fn run(context: &Context, args: &Args) -> Exit {
    let (embedded, release) = (context.migrator.embedded, context.migrator.release);
    let newest = embedded.migrations.last().map(|migration| &*migration.version);
    if args.json {
        let value = json!({
            "release": release.version,
            "commit": release.commit,
            "migrations": embedded.migrations.len(),
            "newest": newest,
            "digest": embedded.digest,
        });
        output::json(&value);
        return Exit::Done;
    }
    result(&format!("migrator {}", release.version));
    if context.terminal.is_verbose() {
        result(&format!("commit      {}", release.commit));
        result(&format!("migrations  {} (newest {})", embedded.migrations.len(), newest.unwrap_or("none")));
        result(&format!("digest      {}", embedded.digest));
    }
    Exit::Done
}
