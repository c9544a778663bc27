//! `show`: the SQL of a migration that is inside this binary.

use super::context::Context;
use crate::error::{Error, Exit};
use crate::output::{file, is_json, json};

/// The arguments of `show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator show 003")]
pub(crate) struct Args {
    /// The migration to show.
    #[arg(value_name = "VERSION")]
    pub version: i64,
}

/// Prints the file.
pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let migration = context.migrator.migration(args.version)?;
    if !migration.has_text() {
        return Err(Error::usage(format!("the SQL of {} is not in this binary", migration.label()))
            .note(format!("it is squashed, and `{}` was deleted before this release was built", migration.file))
            .help("use the binary of a release that still contains it, or git"));
    }
    if is_json() {
        json(&serde_json::json!({
            "version": migration.version,
            "name": migration.name,
            "file": migration.file,
            "checksum": migration.checksum,
            "text": migration.text,
        }));
        return Ok(Exit::Done);
    }
    file(&format!("-- {}\n-- checksum {}\n{}", migration.file, migration.checksum, migration.text.trim_end()));
    Ok(Exit::Done)
}
