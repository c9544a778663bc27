//! What a checked db directory holds: the data that is embedded into the migrator binary.
//!
//! `migrator_engine::embedded` has the same shape in `'static` form; [`crate::generate`] writes the one as the other.

use std::ops::Range;

/// A whole db directory, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// `migrations/`, ascending by the number of the version.
    pub migrations: Vec<Migration>,
    /// `repeatable/`, ascending by file name.
    pub repeatables: Vec<Script>,
    /// `seeds/`, ascending by file name.
    pub seeds: Vec<Script>,
    /// `checks/`, ascending by file name.
    pub checks: Vec<Script>,
    /// `schema.facts.<major>`, ascending by the major release.
    pub facts: Vec<SchemaFacts>,
    /// `migrator.toml`, or its defaults.
    pub settings: Settings,
    /// SHA-256 in hexadecimal over every file of SQL and the settings: equal digests mean equal binaries as far as SQL goes. The facts
    /// follow from it.
    pub digest: String,
}

/// One file of `migrations/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The leading digits of the file name as they are written: `001`.
    pub version: String,
    /// The same as a number: versions are ordered and compared by it.
    pub number: i64,
    /// The file name between the version's underscore and `.sql`.
    pub name: String,
    /// The path shown in messages: `db/migrations/001_init.sql`.
    pub file: String,
    /// The whole file, line ends normalised to LF.
    pub text: String,
    /// SHA-256 in hexadecimal over the tokens of the up block.
    pub checksum: String,
    /// What `up` runs.
    pub up: Block,
    /// What `down` runs; `None` without a down marker or without a statement behind it.
    pub down: Option<Block>,
}

/// The SQL of one marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Bytes of the file's text: from the line after the marker to the next marker or the end.
    pub range: Range<usize>,
    /// False for `transaction:false`.
    pub transaction: bool,
    /// The marker's `lock_timeout`, in milliseconds.
    pub lock_timeout_ms: Option<u64>,
    /// The marker's `statement_timeout`, in milliseconds.
    pub statement_timeout_ms: Option<u64>,
    /// The block's statements in order.
    pub statements: Vec<Statement>,
}

/// One statement of a block, from its first token to its last before the semicolon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Bytes of the file's text.
    pub range: Range<usize>,
    /// How a `transaction:false` block has to treat it.
    pub kind: StatementKind,
    /// SHA-256 in hexadecimal over its tokens, made like the migration's.
    pub checksum: String,
}

/// What the engine must know about a statement that runs outside a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementKind {
    /// Runs in a transaction like any other; fails as a whole or not at all.
    Plain,
    /// `BEGIN` or `START TRANSACTION`: opens a unit.
    Begin,
    /// `COMMIT` or `END`: closes the unit.
    Commit,
    /// `SET`, `RESET` or `LOAD`: session state, replayed when a block is resumed.
    Set,
    /// `SET TRANSACTION`, or `SET` of `transaction_isolation` and the like: how the transaction is to be that runs it. The
    /// server may refuse it after a query of the same transaction.
    SetTransaction,
    /// Runs in no transaction, like `CREATE DATABASE`; fails as a whole or not at all, but nothing can be recorded with it.
    Alone,
    /// `DO` or `CALL`: may have committed before it failed.
    MayCommit,
    /// `CREATE INDEX CONCURRENTLY`: its outcome can be read from the catalog.
    CreateIndexConcurrently {
        /// The index's name as the catalog has it (unquoted, folded).
        index: String,
        /// The table as it is written, without white space: `core.users`, `"Core"."Users"`.
        table: String,
        /// `UNIQUE`.
        unique: bool,
        /// Where what follows the table's name begins, in bytes from the statement's start.
        rest: usize,
    },
    /// `DROP INDEX CONCURRENTLY`: its outcome can be read from the catalog.
    DropIndexConcurrently {
        /// The index as it is written, without white space.
        index: String,
    },
    /// `REINDEX ... CONCURRENTLY`: may be run again when what it left behind is dropped.
    ReindexConcurrently {
        /// What is built again.
        object: ReindexObject,
        /// Its name as it is written, without white space; empty for the current database.
        name: String,
    },
    /// `ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY`: its outcome can be read from the catalog.
    DetachConcurrently {
        /// The partitioned table as it is written, without white space.
        table: String,
        /// The partition as it is written, without white space.
        partition: String,
    },
    /// `VACUUM`, `ANALYZE`, `REFRESH MATERIALIZED VIEW`: running it once more does no harm.
    Idempotent,
    /// Another statement with `CONCURRENTLY`: must not be stopped by a lock timeout.
    Concurrently,
}

/// What `REINDEX` builds again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReindexObject {
    /// One index.
    Index,
    /// All indexes of a table.
    Table,
    /// All indexes of a schema.
    Schema,
    /// All indexes of the current database, those of the catalog included or alone.
    Database,
}

/// One file of `repeatable/`, `seeds/` or `checks/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The file name without `.sql`.
    pub name: String,
    /// The path shown in messages: `db/seeds/test.sql`.
    pub file: String,
    /// The whole file, line ends normalised to LF.
    pub text: String,
    /// SHA-256 in hexadecimal over its tokens.
    pub checksum: String,
    /// Its statements in order.
    pub statements: Vec<Statement>,
}

/// What the schema is on one major release of PostgreSQL: `schema.facts.15`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFacts {
    /// The major release.
    pub major: i32,
    /// The path shown in messages: `db/schema.facts.15`.
    pub file: String,
    /// A line that says where it comes from, then one fact a line.
    pub text: String,
}

/// `migrator.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The schema of the history tables.
    pub history_schema: String,
    /// The name of the state table; the event log is the same name with `_events`, without a final `s` before it.
    pub history_table: String,
    /// Roles that may write to the history beside its owner.
    pub history_writers: Vec<String>,
    /// How long a statement waits for a lock, in milliseconds.
    pub lock_timeout_ms: u64,
    /// How long a migration that could not get its locks is tried again, in milliseconds.
    pub retry_for_ms: u64,
    /// How long a statement may run, in milliseconds; 0: without limit.
    pub statement_timeout_ms: u64,
    /// Comment headers that every migration must have.
    pub required_headers: Vec<String>,
    /// Lints look only at migrations above this version.
    pub start_after: Option<String>,
    /// Lints that are switched off.
    pub allow: Vec<String>,
    /// What to do with a file that dbmate would read otherwise.
    pub dbmate: Level,
    /// True: a database that a newer release has migrated is refused.
    pub refuse_ahead: bool,
    /// True: owners are part of the schema that `drift` compares.
    pub drift_owners: bool,
    /// What `drift` does not compare: a kind, a blank, a name with `*`.
    pub drift_ignore: Vec<String>,
    /// Policies by environment, ascending by name.
    pub environments: Vec<Environment>,
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

/// `[environments.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The environment's name.
    pub name: String,
    /// True: `up` needs a named approver and the digest of the plan.
    pub approval: bool,
    /// False: `down` is refused.
    pub down: bool,
    /// The seeds that may run; `None`: all.
    pub seeds: Option<Vec<String>>,
}
