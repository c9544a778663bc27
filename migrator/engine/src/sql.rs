//! The SQL that the engine itself sends, as text. Pure: quoting, tables, fence, session, events.
//!
//! Nothing here may depend on `search_path`: an operator, a function or a type that another user has planted in one of its
//! schemas would run with the migrator's rights. Statements that run beside a migration's own text are qualified, operators
//! included; all others run under [`OURS`].

use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::embedded::Settings;
use crate::units::hex;

/// Put before statements of ours, in the same transaction or the same message: names mean what the server calls so, and a
/// row that a policy would hide is an error.
pub(crate) const OURS: [&str; 2] = ["SET LOCAL search_path = pg_catalog, pg_temp", "SET LOCAL row_security = off"];

/// Statements of ours as one text, after what makes them safe; they must be in one transaction, or one message.
pub(crate) fn ours(statements: &str) -> String {
    format!("{}; {}; {statements}", OURS[0], OURS[1])
}

/// A string literal; works with either setting of `standard_conforming_strings`.
pub(crate) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!(" E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// A literal, or NULL.
pub(crate) fn nullable(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), literal)
}

/// A quoted identifier.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The two history tables and the lock that guards them, as the settings name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tables {
    /// The schema's plain name.
    pub schema: String,
    /// The state table's plain name.
    pub table: String,
    /// The state table, qualified and quoted.
    pub state: String,
    /// The event log, qualified and quoted.
    pub events: String,
    /// The key of the advisory lock.
    pub lock_key: i64,
}

impl Tables {
    /// The tables that the settings name.
    pub(crate) fn new(settings: &Settings) -> Tables {
        let schema = settings.history_schema.to_owned();
        let table = settings.history_table;
        let events = format!("{}_events", table.strip_suffix('s').unwrap_or(table));
        Tables {
            lock_key: lock_key(&schema, table),
            state: format!("{}.{}", identifier(&schema), identifier(table)),
            events: format!("{}.{}", identifier(&schema), identifier(&events)),
            schema,
            table: table.to_owned(),
        }
    }

    /// Which of the tables, and whether the schema, are there.
    pub(crate) fn presence(&self) -> String {
        format!(
            "SELECT to_regclass({}) IS NOT NULL AS state, to_regclass({}) IS NOT NULL AS events, to_regnamespace({}) IS NOT NULL AS schema",
            literal(&self.state),
            literal(&self.events),
            literal(&identifier(&self.schema))
        )
    }

    /// Creates what is missing and adds what an older or another tool's table lacks.
    pub(crate) fn create(&self, with_schema: bool) -> String {
        let Tables { state, events, .. } = self;
        // An existing schema must not need the right to create one, which `IF NOT EXISTS` asks for all the same.
        let schema = if with_schema { format!("CREATE SCHEMA {};\n", identifier(&self.schema)) } else { String::new() };
        let added = |columns: &[&str]| {
            columns.iter().map(|column| format!("ADD COLUMN IF NOT EXISTS {column}")).collect::<Vec<_>>().join(", ")
        };
        format!(
            "{schema}CREATE TABLE IF NOT EXISTS {state} (version varchar PRIMARY KEY);\n\
             ALTER TABLE {state} {};\n\
             CREATE TABLE IF NOT EXISTS {events} ({});\n\
             ALTER TABLE {events} {};\n",
            added(&STATE_COLUMNS),
            EVENT_COLUMNS.join(", "),
            added(&EVENT_COLUMNS[FIRST_EVENT_COLUMNS..]),
        )
    }

    /// The statements that take away what others may do with what was just created.
    pub(crate) fn open_to_others(&self, created: CreatedObjects) -> String {
        let of = |is_new: bool, table: &str| if is_new { literal(table) } else { "NULL".to_owned() };
        format!(
            "SELECT format('REVOKE ALL ON %s %s FROM %s CASCADE', kind, name, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END) AS revoke \
             FROM (SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, c.oid::regclass::text AS name, relowner AS owner, relacl AS acl \
               FROM pg_class c WHERE c.oid IN (to_regclass({state}), to_regclass({events}), (SELECT objid FROM pg_depend \
                 WHERE refobjid = to_regclass({events}) AND classid = 'pg_class'::regclass AND deptype = 'i' AND refobjsubid > 0)) \
             UNION ALL SELECT 'SCHEMA', quote_ident(nspname), nspowner, nspacl FROM pg_namespace WHERE nspname = {schema}) AS new, \
             LATERAL (SELECT DISTINCT grantee FROM aclexplode(acl) WHERE grantee <> owner) AS others",
            state = of(created.state, &self.state),
            events = of(created.events, &self.events),
            schema = of(created.schema, &self.schema),
        )
    }
}

/// What did not exist before the history was created.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CreatedObjects {
    /// The state table.
    pub(crate) state: bool,
    /// The event log.
    pub(crate) events: bool,
    /// The schema of both.
    pub(crate) schema: bool,
}

/// Lets a sequence that is behind its column, as on a copy by logical replication, go on after the newest number.
pub(crate) fn set_sequence(sequence: &str, newest: i64) -> String {
    format!("SELECT setval({}::regclass, {newest}::int8);\n", literal(sequence))
}

/// The name in a column's definition.
pub(crate) fn first_word(definition: &str) -> &str {
    definition.split(' ').next().unwrap_or_default()
}

/// What our state table has beyond dbmate's `version`, all nullable or defaulted so that dbmate can insert.
pub(crate) const STATE_COLUMNS: [&str; 6] = [
    "name pg_catalog.text",
    "checksum pg_catalog.text",
    "applied_at pg_catalog.timestamptz DEFAULT pg_catalog.now()",
    "applied_by pg_catalog.text DEFAULT session_user",
    "execution_ms bigint",
    "release pg_catalog.text",
];

/// The columns of the event log. Those after [`FIRST_EVENT_COLUMNS`] came later: an older table gets them.
pub(crate) const EVENT_COLUMNS: [&str; 19] = [
    "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()",
    "run_id pg_catalog.text NOT NULL",
    "action pg_catalog.text NOT NULL",
    "version varchar",
    "name pg_catalog.text",
    "checksum pg_catalog.text",
    "attempt integer",
    "statement integer",
    "statement_checksum pg_catalog.text",
    "outcome pg_catalog.text NOT NULL",
    "duration_ms bigint",
    "detail pg_catalog.text",
    "actor pg_catalog.text",
    "approved_by pg_catalog.text",
    "plan_digest pg_catalog.text",
    "release pg_catalog.text",
    "session pg_catalog.text",
    "down_block pg_catalog.text",
];

/// How many columns the event log had in its first form.
const FIRST_EVENT_COLUMNS: usize = 17;

/// The key of the session lock: the first eight bytes of SHA-256 over a product constant, NUL and the qualified table.
fn lock_key(schema: &str, table: &str) -> i64 {
    let digest = Sha256::digest(format!("migrator\0{schema}.{table}"));
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(bytes)
}

/// The condition on `pg_locks` that selects our lock in this database.
pub(crate) fn lock_condition(key: i64) -> String {
    // A one-key advisory lock is shown as two halves, with objsubid 1.
    let (high, low) = (((key as u64) >> 32) as u32, key as u32);
    format!(
        "locktype OPERATOR(pg_catalog.=) 'advisory' AND classid OPERATOR(pg_catalog.=) {high}::pg_catalog.oid \
         AND objid OPERATOR(pg_catalog.=) {low}::pg_catalog.oid AND objsubid OPERATOR(pg_catalog.=) 1::pg_catalog.int2 \
         AND database OPERATOR(pg_catalog.=) (SELECT oid FROM pg_catalog.pg_database \
         WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database())"
    )
}

/// The statements that must hold before anything is changed in a transaction: each divides by zero if it does not.
///
/// They are separate statements because each must see the database as it is after the one before it. Division instead
/// of `RAISE`: it needs no procedural language.
pub(crate) fn fence<'c>(tables: &Tables, run: &Run, conditions: impl Iterator<Item = &'c Condition>) -> Vec<String> {
    let key = tables.lock_key;
    let mut statements = vec![
        // The session lock is still this backend's: a transaction pooler would have handed us another backend.
        format!(
            "SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM pg_catalog.pg_locks \
             WHERE granted AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND {}",
            lock_condition(key)
        ),
        format!("SELECT 1 OPERATOR(pg_catalog./) pg_catalog.pg_try_advisory_xact_lock({key})::pg_catalog.int4"),
    ];
    statements.extend(conditions.map(|condition| match condition {
        Condition::Applied(version) => {
            format!(
                "SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM {} WHERE {}",
                tables.state,
                is_text("version", version)
            )
        }
        Condition::NotApplied(version) => {
            format!(
                "SELECT 1 OPERATOR(pg_catalog./) (1 OPERATOR(pg_catalog.-) pg_catalog.count(*)) FROM {} WHERE {}",
                tables.state,
                is_text("version", version)
            )
        }
        // The lock is ours alone, and so is the newest event.
        Condition::StatementDone(version, number) => format!(
            "SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM (SELECT run_id, version, statement, outcome FROM {} \
             ORDER BY id DESC LIMIT 1) AS newest WHERE {} AND {} AND statement OPERATOR(pg_catalog.=) {number} AND {}",
            tables.events,
            is_text("run_id", &run.id),
            is_text("version", version),
            is_text("outcome", "done"),
        ),
        // Once is enough: a repeatable runs at most once in a run, but its failed tries are events too.
        Condition::RepeatableDone(name) => format!(
            "SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM {} WHERE {} AND {} AND {} AND {}",
            tables.events,
            is_text("run_id", &run.id),
            is_text("action", "repeatable"),
            is_text("outcome", "done"),
            is_text("name", name)
        ),
    }));
    statements
}

/// A condition on a column of text, whatever operators others have made for its type.
pub(crate) fn is_text(column: &str, value: &str) -> String {
    format!("{column}::pg_catalog.text OPERATOR(pg_catalog.=) {}::pg_catalog.text", literal(value))
}

/// What the fence demands of the history, beside the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// This version has a row.
    Applied(String),
    /// This version has none.
    NotApplied(String),
    /// The newest event is this run's, and says that this statement of this version is done.
    StatementDone(String, usize),
    /// This run has applied this repeatable.
    RepeatableDone(String),
}

/// Puts the session back to what it was when it began, then to what a migration may rely on.
///
/// Sent as a message of its own, right before the migration's: a message is parsed as a whole before any of it runs, so
/// `standard_conforming_strings` must be right before the migration's text arrives. Never `DISCARD ALL`: it would drop
/// the lock.
pub(crate) fn session(settings: &SessionSettings) -> String {
    let limits = &settings.limits;
    // The limit of the migration before, and that of the role, hold for as short as can be.
    let mut text = "SET statement_timeout = 0; SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; ".to_owned();
    // Every limit that the server knows is put aside, by whatever name: one of the role or of the database would end a long
    // migration in its midst, each time again.
    for name in limits.timeouts.iter().filter(|name| !limits.is_explicit(name)) {
        let _ = write!(text, "SET {} = 0; ", identifier(name));
    }
    let given = [("statement_timeout", settings.statement_timeout_ms), ("lock_timeout", settings.lock_timeout_ms)];
    for (name, limit) in given {
        if let Some(limit) = limit {
            let _ = write!(text, "SET {name} = {limit}; ");
        }
    }
    text.push_str(
        "DEALLOCATE ALL; CLOSE ALL; UNLISTEN *; DISCARD TEMP; \
         SET standard_conforming_strings = on; SET default_transaction_read_only = off; \
         SET default_transaction_isolation = 'read committed'; SET synchronous_commit = on",
    );
    let mut wanted = vec![
        ("idle_in_transaction_session_timeout", "'60s'"),
        ("client_min_messages", "notice"),
        ("tcp_keepalives_idle", "30"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "3"),
    ];
    if settings.server_version >= 140_000 {
        // A killed migrator's statement is stopped and its lock freed within seconds.
        wanted.push(("client_connection_check_interval", "'2s'"));
    }
    for (name, value) in wanted.into_iter().filter(|(name, _)| !limits.is_explicit(name)) {
        let _ = write!(text, "; SET {name} = {value}");
    }
    text
}

/// The limits of a session that are not this run's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The names of all timeouts that the server has and that 0 switches off.
    pub(crate) timeouts: Vec<String>,
    /// The settings that the connection was opened with, by URL or PGOPTIONS: they win over ours.
    pub(crate) explicit: Vec<String>,
}

impl Limits {
    /// Whether the connection was opened with it.
    pub(crate) fn is_explicit(&self, name: &str) -> bool {
        self.explicit.iter().any(|explicit| explicit == name)
    }
}

/// What [`session`] depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionSettings {
    /// In milliseconds; 0: without limit; `None`: the one that the connection was opened with.
    pub lock_timeout_ms: Option<u64>,
    /// In milliseconds; 0: without limit; `None`: the one that the connection was opened with.
    pub statement_timeout_ms: Option<u64>,
    /// `server_version_num`.
    pub server_version: i32,
    /// What the role, the database and the connection have set.
    pub limits: Arc<Limits>,
}

/// Who runs what: the columns that all events of a run share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    /// Random, one per run.
    pub id: String,
    /// `user@host` of the process.
    pub actor: String,
    /// The person who approved it, if anybody did.
    pub approved_by: Option<String>,
    /// The digest of the plan.
    pub plan_digest: Option<String>,
    /// The release of the binary.
    pub release: String,
}

impl Run {
    /// A run of this process.
    pub(crate) fn new(release: &str) -> Run {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let seed = format!("{} {} {:p}", now.as_nanos(), std::process::id(), &now);
        let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "unknown".into());
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let host = host.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_else(|| "unknown".into());
        Run {
            id: hex(&Sha256::digest(seed))[..16].to_owned(),
            actor: format!("{user}@{}", host.trim()),
            release: release.to_owned(),
            ..Run::default()
        }
    }
}

/// A new row of the event log.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NewEvent<'a> {
    /// See [`crate::history::Event`].
    pub action: &'a str,
    /// The migration, where the action concerns one.
    pub version: Option<&'a str>,
    /// The name of the migration, repeatable, seed or environment.
    pub name: Option<&'a str>,
    /// The checksum of the migration, repeatable or seed.
    pub checksum: Option<&'a str>,
    /// Which try of a non-transactional migration.
    pub attempt: Option<i32>,
    /// The number and the checksum of a non-transactional statement.
    pub statement: Option<(usize, &'a str)>,
    /// `started`, `done` or `failed`.
    pub outcome: &'a str,
    /// Milliseconds; `None`: since the transaction began.
    pub duration_ms: Option<u128>,
    /// The failure, or the decision.
    pub detail: Option<&'a str>,
    /// Whether [`SESSION_STATE`] was captured in this transaction, to be recorded.
    pub with_session: bool,
    /// What [`crate::recorded`] makes of an applied migration.
    pub down_block: Option<&'a str>,
}

/// The statement that writes an event.
pub(crate) fn insert_event(tables: &Tables, run: &Run, event: &NewEvent<'_>) -> String {
    let number = |number: Option<i64>| number.map_or_else(|| "NULL".to_owned(), |number| number.to_string());
    let duration = event.duration_ms.map_or_else(|| ELAPSED.to_owned(), |ms| ms.to_string());
    let values = [
        literal(&run.id),
        literal(event.action),
        nullable(event.version),
        nullable(event.name),
        nullable(event.checksum),
        number(event.attempt.map(i64::from)),
        number(event.statement.map(|(number, _)| number as i64)),
        nullable(event.statement.map(|(_, checksum)| checksum)),
        literal(event.outcome),
        duration,
        nullable(event.detail),
        literal(&run.actor),
        nullable(run.approved_by.as_deref()),
        nullable(run.plan_digest.as_deref()),
        literal(&run.release),
        if event.with_session { CAPTURED_SESSION.to_owned() } else { "NULL".to_owned() },
        nullable(event.down_block),
    ];
    one_row(&format!(
        "INSERT INTO {} (run_id, action, version, name, checksum, attempt, statement, statement_checksum, outcome, \
         duration_ms, detail, actor, approved_by, plan_digest, release, session, down_block) VALUES ({})",
        tables.events,
        values.join(", ")
    ))
}

/// A statement that writes one row of the history, or fails: a trigger or a rule that swallowed it would leave a lie behind.
pub(crate) fn one_row(statement: &str) -> String {
    format!(
        "WITH written AS ({statement} RETURNING 1) SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM written"
    )
}

/// The statement that takes a migration out of the state table.
pub(crate) fn delete_state(tables: &Tables, version: &str) -> String {
    one_row(&format!("DELETE FROM {} WHERE {}", tables.state, is_text("version", version)))
}

/// What later statements of a `transaction:false` block may rely on, as lines of text: the path, the roles, and everything
/// else that a session can hold. The settings are a sum: their values may be secrets. Those that the migrator sets are left
/// out, as another release may set others.
pub(crate) fn session_state(limits: &Limits) -> String {
    let mut ours: Vec<&str> = vec![
        "search_path",
        "role",
        "session_authorization",
        "is_superuser",
        "standard_conforming_strings",
        "default_transaction_read_only",
        "default_transaction_isolation",
        "synchronous_commit",
        "client_min_messages",
        "tcp_keepalives_idle",
        "tcp_keepalives_interval",
        "tcp_keepalives_count",
        "client_connection_check_interval",
        "transaction_isolation",
        "transaction_read_only",
        "transaction_deferrable",
    ];
    ours.extend(limits.timeouts.iter().map(String::as_str));
    let ours: Vec<String> = ours.into_iter().map(literal).collect();
    format!(
        "pg_catalog.concat_ws(pg_catalog.chr(10), \
         pg_catalog.concat('search_path: ', pg_catalog.current_setting('search_path')), \
         pg_catalog.concat('role: ', current_user), pg_catalog.concat('session user: ', session_user), \
         pg_catalog.concat('settings: ', (SELECT pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat(name, '=', setting), ',' ORDER BY name)) \
           FROM pg_catalog.pg_settings WHERE source OPERATOR(pg_catalog.=) 'session' \
           AND name OPERATOR(pg_catalog.!~) '^migrator[.]' AND name OPERATOR(pg_catalog.<>) ALL (ARRAY[{}]::pg_catalog.text[]))), \
         pg_catalog.concat('prepared statements: ', (SELECT pg_catalog.string_agg(name, ', ' ORDER BY name) FROM pg_catalog.pg_prepared_statement())), \
         pg_catalog.concat('listens to: ', (SELECT pg_catalog.string_agg(c, ', ' ORDER BY c) FROM pg_catalog.pg_listening_channels() AS c)), \
         pg_catalog.concat('temporary objects: ', CASE WHEN pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.<>) 0::pg_catalog.oid THEN \
           (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class WHERE relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()) \
           OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*) FROM pg_catalog.pg_proc WHERE pronamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()) \
           END))",
        ours.join(", ")
    )
}

/// Keeps the state of the session for the event of the same transaction, which is written under [`OURS`].
pub(crate) fn capture_session(limits: &Limits) -> String {
    format!("SELECT pg_catalog.set_config('migrator.session', {}, true)", session_state(limits))
}

/// What [`capture_session`] has kept.
const CAPTURED_SESSION: &str = "pg_catalog.current_setting('migrator.session')";

/// The statement that records a migration as applied; `execution_ms`: `None` for the time since the transaction began.
pub(crate) fn insert_state(
    tables: &Tables,
    run: &Run,
    label: (&str, &str, &str),
    execution_ms: Option<u128>,
) -> String {
    let (version, name, checksum) = label;
    one_row(&format!(
        "INSERT INTO {} (version, name, checksum, execution_ms, release) VALUES ({}, {}, {}, {}, {})",
        tables.state,
        literal(version),
        literal(name),
        literal(checksum),
        execution_ms.map_or_else(|| ELAPSED.to_owned(), |ms| ms.to_string()),
        literal(&run.release),
    ))
}

/// Milliseconds since the transaction began.
const ELAPSED: &str = "(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) pg_catalog.now()) \
     OPERATOR(pg_catalog.*) 1000::pg_catalog.float8)::pg_catalog.int8";

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn the_lock_key_never_changes() {
        // Releases of different age must take the same lock: these values are golden.
        expect!["(7300916411259422349, -2226621762043230073)"]
            .assert_eq(&format!("{:?}", (lock_key("public", "schema_migrations"), lock_key("app", "migrations"))));
    }

    #[test]
    fn text_is_quoted_for_either_string_syntax() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\'b"), r" E'a\\''b'");
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(nullable(None), "NULL");
    }
}
