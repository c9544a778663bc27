//! `version`: which binary this is.

use serde_json::json;

use super::context::Program;
use crate::error::{Error, Exit};
use crate::output::{self, is_json, result};

/// The arguments of `version`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator version --verbose")]
pub(crate) struct Args {}

/// Prints it, without reading the migrations.
///
/// # Errors
/// What is embedded cannot be read.
pub(crate) fn run(program: &Program, _: &Args) -> Result<Exit, Error> {
    let (embedded, release) = (program.embedded.summary()?, program.release);
    let newest = embedded.newest.as_deref();
    if is_json() {
        let value = json!({
            "release": release.version,
            "commit": release.commit,
            "migrations": embedded.migrations,
            "newest": newest,
            "digest": embedded.digest,
        });
        output::json(&value);
    }
    result(&format!("migrator {}", release.version));
    if program.terminal.is_verbose() && !is_json() {
        result(&format!("commit      {}", release.commit));
        result(&format!("migrations  {} (newest {})", embedded.migrations, newest.unwrap_or("none")));
        result(&format!("digest      {}", embedded.digest));
    }
    Ok(Exit::Done)
}
