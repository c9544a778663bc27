//! `history`: the event log; writes nothing.

use std::time::Duration;

use serde_json::{Value, json};

use super::context::Context;
use crate::error::{Error, Exit};
use crate::operation::{LogEvent, LogOptions};
use crate::output::{self, columns_of_stdout, is_json, result, results};
use crate::table::{Table, wrap};
use crate::words::{cell, duration, thousands};

/// The arguments of `history`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Newest first. A run is one call of the migrator that wrote; --json has its whole id, the plan's digest and the checksums.\n\n\
                  Example: migrator history --version 012 --limit 5"
)]
pub(crate) struct Args {
    /// Show only events of this migration.
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// Show only events of the run whose id begins so.
    #[arg(long, value_name = "ID")]
    pub run: Option<String>,
    /// Show at most so many events; 0 shows all.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: u64,
}

/// Reads and prints.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let session = context.connect().await?;
    let options = LogOptions::default()
        .version(args.version.clone())
        .run(args.run.clone())
        .limit((args.limit > 0).then_some(args.limit));
    if is_json() {
        let report = session.log(&options, |portion| output::items(EVENTS, portion.iter().map(value))).await?;
        // Where there are none, this begins the list.
        output::items(EVENTS, std::iter::empty());
        output::json(&json!({ "database": session.server().database, "more": report.more }));
        return Ok(Exit::Done);
    }
    let terminal = columns_of_stdout();
    let mut text = Text::new(terminal);
    let report = session.log(&options, |portion| results(&text.lines(portion))).await?;
    if report.shown == 0 {
        result(match (&args.version, &args.run) {
            (None, None) => "no events",
            _ => "no events that match",
        });
    }
    if report.more > 0 {
        result(&format!("and {} more: --limit 0 shows all", thousands(report.more.try_into().unwrap_or(i64::MAX))));
    }
    Ok(Exit::Done)
}

/// The list in the result.
const EVENTS: &str = "events";

/// Terminals that are narrower get two or more lines an event instead of a row.
const TABLE: usize = 120;

const COLUMNS: [&str; 8] = ["TIME (UTC)", "RUN", "EVENT", "OF", "BY", "RELEASE", "TOOK", "DETAIL"];

/// The events as text.
struct Text {
    terminal: Option<usize>,
    table: Table,
}

impl Text {
    fn new(terminal: Option<usize>) -> Text {
        Text { terminal, table: Table { flexible: &[7, 3, 4], right: &[6], widths: Vec::new() } }
    }

    /// The lines of a portion, the first with the names of the columns.
    fn lines(&mut self, events: &[LogEvent]) -> String {
        if let Some(columns) = self.terminal.filter(|columns| *columns < TABLE) {
            let all: Vec<String> = events.iter().map(|event| in_lines(event, columns)).collect();
            return all.join("\n");
        }
        let mut rows = Vec::new();
        if self.table.widths.is_empty() {
            rows.push(COLUMNS.map(str::to_owned).to_vec());
        }
        rows.extend(events.iter().map(row));
        self.table.lines(&rows, self.terminal).join("\n")
    }
}

/// An event on a narrow terminal.
fn in_lines(event: &LogEvent, columns: usize) -> String {
    let [at, run, what, of, by, release, took, detail] = cells(event);
    let named = |name: &str, value: String| if value.is_empty() { value } else { format!("{name} {value}") };
    let about = [took, by, named("release", release), named("run", run), detail];
    let about: Vec<String> = about.into_iter().filter(|part| !part.is_empty()).collect();
    let head = format!("{at}  {what} {of}");
    let lines =
        [wrap(head.trim_end(), Some(columns), "  "), wrap(&format!("  {}", about.join(" · ")), Some(columns), "  ")];
    lines.join("\n")
}

fn row(event: &LogEvent) -> Vec<String> {
    cells(event).to_vec()
}

/// What the columns hold.
fn cells(event: &LogEvent) -> [String; 8] {
    let of = match (&event.version, &event.name) {
        (Some(version), Some(name)) => format!("{version}_{name}"),
        (version, name) => version.clone().or_else(|| name.clone()).unwrap_or_default(),
    };
    let statement = event.statement.map(|number| format!(" statement {number}")).unwrap_or_default();
    let outcome = if event.outcome == "done" { String::new() } else { format!(" {}", event.outcome) };
    let took = event.duration_ms.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis).map(duration);
    let short = |id: &str, length: usize| id.chars().take(length).collect::<String>();
    let details = [
        event.attempt.filter(|attempt| *attempt > 1).map(|attempt| format!("attempt {attempt}")),
        event.detail.clone(),
        event.approved_by.as_ref().map(|who| format!("approved by {who}")),
        event.backup_reference.as_ref().map(|backup| format!("backup {backup}")),
        event.plan_digest.as_ref().map(|digest| format!("plan {}", short(digest, 12))),
    ];
    let details: Vec<String> = details.into_iter().flatten().collect();
    let cells = [
        event.at.clone(),
        short(&event.run_id, 8),
        format!("{}{statement}{outcome}", event.action),
        of,
        event.actor.clone().unwrap_or_default(),
        event.release.clone().unwrap_or_default(),
        took.unwrap_or_default(),
        details.join("; "),
    ];
    cells.map(|text| cell(&text))
}

fn value(event: &LogEvent) -> Value {
    json!({
        "id": event.id,
        "at": format!("{}Z", event.at.replace(' ', "T")),
        "run": event.run_id,
        "action": event.action,
        "version": event.version,
        "name": event.name,
        "checksum": event.checksum,
        "attempt": event.attempt,
        "statement": event.statement,
        "outcome": event.outcome,
        "duration_ms": event.duration_ms,
        "detail": event.detail,
        "by": event.actor,
        "approved_by": event.approved_by,
        "backup_reference": event.backup_reference,
        "plan": event.plan_digest,
        "release": event.release,
    })
}
