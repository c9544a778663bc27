//! `status`: what is applied and what is not; writes nothing.

use super::context::Context;
use crate::error::{Error, Exit};
use crate::output::{columns_of_stdout, is_json, json, results};
use crate::report;
use crate::store::{Extent, LONGEST_WAIT};

/// The arguments of `status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator status --check || echo \"the database is not up to date\"")]
pub(crate) struct Args {
    /// Exit with 1 if anything is pending or half-done, 4 if history and binary diverge.
    #[arg(long)]
    pub check: bool,
}

/// Reads and prints.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let session = context.connect_reading(Extent::Rows, LONGEST_WAIT).await?;
    let survey = session.status();
    let recording = session.recording_command();
    if is_json() {
        let mut value = report::json(&survey, &session.server().database, session.environment().as_deref());
        value["lock"] = session.holder().await?.map(|holder| holder.json()).into();
        json(&value);
        results(&report::summary(&survey, recording.as_deref()));
    } else {
        results(report::text(&survey, recording.as_deref(), columns_of_stdout()).trim_end());
    }
    Ok(if args.check { report::check(session.embedded(), &survey) } else { Exit::Done })
}
