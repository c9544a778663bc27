//! `drift`: compare the live schema with the compiled one; writes nothing.

use serde_json::json;

use super::context::Context;
use crate::error::{Error, Exit};
use crate::facts::{Difference, report};
use crate::operation;
use crate::output::{self, file, is_json, result, results};
use crate::words::count;

/// The arguments of `drift`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exits with 1 if the schema has drifted. `[drift]` in db/migrator.toml lists what is not compared.\n\n\
                        Example: migrator drift || echo \"the schema was changed by hand\""
)]
pub(crate) struct Args {
    /// Print the facts of the live schema in the format of db/schema.facts.<major>; compare nothing.
    #[arg(long)]
    pub facts: bool,
}

/// Reads, compares, prints.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    if args.facts && is_json() {
        return Err(Error::usage("the argument `--facts` cannot be used with `--json`")
            .help("run `drift --facts` for the file of facts, or `drift --json` for the differences"));
    }
    let session = context.connect().await?;
    if args.facts {
        file(operation::drift::facts_file(&session).await?.trim_end_matches('\n'));
        return Ok(Exit::Done);
    }
    let drift = session.drift().await?;
    let differences = &drift.differences;
    if is_json() {
        let objects: Vec<_> = differences.iter().map(Difference::json).collect();
        let value = json!({
            "drift": !differences.is_empty(),
            "postgresql": drift.major,
            "not_comparable": drift.not_comparable,
            "outdated": drift.outdated,
            "differences": objects,
        });
        output::json(&value);
    }
    if differences.is_empty() {
        result("no drift");
    } else if is_json() {
        result(&count(differences.len(), "difference"));
    } else {
        results(&report(differences));
    }
    if differences.is_empty() {
        return Ok(Exit::Done);
    }
    if let Some(reason) = &drift.not_comparable {
        context.terminal.warn(&format!("differences are expected: {reason}"));
    }
    if let Some(reason) = &drift.outdated {
        context.terminal.warn(reason);
    }
    Ok(Exit::Found)
}
