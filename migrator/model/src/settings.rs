//! `migrator.toml`.

use std::borrow::Cow;

use crate::coded::{coded, coded_enum};
use crate::{List, Text, builders};

/// `migrator.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The schema of the history tables.
    pub history_schema: Text,
    /// The name of the state table; the event log is the same name with `_events`, without a final `s` before it.
    pub history_table: Text,
    /// Roles that may write to the history beside its owner.
    pub history_writers: List<Text>,
    /// How long a statement waits for a lock, in milliseconds.
    pub lock_timeout_ms: u64,
    /// How long a migration that could not get its locks is tried again, in milliseconds.
    pub retry_for_ms: u64,
    /// How long a statement may run, in milliseconds; 0: without limit.
    pub statement_timeout_ms: u64,
    /// Comment headers that every migration must have.
    pub required_headers: List<Text>,
    /// Up to and with this version files are taken as they are: they were written before this tool.
    pub start_after: Option<i64>,
    /// Hazards that are not looked for.
    pub allow: List<Text>,
    /// What to do with a file that dbmate would read otherwise.
    pub dbmate: Level,
    /// True: a database that a newer release has migrated is refused.
    pub refuse_ahead: bool,
    /// True: owners are part of the schema that `drift` compares.
    pub drift_owners: bool,
    /// What `drift` does not compare: a kind, a space, a name with `*`.
    pub drift_ignore: List<Text>,
    /// Which tags are releases, as a pattern of `git describe --match`; `None`: every tag.
    pub release_tag_pattern: Option<Text>,
    /// The files of queries, as patterns relative to the workspace; empty: the usual places.
    pub release_queries: List<Text>,
    /// Queries that may break: a name, or a file in which `*` stands for any text.
    pub release_allow: List<Text>,
    /// The role that the application connects as; `None`: privileges are not judged.
    pub release_role: Option<Text>,
    /// How much of the application's patience a release may use.
    pub budget: Budget,
    /// Policies by environment, ascending by name.
    pub environments: List<Environment>,
}

coded!(Settings {
    history_schema,
    history_table,
    history_writers,
    lock_timeout_ms,
    retry_for_ms,
    statement_timeout_ms,
    required_headers,
    start_after,
    allow,
    dbmate,
    refuse_ahead,
    drift_owners,
    drift_ignore,
    release_tag_pattern,
    release_queries,
    release_allow,
    release_role,
    budget,
    environments,
});

impl Settings {
    /// What holds without a file.
    pub const fn new() -> Settings {
        Settings {
            history_schema: Cow::Borrowed("public"),
            history_table: Cow::Borrowed("schema_migrations"),
            history_writers: Cow::Borrowed(&[]),
            lock_timeout_ms: 500,
            retry_for_ms: 600_000,
            statement_timeout_ms: 0,
            required_headers: Cow::Borrowed(&[]),
            start_after: None,
            allow: Cow::Borrowed(&[]),
            dbmate: Level::Warn,
            refuse_ahead: false,
            drift_owners: false,
            drift_ignore: Cow::Borrowed(&[]),
            release_tag_pattern: None,
            release_queries: Cow::Borrowed(&[]),
            release_allow: Cow::Borrowed(&[]),
            release_role: None,
            budget: Budget::new(),
            environments: Cow::Borrowed(&[]),
        }
    }
}

builders!(Settings {
    with_history_schema: history_schema: Text,
    with_history_table: history_table: Text,
    with_history_writers: history_writers: List<Text>,
    with_lock_timeout_ms: lock_timeout_ms: u64,
    with_retry_for_ms: retry_for_ms: u64,
    with_statement_timeout_ms: statement_timeout_ms: u64,
    with_required_headers: required_headers: List<Text>,
    with_start_after: start_after: Option<i64>,
    with_allow: allow: List<Text>,
    with_dbmate: dbmate: Level,
    with_refuse_ahead: refuse_ahead: bool,
    with_drift_owners: drift_owners: bool,
    with_drift_ignore: drift_ignore: List<Text>,
    with_release_tag_pattern: release_tag_pattern: Option<Text>,
    with_release_queries: release_queries: List<Text>,
    with_release_allow: release_allow: List<Text>,
    with_release_role: release_role: Option<Text>,
    with_budget: budget: Budget,
    with_environments: environments: List<Environment>,
});

impl Default for Settings {
    fn default() -> Settings {
        Settings::new()
    }
}

/// How strictly a group of problems is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Say nothing.
    Allow,
    /// Report, go on.
    Warn,
    /// Fail.
    Deny,
}

coded_enum!(Level { 0 Allow, 1 Warn, 2 Deny });

/// `[budget]`. A key that is left out is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Budget {
    /// How long a migration may make writes to a table wait, in milliseconds; 0: not at all.
    pub blocks_writes_ms: Option<u64>,
    /// How long a migration may make reads of a table wait, in milliseconds; 0: not at all.
    pub blocks_reads_ms: Option<u64>,
    /// How many existing tables a release may rewrite.
    pub rewrites: Option<u64>,
}

coded!(Budget { blocks_writes_ms, blocks_reads_ms, rewrites });

impl Budget {
    /// No limits.
    pub const fn new() -> Budget {
        Budget { blocks_writes_ms: None, blocks_reads_ms: None, rewrites: None }
    }

    /// Whether there is a limit.
    pub const fn is_set(&self) -> bool {
        self.blocks_writes_ms.is_some() || self.blocks_reads_ms.is_some() || self.rewrites.is_some()
    }
}

builders!(Budget {
    with_blocks_writes_ms: blocks_writes_ms: Option<u64>,
    with_blocks_reads_ms: blocks_reads_ms: Option<u64>,
    with_rewrites: rewrites: Option<u64>,
});

impl Default for Budget {
    fn default() -> Budget {
        Budget::new()
    }
}

/// `[environments.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Environment {
    /// The environment's name.
    pub name: Text,
    /// True: `up` needs a named approver and the digest of the plan.
    pub approval: bool,
    /// True: what destroys data needs the reference of a backup.
    pub backup: bool,
    /// False: `down` is refused.
    pub down: bool,
    /// The seeds that may run; `None`: all.
    pub seeds: Option<List<Text>>,
}

coded!(Environment { name, approval, backup, down, seeds });

impl Environment {
    /// An environment in which everything is allowed.
    pub const fn new(name: Text) -> Environment {
        Environment { name, approval: false, backup: false, down: true, seeds: None }
    }
}

builders!(Environment {
    with_approval: approval: bool,
    with_backup: backup: bool,
    with_down: down: bool,
    with_seeds: seeds: Option<List<Text>>,
});
