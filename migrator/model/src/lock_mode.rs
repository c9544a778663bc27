//! The modes in which PostgreSQL locks a table.

use std::fmt;

/// The mode of a lock on a table, from the weakest to the strongest: the order is that of the table in PostgreSQL's manual.
///
/// Displays as the SQL of `LOCK TABLE` has it: `ACCESS EXCLUSIVE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockMode {
    /// Reading.
    AccessShare,
    /// `SELECT ... FOR UPDATE`.
    RowShare,
    /// `INSERT`, `UPDATE`, `DELETE`, `MERGE`.
    RowExclusive,
    /// `VACUUM`, and most of what is `CONCURRENTLY`.
    ShareUpdateExclusive,
    /// `CREATE INDEX`.
    Share,
    /// Foreign keys and triggers.
    ShareRowExclusive,
    /// `REFRESH MATERIALIZED VIEW CONCURRENTLY`.
    Exclusive,
    /// Most of `ALTER TABLE`, `DROP`, `TRUNCATE`.
    AccessExclusive,
}

impl LockMode {
    /// All modes, from the weakest to the strongest.
    pub const ALL: [LockMode; 8] = [
        LockMode::AccessShare,
        LockMode::RowShare,
        LockMode::RowExclusive,
        LockMode::ShareUpdateExclusive,
        LockMode::Share,
        LockMode::ShareRowExclusive,
        LockMode::Exclusive,
        LockMode::AccessExclusive,
    ];

    /// As the manual's headings and people have it: `AccessExclusive`.
    pub fn name(self) -> &'static str {
        let name = self.pg_locks_name();
        name.strip_suffix("Lock").unwrap_or(name)
    }

    /// As the column `mode` of `pg_locks` has it: `AccessExclusiveLock`.
    pub fn pg_locks_name(self) -> &'static str {
        match self {
            LockMode::AccessShare => "AccessShareLock",
            LockMode::RowShare => "RowShareLock",
            LockMode::RowExclusive => "RowExclusiveLock",
            LockMode::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
            LockMode::Share => "ShareLock",
            LockMode::ShareRowExclusive => "ShareRowExclusiveLock",
            LockMode::Exclusive => "ExclusiveLock",
            LockMode::AccessExclusive => "AccessExclusiveLock",
        }
    }

    /// The mode of this name in `pg_locks`.
    pub fn from_pg_locks(name: &str) -> Option<LockMode> {
        LockMode::ALL.into_iter().find(|mode| mode.pg_locks_name() == name)
    }

    /// True if two transactions cannot hold these modes on the same table at the same time.
    pub fn conflicts_with(self, other: LockMode) -> bool {
        use LockMode::*;
        let (weak, strong) = (self.min(other), self.max(other));
        match strong {
            AccessShare | RowShare | RowExclusive => false,
            ShareUpdateExclusive => weak == ShareUpdateExclusive,
            // Share is the one mode of these that several transactions can hold.
            Share => weak == RowExclusive || weak == ShareUpdateExclusive,
            ShareRowExclusive => weak >= RowExclusive,
            Exclusive => weak >= RowShare,
            AccessExclusive => true,
        }
    }

    /// True if `SELECT` waits for it.
    pub fn blocks_reads(self) -> bool {
        self.conflicts_with(LockMode::AccessShare)
    }

    /// True if `INSERT`, `UPDATE` and `DELETE` wait for it.
    pub fn blocks_writes(self) -> bool {
        self.conflicts_with(LockMode::RowExclusive)
    }
}

impl fmt::Display for LockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LockMode::AccessShare => "ACCESS SHARE",
            LockMode::RowShare => "ROW SHARE",
            LockMode::RowExclusive => "ROW EXCLUSIVE",
            LockMode::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            LockMode::Share => "SHARE",
            LockMode::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            LockMode::Exclusive => "EXCLUSIVE",
            LockMode::AccessExclusive => "ACCESS EXCLUSIVE",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_conflicts_are_those_of_the_manual() {
        // The table "Conflicting Lock Modes" of the manual, a row for each mode.
        let table =
            ["0000 0001", "0000 0011", "0000 1111", "0001 1111", "0011 0111", "0011 1111", "0111 1111", "1111 1111"];
        for (mode, row) in LockMode::ALL.into_iter().zip(table) {
            let conflicts = LockMode::ALL.map(|other| if mode.conflicts_with(other) { '1' } else { '0' });
            assert_eq!(conflicts.iter().collect::<String>(), row.replace(' ', ""), "{mode}");
        }
    }

    #[test]
    fn a_mode_has_three_spellings() {
        let mode = LockMode::ShareRowExclusive;
        assert_eq!(mode.to_string(), "SHARE ROW EXCLUSIVE");
        assert_eq!(mode.name(), "ShareRowExclusive");
        assert_eq!(LockMode::from_pg_locks("ShareRowExclusiveLock"), Some(mode));
        assert_eq!(LockMode::from_pg_locks("ShareRowExclusive"), None);
        assert!(LockMode::ALL.is_sorted());
    }

    #[test]
    fn a_mode_blocks_reads_or_writes() {
        assert!(LockMode::AccessExclusive.blocks_reads() && !LockMode::Exclusive.blocks_reads());
        assert!(LockMode::Share.blocks_writes() && !LockMode::ShareUpdateExclusive.blocks_writes());
    }
}
