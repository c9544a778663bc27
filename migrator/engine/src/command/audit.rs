//! `audit`: run the compiled data checks; writes nothing.

use super::context::Context;
use crate::audit::{json, summary, text};
use crate::error::{Error, Exit};
use crate::operation;
use crate::output::{self, is_json, rendered, result};

/// The arguments of `audit`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator audit || echo \"the data needs attention\"")]
pub(crate) struct Args {
    /// The check to run; all of them by default.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// Runs the checks and prints the results.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let name = args.name.as_deref();
    operation::audit::known(&context.migrator, name)?;
    let report = context.connect().await?.audit(name).await?;
    if is_json() {
        output::json(&serde_json::json!({ "checks": json(&report.answers) }));
        result(&summary(&report.answers));
    } else {
        rendered(&text(&report.answers, context.terminal.color().on_stdout()));
    }
    Ok(report.exit())
}
