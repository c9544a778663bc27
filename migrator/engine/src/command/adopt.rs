//! `adopt`: take over what another tool has applied, as its own history says it.

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;

use super::context::Context;
use super::wait_lock::Wait;
use crate::embedded::Tool;
use crate::error::{Error, Exit};
use crate::machine::report;
use crate::operation::adopt::{AdoptOptions, AdoptReport};
use crate::output::{is_json, json, result};
use crate::store::Extent;
use crate::words::list;

/// The arguments of `adopt`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The other tool must not run meanwhile, and not afterwards. Its table stays as it is: to go back, drop the migrator's own \
                  tables.\n\nExample: migrator adopt sqlx --dry-run"
)]
pub(crate) struct Args {
    /// The tool that has applied the migrations so far.
    #[arg(value_name = "TOOL", value_parser = PossibleValuesParser::new(Tool::ALL.map(Tool::name).into_iter().filter(|name| *name != "plain")).map(|name| Tool::parse(&name).unwrap_or(Tool::Plain)))]
    pub tool: Tool,
    /// Its history table, with or without a schema [default: the usual one of the tool, in any schema].
    #[arg(long, value_name = "TABLE")]
    pub table: Option<String>,
    /// Show what would be recorded, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Compare the live schema with the compiled one first, and refuse if they differ.
    #[arg(long, conflicts_with = "dry_run")]
    pub verify: bool,
    /// How long to wait for another migrator, and for sessions that use the table.
    #[command(flatten)]
    pub wait: Wait,
}

/// Adopts, or shows what would be recorded.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let session = context.connect_reading(Extent::Whole, args.wait.wait_lock).await?;
    let (state, events) = (session.tables.state.clone(), session.tables.events.clone());
    let options = AdoptOptions {
        table: args.table.clone(),
        dry_run: args.dry_run,
        verify: args.verify,
        wait_lock: args.wait.wait_lock,
    };
    let report = session.adopt(args.tool, &options).await?;
    if is_json() {
        json(&report::adopt(&report, args.dry_run));
    }
    result(&sentence(&report, args.dry_run));
    for line in details(&report) {
        result(&line);
    }
    let is_changed = !report.adopted.is_empty() || !report.repeatables.is_empty();
    if is_changed && !args.dry_run {
        if !report.is_ours {
            result(&format!("`{}` was left as it is; to go back: DROP TABLE {state}, {events};", report.table));
        }
        result("Next: `migrator drift` compares the schema with the compiled one.");
    }
    Ok(Exit::Done)
}

/// `adopted 3 without running: 001_a, 002_b, 003_c`.
fn sentence(report: &AdoptReport, dry_run: bool) -> String {
    let (verb, from) = (if dry_run { "would adopt" } else { "adopted" }, &report.table);
    let tool = report.tool.title();
    let mut parts = Vec::new();
    match report.adopted.len() {
        0 => {}
        count => parts.push(format!("{count} without running: {}", list(&report.adopted))),
    }
    match report.repeatables.len() {
        0 => {}
        1 => parts.push(format!("the repeatable {}", report.repeatables[0])),
        count => parts.push(format!("{count} repeatables: {}", list(&report.repeatables))),
    }
    if parts.is_empty() {
        let already = match report.already {
            0 => format!("`{from}` of {tool} is empty"),
            count => format!("our history has all {count} of `{from}` already"),
        };
        return format!("nothing to adopt: {already}");
    }
    format!("{verb} from `{from}` of {tool}: {}", parts.join("; "))
}

/// What is left to say, one line each.
fn details(report: &AdoptReport) -> Vec<String> {
    let tool = report.tool.title();
    let mut lines = Vec::new();
    match report.verified {
        _ if report.adopted.is_empty() => {}
        None if report.tool == Tool::Liquibase => {
            lines.push("the checksums of Liquibase (md5sum) are not compared".to_owned());
        }
        None => {}
        Some(0) => lines.push("no checksum was compared: db/imported.toml has none for these rows".to_owned()),
        Some(1) => lines.push("1 checksum agrees with the imported file".to_owned()),
        Some(count) => lines.push(format!("{count} checksums agree with the imported files")),
    }
    if !report.outdated.is_empty() {
        lines.push(format!(
            "`up` will apply repeatables that {tool} has applied with another content: {}",
            list(&report.outdated)
        ));
    }
    if !report.pending.is_empty() {
        lines.push(format!("pending: {}", list(&report.pending)));
    }
    if !report.out_of_order.is_empty() {
        lines.push(format!(
            "out of order: {} (not applied by {tool}, which has applied later ones: run `up --allow-out-of-order`, or record with `stamp` what is in the database)",
            list(&report.out_of_order)
        ));
    }
    lines
}
