//! One statement, and what its kind means to those who run it.

use std::borrow::Cow;
use std::ops::Range;

use crate::{List, Text, put};

/// One statement of a block, from its first token to its last before the semicolon.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statement {
    /// Bytes of the file's text.
    pub range: Range<usize>,
    /// How a `transaction:false` block has to treat it.
    pub kind: StatementKind,
    /// SHA-256 in hexadecimal over its tokens, made like the migration's.
    pub checksum: Text,
}

impl Statement {
    /// A statement.
    pub const fn new(range: Range<usize>, kind: StatementKind, checksum: Text) -> Statement {
        Statement { range, kind, checksum }
    }

    /// Plain statements by where they begin and end, and their checksums: a row of the table in generated code.
    ///
    /// A large file has 100,000 statements: as that many calls they cost the compiler several times as much
    /// as when one loop puts them together.
    pub const fn row<const N: usize>(places: [[usize; 2]; N], checksums: [&'static str; N]) -> [Statement; N] {
        let mut table = [const { Statement::new(0..0, StatementKind::Plain, Cow::Borrowed("")) }; N];
        let mut i = 0;
        while i < N {
            table[i].range = places[i][0]..places[i][1];
            // A `Cow` as a whole cannot be assigned in a `const fn`, which cannot drop the old one.
            if let Cow::Borrowed(checksum) = &mut table[i].checksum {
                *checksum = checksums[i];
            }
            i += 1;
        }
        table
    }

    /// The statements of one block in the table of all statements, in generated code. Bounds that are not in it are a compile error.
    pub const fn part<const N: usize>(table: &'static [[Statement; N]], start: usize, end: usize) -> List<Statement> {
        Cow::Borrowed(table.as_flattened().split_at(end).0.split_at(start).1)
    }

    /// Replaces the kind, in generated code.
    pub const fn set_kind(&mut self, kind: StatementKind) {
        put(&mut self.kind, kind);
    }
}

/// What the engine must know about a statement that runs outside a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementKind {
    /// Runs in a transaction like any other; fails as a whole or not at all.
    Plain,
    /// The same, and it leaves the session as it is: it defines objects, runs no function and sets nothing.
    Neutral,
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
        index: Text,
        /// The table as it is written, without white space: `core.users`, `"Core"."Users"`.
        table: Text,
        /// `UNIQUE`.
        unique: bool,
        /// Where what follows the table's name begins, in bytes from the statement's start.
        rest: usize,
    },
    /// `DROP INDEX CONCURRENTLY`: its outcome can be read from the catalog.
    DropIndexConcurrently {
        /// The index as it is written, without white space.
        index: Text,
    },
    /// `REINDEX ... CONCURRENTLY`: may be run again when what it left behind is dropped.
    ReindexConcurrently {
        /// What is built again.
        object: ReindexObject,
        /// Its name as it is written, without white space; empty for the current database.
        name: Text,
    },
    /// `ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY`: its outcome can be read from the catalog.
    DetachConcurrently {
        /// The partitioned table as it is written, without white space.
        table: Text,
        /// The partition as it is written, without white space.
        partition: Text,
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

impl StatementKind {
    /// `CREATE INDEX CONCURRENTLY`.
    pub const fn create_index_concurrently(index: Text, table: Text, unique: bool, rest: usize) -> StatementKind {
        StatementKind::CreateIndexConcurrently { index, table, unique, rest }
    }

    /// `DROP INDEX CONCURRENTLY`.
    pub const fn drop_index_concurrently(index: Text) -> StatementKind {
        StatementKind::DropIndexConcurrently { index }
    }

    /// `REINDEX ... CONCURRENTLY`.
    pub const fn reindex_concurrently(name: Text, object: ReindexObject) -> StatementKind {
        StatementKind::ReindexConcurrently { object, name }
    }

    /// `ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY`.
    pub const fn detach_concurrently(table: Text, partition: Text) -> StatementKind {
        StatementKind::DetachConcurrently { table, partition }
    }

    /// Whether it runs in a transaction like any other.
    pub const fn is_transactional(&self) -> bool {
        matches!(self, StatementKind::Plain | StatementKind::Neutral)
    }

    /// Whether it has `CONCURRENTLY`: it runs in no transaction, and must not be stopped by a lock timeout.
    pub const fn is_concurrent(&self) -> bool {
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

    /// Whether a block can go on at it although no one knows how it ended: the catalog tells, or running it once more does no harm.
    pub const fn can_resume(&self) -> bool {
        match self {
            StatementKind::Idempotent => true,
            StatementKind::Concurrently => false,
            kind => kind.is_concurrent(),
        }
    }

    /// Whether it changes only the session or the transaction that it runs in: it is run again on every resume, and never recorded.
    pub const fn is_session(&self) -> bool {
        matches!(self, StatementKind::Set | StatementKind::SetTransaction)
    }
}
