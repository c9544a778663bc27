//! The schema history inside the binary: what `migrator_build::embed` has read, checked and written as Rust.
//!
//! Everything is `'static`: nothing is parsed, copied or allocated when the binary starts. `migrator_build::set` has the
//! same shape in owned form.

use std::ops::Range;

/// A whole db directory, checked at build time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedded {
    /// `migrations/`, ascending by the number of the version.
    pub migrations: &'static [Migration],
    /// `repeatable/`, ascending by file name.
    pub repeatables: &'static [Script],
    /// `seeds/`, ascending by file name.
    pub seeds: &'static [Script],
    /// `checks/`, ascending by file name.
    pub checks: &'static [Script],
    /// `schema.facts.<major>`, ascending by the major release.
    pub facts: &'static [SchemaFacts],
    /// `migrator.toml`, or its defaults.
    pub settings: Settings,
    /// SHA-256 in hexadecimal over every file of SQL and the settings: equal digests mean equal binaries as far as SQL goes. The facts
    /// follow from it.
    pub digest: &'static str,
}

/// One file of `migrations/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The leading digits of the file name as they are written: `001`.
    pub version: &'static str,
    /// The same as a number: versions are ordered and compared by it.
    pub number: i64,
    /// The file name between the version's underscore and `.sql`.
    pub name: &'static str,
    /// The path shown in messages: `db/migrations/001_init.sql`.
    pub file: &'static str,
    /// The whole file, line ends normalised to LF.
    pub text: &'static str,
    /// SHA-256 in hexadecimal over the tokens of the up block.
    pub checksum: &'static str,
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
    pub statements: &'static [Statement],
}

/// One statement of a block, from its first token to its last before the semicolon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Bytes of the file's text.
    pub range: Range<usize>,
    /// How a `transaction:false` block has to treat it.
    pub kind: StatementKind,
    /// SHA-256 in hexadecimal over its tokens, made like the migration's.
    pub checksum: &'static str,
}

/// Which way a migration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Apply.
    Up,
    /// Take back.
    Down,
}

impl Direction {
    /// The word in commands, events and messages.
    pub fn word(self) -> &'static str {
        match self {
            Direction::Up => "up",
            Direction::Down => "down",
        }
    }
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
        index: &'static str,
        /// The table as it is written, without white space: `core.users`, `"Core"."Users"`.
        table: &'static str,
        /// `UNIQUE`.
        unique: bool,
        /// Where what follows the table's name begins, in bytes from the statement's start.
        rest: usize,
    },
    /// `DROP INDEX CONCURRENTLY`: its outcome can be read from the catalog.
    DropIndexConcurrently {
        /// The index as it is written, without white space.
        index: &'static str,
    },
    /// `REINDEX ... CONCURRENTLY`: may be run again when what it left behind is dropped.
    ReindexConcurrently {
        /// What is built again.
        object: ReindexObject,
        /// Its name as it is written, without white space; empty for the current database.
        name: &'static str,
    },
    /// `ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY`: its outcome can be read from the catalog.
    DetachConcurrently {
        /// The partitioned table as it is written, without white space.
        table: &'static str,
        /// The partition as it is written, without white space.
        partition: &'static str,
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
    pub name: &'static str,
    /// The path shown in messages: `db/seeds/test.sql`.
    pub file: &'static str,
    /// The whole file, line ends normalised to LF.
    pub text: &'static str,
    /// SHA-256 in hexadecimal over its tokens.
    pub checksum: &'static str,
    /// Its statements in order.
    pub statements: &'static [Statement],
}

/// What the schema is on one major release of PostgreSQL: `schema.facts.15`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFacts {
    /// The major release.
    pub major: i32,
    /// The path shown in messages: `db/schema.facts.15`.
    pub file: &'static str,
    /// A line that says where it comes from, then one fact a line, as [`crate::facts::Facts::render`] writes them.
    pub text: &'static str,
}

/// The part of `migrator.toml` that matters at run time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The schema of the history tables.
    pub history_schema: &'static str,
    /// The name of the state table; the event log is the same name with `_events`, without a final `s` before it.
    pub history_table: &'static str,
    /// Roles that may write to the history beside its owner.
    pub history_writers: &'static [&'static str],
    /// How long a statement waits for a lock, in milliseconds.
    pub lock_timeout_ms: u64,
    /// How long a migration that could not get its locks is tried again, in milliseconds.
    pub retry_for_ms: u64,
    /// How long a statement may run, in milliseconds; 0: without limit.
    pub statement_timeout_ms: u64,
    /// Up to and with this version files are taken as they are: they were written before this tool.
    pub start_after: Option<i64>,
    /// True: a database that a newer release has migrated is refused.
    pub refuse_ahead: bool,
    /// True: owners are part of the schema that `drift` compares.
    pub drift_owners: bool,
    /// What `drift` does not compare: a kind, a blank, a name with `*`.
    pub drift_ignore: &'static [&'static str],
    /// Policies by environment, ascending by name.
    pub environments: &'static [Environment],
}

/// `[environments.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The environment's name.
    pub name: &'static str,
    /// True: `up` needs a named approver and the digest of the plan.
    pub approval: bool,
    /// False: `down` is refused.
    pub down: bool,
    /// The seeds that may run; `None`: all.
    pub seeds: Option<&'static [&'static str]>,
}

impl Migration {
    /// `003_add_x`: the file name without its ending.
    pub fn label(&self) -> String {
        format!("{}_{}", self.version, self.name)
    }

    /// The block of one direction.
    pub fn block(&self, direction: Direction) -> Option<&Block> {
        match direction {
            Direction::Up => Some(&self.up),
            Direction::Down => self.down.as_ref(),
        }
    }
}

impl StatementKind {
    /// Whether it has `CONCURRENTLY`: it runs in no transaction, and must not be stopped by a lock timeout.
    pub(crate) fn is_concurrent(&self) -> bool {
        use StatementKind as K;
        matches!(
            self,
            K::CreateIndexConcurrently { .. }
                | K::DropIndexConcurrently { .. }
                | K::ReindexConcurrently { .. }
                | K::DetachConcurrently { .. }
                | K::Concurrently
        )
    }
}

impl Block {
    /// The SQL of this block; `text` is the text of its file.
    pub fn sql<'t>(&self, text: &'t str) -> &'t str {
        &text[self.range.clone()]
    }
}

/// Which binary this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// The version of the package that holds the migrations.
    pub version: &'static str,
    /// The commit it was built from; `dev` outside of `cargo xtask dist`.
    pub commit: &'static str,
}
