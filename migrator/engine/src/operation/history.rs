//! `history`: the event log, newest first, read in portions.

use tokio_postgres::SimpleQueryRow;

use super::options::options;
use crate::connect::{number, query, text};
use crate::error::Error;
use crate::session::Session;
use crate::sql::{is_text, literal};

options! {
    /// Which part of the event log [`Session::log`] reads.
    LogOptions {
        /// Only events of the migration of this version, with or without leading zeros.
        version: Option<String> = None,
        /// Only events of the run whose id begins so.
        run: Option<String> = None,
        /// At most so many of the newest; `None`: all.
        limit: Option<u64> = None,
    }
}

/// One event, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEvent {
    /// Its number; a newer event has a greater one.
    pub id: i64,
    /// When, in UTC, to the second: `2026-11-20 14:02:31`.
    pub at: String,
    /// The run that wrote it; see [`crate::history::Event`] for this and what follows.
    pub run_id: String,
    /// `up`, `down`, `seed`, ...
    pub action: String,
    /// The migration.
    pub version: Option<String>,
    /// The name of the migration, repeatable, seed or environment.
    pub name: Option<String>,
    /// The checksum of what was run.
    pub checksum: Option<String>,
    /// Which try of a migration outside a transaction.
    pub attempt: Option<i32>,
    /// The number of its statement.
    pub statement: Option<i32>,
    /// `started`, `done` or `failed`.
    pub outcome: String,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// The failure, or the decision.
    pub detail: Option<String>,
    /// Who ran the migrator: `user@host`.
    pub actor: Option<String>,
    /// Who approved the plan.
    pub approved_by: Option<String>,
    /// The backup that was made before it.
    pub backup_reference: Option<String>,
    /// The digest of the plan.
    pub plan_digest: Option<String>,
    /// The release of the binary.
    pub release: Option<String>,
}

/// The result of [`Session::log`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogReport {
    /// How many events were read.
    pub shown: u64,
    /// How many older ones there are that the options let pass and the limit does not.
    pub more: u64,
}

/// How many events are in memory at once.
const PORTION: u64 = 500;

/// Reads the event log, newest first, and hands it over in portions.
pub(crate) async fn run(
    session: &Session,
    options: &LogOptions,
    mut each: impl FnMut(&[LogEvent]),
) -> Result<LogReport, Error> {
    let mut report = LogReport { shown: 0, more: 0 };
    let client = &session.connection.client;
    let table = &session.tables.events;
    let presence = format!("SELECT to_regclass({})::text AS there", literal(table));
    let rows = query(client, "reading the event log", &presence).await?;
    // Another tool has none.
    if rows.first().and_then(|row| text(row, "there")).is_none() {
        return Ok(report);
    }
    let filter = filter(options);
    let rows =
        query(client, "reading the event log", &format!("SELECT count(*) AS all FROM {table} WHERE {filter}")).await?;
    let all: u64 = rows.first().and_then(|row| number(row, "all")).unwrap_or(0);
    let wanted = options.limit.map_or(all, |limit| limit.min(all));
    let mut before = i64::MAX;
    while report.shown < wanted {
        let portion = PORTION.min(wanted - report.shown);
        let question = format!(
            "SELECT log.* FROM {ABSENT}, LATERAL (\
             SELECT {COLUMNS} FROM {table} WHERE id < {before} AND {filter} ORDER BY id DESC LIMIT {portion}) AS log ORDER BY id DESC"
        );
        let rows = query(client, "reading the event log", &question).await?;
        let events: Vec<LogEvent> = rows.iter().map(event).collect();
        let Some(last) = events.last() else { break };
        before = last.id;
        report.shown += events.len() as u64;
        each(&events);
    }
    report.more = all.saturating_sub(report.shown);
    Ok(report)
}

/// What an older log lacks is found here.
const ABSENT: &str = "(SELECT NULL::text AS backup_reference) AS absent";

/// What is read of an event.
const COLUMNS: &str = "id, to_char(timezone('UTC', at), 'YYYY-MM-DD HH24:MI:SS') AS at_utc, run_id, action, version, name, checksum, \
     attempt, statement, outcome, duration_ms, detail, actor, approved_by, backup_reference, plan_digest, release";

fn filter(options: &LogOptions) -> String {
    let mut parts = vec!["true".to_owned()];
    // `12` is the version of `012_x.sql`.
    parts.extend(options.version.as_ref().map(|version| {
        let bare = version.trim_start_matches('0');
        match bare {
            "" => "version::text ~ '^0+$'".to_owned(),
            bare => is_text("ltrim(version::text, '0')", bare),
        }
    }));
    parts.extend(options.run.as_ref().map(|run| format!("starts_with(run_id, {})", literal(run))));
    parts.join(" AND ")
}

fn event(row: &SimpleQueryRow) -> LogEvent {
    let whole = |column| text(row, column).unwrap_or_default();
    LogEvent {
        id: number(row, "id").unwrap_or(0),
        at: whole("at_utc"),
        run_id: whole("run_id"),
        action: whole("action"),
        version: text(row, "version"),
        name: text(row, "name"),
        checksum: text(row, "checksum"),
        attempt: number(row, "attempt"),
        statement: number(row, "statement"),
        outcome: whole("outcome"),
        duration_ms: number(row, "duration_ms"),
        detail: text(row, "detail"),
        actor: text(row, "actor"),
        approved_by: text(row, "approved_by"),
        backup_reference: text(row, "backup_reference"),
        plan_digest: text(row, "plan_digest"),
        release: text(row, "release"),
    }
}
