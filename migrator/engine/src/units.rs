//! How a `transaction:false` block is run: in units of statements that are recorded one by one.
//!
//! Pure. A unit is one statement, or everything from `BEGIN` to its `COMMIT`; `SET` and `RESET` are units too, but are
//! replayed instead of recorded, because session state does not survive the session.

use std::ops::Range;

use sha2::{Digest as _, Sha256};

use crate::embedded::{Block, Statement, StatementKind};

/// One step of a non-transactional block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The number of its first statement in the block, from 1, as in messages and events.
    pub number: usize,
    /// Bytes of the file's text, from its first statement to its last.
    pub range: Range<usize>,
    /// How it is run.
    pub kind: UnitKind,
    /// SHA-256 in hexadecimal over its tokens.
    pub checksum: String,
}

/// How a unit is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitKind {
    /// One statement on its own.
    Statement(&'static Statement),
    /// `SET` or `RESET`: run again on every resume, never recorded.
    Session,
    /// `BEGIN` ... `COMMIT`: the range ends before the final `COMMIT`, which the engine sends after its event.
    Transaction {
        /// Where the opening statement ends.
        begin_end: usize,
        /// How many statements there are, including the opening one, without the closing one.
        statements: usize,
    },
}

/// Groups a block's statements.
///
/// An open `BEGIN` cannot occur in an embedded set (the build refuses it); if it did, its unit would end with the block
/// and be committed by the engine.
pub fn units(block: &'static Block) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut statements = block.statements.iter().enumerate();
    while let Some((index, first)) = statements.next() {
        let number = index + 1;
        let unit = match first.kind {
            StatementKind::Begin => {
                let mut checksums = Sha256::new_with_prefix(first.checksum.as_bytes());
                let (mut end, mut count) = (first.range.end, 1);
                for (_, next) in statements.by_ref() {
                    checksums.update(next.checksum.as_bytes());
                    if next.kind == StatementKind::Commit {
                        break;
                    }
                    (end, count) = (next.range.end, count + 1);
                }
                Unit {
                    number,
                    range: first.range.start..end,
                    kind: UnitKind::Transaction { begin_end: first.range.end, statements: count },
                    checksum: hex::encode(checksums.finalize()),
                }
            }
            ref kind => Unit {
                number,
                range: first.range.clone(),
                kind: if kind.is_session() { UnitKind::Session } else { UnitKind::Statement(first) },
                checksum: first.checksum.to_string(),
            },
        };
        units.push(unit);
    }
    units
}
