//! `status`: what is applied and what is not; writes nothing.

use super::context::Context;
use crate::error::{Error, Exit};
use crate::output::{columns_of_stdout, is_json, json, result, results};
use crate::report::{self, Place, Shown};
use crate::store::{Extent, LONGEST_WAIT};

/// The arguments of `status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator status --check || echo \"the database is not up to date\"")]
pub(crate) struct Args {
    /// Exit with 1 if anything is pending or half-done, 4 if history and binary diverge.
    #[arg(long)]
    pub check: bool,
    /// List all migrations, however many are applied.
    #[arg(long)]
    pub all: bool,
}

/// Reads and prints.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let session = context.connect_reading(Extent::Rows, LONGEST_WAIT).await?;
    let survey = session.status();
    let recording = session.recording_command();
    let rollback = session.rollback_of_newer().await?;
    let provenance = session.provenance().await?;
    let (host, environment) = (session.connection.host.to_string(), session.environment());
    let place = Place {
        database: &session.server().database,
        host: &host,
        environment: environment.as_deref(),
        release: session.migrator.release.version,
    };
    if is_json() {
        let mut value = report::json(&survey, &provenance, place);
        value["lock"] = session.holder().await?.map(|holder| holder.json()).into();
        if let Some(rollback) = rollback {
            value["rollback_of_newer"] = rollback.json();
        }
        json(&value);
        results(&report::summary(&survey, recording.as_deref()));
    } else {
        let (recording, all) = (recording.as_deref(), args.all);
        let shown = Shown { place, survey: &survey, provenance: &provenance, recording, all };
        results(&report::text(&shown, columns_of_stdout()));
        rollback.iter().for_each(|rollback| result(&rollback.sentence()));
    }
    Ok(if args.check { report::check(session.embedded(), &survey) } else { Exit::Done })
}
