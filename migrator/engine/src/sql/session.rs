//! The session: what is reset before every step, and what a `transaction:false` block may rely on.

use std::fmt::Write as _;
use std::sync::Arc;

use super::quote::{identifier, literal};

/// Resets the session to what it was when it began, then to what a migration may rely on.
///
/// Sent as a message of its own, right before the migration's: a message is parsed as a whole before any of it runs, so
/// `standard_conforming_strings` must be right before the migration's text arrives. Never `DISCARD ALL`: it would drop
/// the lock.
pub(crate) fn session(settings: &SessionSettings) -> String {
    let limits = &settings.limits;
    // The limit of the migration before, and that of the role, hold for as short as can be.
    // One transaction: where a part of it fails, the session is left in a failed one, and what was sent after it does not run.
    let mut text =
        "BEGIN READ WRITE; SET statement_timeout = 0; SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; "
            .to_owned();
    let given = [("statement_timeout", settings.statement_timeout_ms), ("lock_timeout", settings.lock_timeout_ms)];
    for (name, limit) in given {
        if let Some(limit) = limit {
            let _ = write!(text, "SET {name} = {limit}; ");
        }
    }
    // Every limit that the server knows is put aside, by whatever name: one of the role or of the database would end a long
    // migration halfway, every time.
    let is_given = |name: &String| given.iter().any(|(given, _)| given == name);
    for name in limits.timeouts.iter().filter(|name| !limits.is_explicit(name) && !is_given(name)) {
        let _ = write!(text, "SET {} = 0; ", identifier(name));
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
    text.push_str("; COMMIT");
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

/// What later statements of a `transaction:false` block may rely on, as lines of text: the path, the roles, and everything
/// else that a session can hold. Settings are hashed: their values may be secrets.
pub(crate) fn session_state(limits: &Limits) -> String {
    state_with(&all_settings(limits))
}

/// The settings that decide what a statement means; the others are part of the hash of all.
const MEANINGFUL: [&str; 20] = [
    "DateStyle",
    "IntervalStyle",
    "TimeZone",
    "array_nulls",
    "backslash_quote",
    "bytea_output",
    "check_function_bodies",
    "client_encoding",
    "default_table_access_method",
    "default_tablespace",
    "default_toast_compression",
    "event_triggers",
    "extra_float_digits",
    "row_security",
    "session_replication_role",
    "temp_tablespaces",
    "transform_null_equals",
    "xmlbinary",
    "xmloption",
    "lo_compat_privileges",
];

/// The state, with an expression for the hash of all settings.
fn state_with(all_settings: &str) -> String {
    let settings = MEANINGFUL.map(|name| format!("pg_catalog.current_setting({}, true)", literal(name))).join(", ");
    format!(
        "pg_catalog.concat_ws(pg_catalog.chr(10), \
         pg_catalog.concat('search_path: ', pg_catalog.current_setting('search_path')), \
         pg_catalog.concat('role: ', current_user), pg_catalog.concat('session user: ', session_user), \
         pg_catalog.concat('settings: ', pg_catalog.md5(pg_catalog.concat_ws(',', {settings}))), \
         pg_catalog.concat('all settings: ', {all_settings}), \
         pg_catalog.concat('prepared statements: ', (SELECT pg_catalog.string_agg(name, ', ' ORDER BY name) FROM pg_catalog.pg_prepared_statement() WHERE name OPERATOR(pg_catalog.!~) '^migrator_')), \
         pg_catalog.concat('listens to: ', (SELECT pg_catalog.string_agg(c, ', ' ORDER BY c) FROM pg_catalog.pg_listening_channels() AS c)), \
         pg_catalog.concat('temporary objects: ', CASE WHEN pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.<>) 0::pg_catalog.oid THEN \
           (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class WHERE relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()) \
           OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*) FROM pg_catalog.pg_proc WHERE pronamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()) \
           END))"
    )
}

/// The hash of all settings that were made in the session, but for those that the migrator makes: another release may make
/// others. It takes longer than most statements.
fn all_settings(limits: &Limits) -> String {
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
        "(SELECT pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat(name, '=', setting), ',' ORDER BY name)) \
         FROM pg_catalog.pg_settings WHERE source OPERATOR(pg_catalog.=) 'session' \
         AND name OPERATOR(pg_catalog.!~) '^migrator[.]' AND name OPERATOR(pg_catalog.<>) ALL (ARRAY[{}]::pg_catalog.text[]))",
        ours.join(", ")
    )
}

/// Keeps the state of the session for the event of the same transaction, which is written under [`super::quote::OURS`], and for those
/// that follow it while nothing changes the session: the hash of all settings, and the state with it. Where the first statement is
/// left out, the hash is the last one of this session.
pub(crate) fn capture_session(limits: &Limits) -> [String; 2] {
    let state = state_with("pg_catalog.current_setting('migrator.all_settings', true)");
    [
        format!("SELECT pg_catalog.set_config('migrator.all_settings', {}, false)", all_settings(limits)),
        format!("SELECT pg_catalog.set_config('migrator.session', {state}, false)"),
    ]
}

/// What [`capture_session`] has kept.
pub(super) const CAPTURED_SESSION: &str = "pg_catalog.current_setting('migrator.session')";
