//! The text of the messages that read a history, and what of it is asked for. Pure.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::{elsewhere, standing};
use crate::embedded::{Embedded, Migration};
use crate::history::AppliedMigration;
use crate::sql::{EVENT_KEY, OURS, Tables, identifier, literal, newest_first};

/// How much of a history is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Extent {
    /// What a plan for this set depends on. Of the state table: the rows, unless their versions and checksums are those of the set up
    /// to some version. Of the event log: what decides.
    Plan(&'static Embedded),
    /// All rows of the state table; of the event log, what decides.
    Rows,
    /// Both tables.
    Whole,
}

impl Extent {
    /// How much is read again once the lock is held: a plan is made then, unless the operation asks for everything.
    pub(crate) fn under_lock(self, set: &'static Embedded) -> Extent {
        if let Extent::Whole = self { Extent::Whole } else { Extent::Plan(set) }
    }
}

/// For how many of the newest migrations it is known what the state table holds with them still pending.
const PENDING: usize = 16;

/// What the state table holds where it fits the set.
pub(super) struct Expected {
    /// By version, as texts.
    migrations: Vec<&'static Migration>,
    /// How many of them, and the SHA-256 of their versions and checksums.
    sums: Vec<(usize, String)>,
}

impl Expected {
    pub(super) fn of(set: &'static Embedded) -> Expected {
        let mut migrations: Vec<&Migration> = set.migrations.iter().collect();
        migrations.sort_unstable_by_key(|migration| &*migration.version);
        let mut hash = Sha256::new();
        let mut sums = Vec::new();
        for count in 0..=migrations.len() {
            if count + PENDING >= migrations.len() {
                sums.push((count, hex::encode(hash.clone().finalize())));
            }
            // The count makes it unambiguous: each row has one space and one line end at least, and these have one.
            for part in migrations.get(count).into_iter().flat_map(|of| [&*of.version, " ", &*of.checksum, "\n"]) {
                hash.update(part);
            }
        }
        Expected { migrations, sums }
    }

    /// The rows of the state table that holds so many, as far as they decide.
    pub(super) fn rows(&self, count: usize) -> Vec<AppliedMigration> {
        let row = |migration: &&Migration| AppliedMigration {
            version: migration.version.clone(),
            checksum: Some(migration.checksum.clone()),
            ..AppliedMigration::default()
        };
        self.migrations.iter().take(count).map(row).collect()
    }

    fn values(&self) -> String {
        let value = |(count, sum): &(usize, String)| format!("({count}::bigint, '{sum}')");
        self.sums.iter().map(value).collect::<Vec<_>>().join(", ")
    }
}

/// The results of [`reading`] that have rows, in order.
pub(super) const STANDING: usize = 1;
pub(super) const STATE: usize = 2;

/// One message: it stops at the first table that does not exist or that cannot be trusted, before anything of it is read.
///
/// Nothing of the session is changed: it may belong to a pooler, which gives it to another client. The locks come before the
/// snapshot, so that what is judged is what is read; one snapshot, so that both tables tell of the same moment. `has_log`: another
/// tool has no event log; `expected`: see [`Extent::Plan`].
pub(super) fn reading(
    major: i32,
    tables: &Tables,
    wait: Duration,
    extent: Extent,
    expected: Option<&Expected>,
    has_log: bool,
) -> String {
    let mut parts = vec!["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned()];
    parts.extend(OURS.map(str::to_owned));
    parts.push("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0".to_owned());
    if major >= 17 {
        parts.push("SET LOCAL transaction_timeout = 0".to_owned());
    }
    // A query of a few steps is not worth compiling, however long the log is.
    parts.push(format!("SET LOCAL lock_timeout = {}; SET LOCAL jit = off", wait.as_millis().max(1)));
    let locked = if has_log { format!("{}, {}", tables.state, tables.events) } else { tables.state.clone() };
    parts.push(format!("LOCK TABLE {locked} IN ACCESS SHARE MODE"));
    parts.push(standing::guarded_rows(tables));
    parts.push(rows(tables, expected));
    parts.extend(has_log.then(|| log(tables, extent)));
    parts.join(";\n")
}

/// The state table.
fn rows(tables: &Tables, expected: Option<&Expected>) -> String {
    let summary = match expected {
        Some(expected) => short(include_str!("summary.sql")).replace("{expected}", &expected.values()),
        None => "SELECT NULL::bigint AS count, false AS known".to_owned(),
    };
    short(include_str!("rows.sql")).replace("{summary}", &summary).replace("{state}", &tables.state)
}

/// A text without what is there for its readers: the first packets of a connection hold little.
fn short(text: &str) -> String {
    text.lines().map(str::trim_start).filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n")
}

/// The event log.
fn log(tables: &Tables, extent: Extent) -> String {
    let indexed = match extent {
        Extent::Plan(_) | Extent::Rows => tables.is_indexed(),
        Extent::Whole => "false".to_owned(),
    };
    let repeats = !matches!(extent, Extent::Plan(set) if set.repeatables.is_empty());
    let columns = COLUMNS.map(|column| format!("e.{column}")).join(", ");
    short(include_str!("deciding.sql"))
        .replace("{indexed}", &indexed)
        .replace("{repeats}", if repeats { "true" } else { "false" })
        .replace("{columns}", &columns)
        .replace("{newest_first}", &newest_first())
        .replace("{key}", &format!("({EVENT_KEY})"))
        .replace("{state}", &tables.state)
        .replace("{events}", &tables.events)
}

/// The columns of the event log that are read.
const COLUMNS: [&str; 11] = [
    "id",
    "run_id",
    "action",
    "version",
    "name",
    "checksum",
    "attempt",
    "statement",
    "statement_checksum",
    "outcome",
    "detail",
];

/// What the server and the session are; ends the transaction before it. `is_first`: also what stays as it is on one connection, and
/// takes longer to ask: which timeouts the server knows, what the client has set, and which database it is.
pub(super) fn about(tables: &Tables, is_first: bool) -> String {
    let state = literal(&tables.state);
    let (settings, identity) = if is_first { (SETTINGS, format!(";\n{IDENTITY}")) } else { ("", String::new()) };
    format!(
        "ROLLBACK;\nBEGIN READ ONLY;\n{path};\n{security};\nSET LOCAL statement_timeout = 0;\n\
         SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS number, \
         current_database() AS database, session_user AS user, pg_backend_pid() AS pid, \
         version() AS product, pg_is_in_recovery()::int AS standby, to_regclass({state}) AS state, to_regnamespace({schema}) IS NOT NULL AS schema, \
         CASE WHEN to_regclass({state}) IS NULL THEN ({elsewhere}) END AS elsewhere{settings};\nROLLBACK{identity}",
        path = OURS[0],
        security = OURS[1],
        schema = literal(&identifier(&tables.schema)),
        elsewhere = elsewhere::question(tables),
    )
}

/// Which database it is. What follows a transaction of ours has the session's own `search_path`. Every role may ask for the system
/// identifier, unless that was revoked; a function that is named outside a text is checked before any condition.
const IDENTITY: &str = "SELECT (SELECT oid FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database()) AS oid, \
     CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') THEN pg_catalog.substring(\
     pg_catalog.query_to_xml('SELECT system_identifier FROM pg_catalog.pg_control_system()', false, true, '')::pg_catalog.text, \
     '[0-9]{9,}') END AS system";

/// The end of that question, with the settings.
const SETTINGS: &str = ", timeouts, explicit FROM (SELECT string_agg(name, ' ' ORDER BY name) FILTER (WHERE context = 'user' \
     AND vartype = 'integer' AND min_val = '0' AND name ~ '^[a-z_]+_timeout$') AS timeouts, \
     string_agg(name, ' ') FILTER (WHERE source = 'client') AS explicit FROM pg_settings) AS settings";
