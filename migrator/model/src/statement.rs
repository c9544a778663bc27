//! One statement, and what its kind means to those who run it.

use std::ops::Range;

use crate::coded::{Coded, Reader, Writer, coded_enum, unknown};
use crate::{Corrupt, Text};

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
}

impl Coded for Statement {
    fn write(&self, out: &mut Writer) {
        let Statement { range, kind, checksum } = self;
        range.write(out);
        kind.write(out);
        match binary(checksum) {
            Some(bytes) => {
                out.number(IN_TABLE);
                out.table.extend(bytes);
            }
            None => {
                out.number(AS_TEXT);
                checksum.write(out);
            }
        }
    }

    fn read(input: &mut Reader) -> Result<Statement, Corrupt> {
        let (range, kind) = (Range::read(input)?, StatementKind::read(input)?);
        let checksum = match input.number()? {
            AS_TEXT => Text::read(input)?,
            IN_TABLE => hexadecimal(input.bytes(SUM)?).into(),
            _ => return Err(unknown()),
        };
        Ok(Statement { range, kind, checksum })
    }
}

/// How a checksum is embedded: half as long as in hexadecimal, where it is one.
const AS_TEXT: u64 = 0;
const IN_TABLE: u64 = 1;

/// The bytes of SHA-256.
const SUM: usize = 32;

/// What is written in hexadecimal, if it is 32 bytes in lowercase.
fn binary(checksum: &str) -> Option<Vec<u8>> {
    let digit = |digit: &u8| DIGITS.iter().position(|known| known == digit);
    let (pairs, rest) = checksum.as_bytes().as_chunks::<2>();
    if pairs.len() != SUM || !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some((digit(high)? << 4 | digit(low)?) as u8)).collect()
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
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

coded_enum!(StatementKind {
    0 Plain,
    1 Begin,
    2 Commit,
    3 Set,
    4 SetTransaction,
    5 Alone,
    6 MayCommit,
    7 CreateIndexConcurrently { index, table, unique, rest },
    8 DropIndexConcurrently { index },
    9 ReindexConcurrently { object, name },
    10 DetachConcurrently { table, partition },
    11 Idempotent,
    12 Concurrently,
    13 Neutral,
});

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

coded_enum!(ReindexObject { 0 Index, 1 Table, 2 Schema, 3 Database });

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
