//! Every hazard that is looked for: what it locks, why that is dangerous, and how it is written safely.
//!
//! The locks are those that PostgreSQL 15 takes. What the runner sees to by itself is not here: timeouts, transaction
//! control, edited files; nor what only a database knows, such as a foreign key without an index.

use crate::nearest::nearest;

/// One hazard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The name that `-- migrate:allow` and `[check] allow` take.
    pub name: &'static str,
    /// What is wrong; `{}` stands for the object in backticks.
    pub message: &'static str,
    /// The lock it takes, and whom that stops.
    pub lock: &'static str,
    /// Why it is dangerous.
    pub reason: &'static str,
    /// The safe way to write it.
    pub help: &'static str,
}

/// The rule of this name.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

/// The names of all rules, in the order of the table.
pub fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.name)
}

/// "Did you mean", for a name that no rule has.
pub(crate) fn meant(name: &str) -> String {
    match nearest(name, names()) {
        Some(rule) => format!("did you mean `{rule}`?"),
        None => "the names of the rules are in the list of hazards, and `cargo xtask check` shows those that it finds"
            .to_owned(),
    }
}

const EXCLUSIVE: &str = "AccessExclusive on the table: readers and writers wait";
const SHARE_ROW: &str = "ShareRowExclusive on the table: writers wait, readers do not";
const NONE: &str = "none that lasts";
const OLD_RELEASE: &str = "the release that still runs uses it until the last machine has the new one";

/// All rules: indexes, constraints, columns, tables, what breaks the old release, data, style.
pub const RULES: &[Rule] = &[
    Rule {
        name: "require-concurrent-index-creation",
        message: "an index is built on {} while nobody can write to it",
        lock: "Share on the table: writers wait until the index is built",
        reason: "the whole table is read and sorted, which takes minutes on a large one",
        help: "`CREATE INDEX CONCURRENTLY`, alone in a `transaction:false` block",
    },
    Rule {
        name: "require-concurrent-index-deletion",
        message: "the index {} is dropped under a lock on its table",
        lock: EXCLUSIVE,
        reason: "it waits for every running query on the table, and all others queue behind it",
        help: "`DROP INDEX CONCURRENTLY`, alone in a `transaction:false` block",
    },
    Rule {
        name: "require-concurrent-reindex",
        message: "{} is reindexed while nobody can write to its table",
        lock: "Share on the table, AccessExclusive on the index: writers wait, and readers who want the index",
        reason: "the whole index is built again, which takes minutes on a large table",
        help: "`REINDEX ... CONCURRENTLY`, alone in a `transaction:false` block",
    },
    Rule {
        name: "adding-foreign-key-constraint",
        message: "a foreign key of {} is checked for every row as it is added",
        lock: "ShareRowExclusive on both tables: their writers wait, readers do not",
        reason: "the whole table is read while the locks are held",
        help: "add it `NOT VALID`, and `VALIDATE CONSTRAINT` it in the next migration",
    },
    Rule {
        name: "foreign-key-in-create-table",
        message: "the new table {} has a foreign key to a table that is in use",
        lock: "ShareRowExclusive on the referenced table: its writers wait until this transaction ends",
        reason: "whatever else this transaction does, the writers of the other table wait for it",
        help: "create the table without the key, and add it `NOT VALID` in the next migration, where nothing else is done",
    },
    Rule {
        name: "constraint-missing-not-valid",
        message: "a constraint of {} is checked for every row as it is added",
        lock: EXCLUSIVE,
        reason: "the whole table is read while the lock is held",
        help: "add it `NOT VALID`, and `VALIDATE CONSTRAINT` it in the next migration",
    },
    Rule {
        name: "validate-in-same-transaction",
        message: "a constraint of {} is validated in the transaction that adds it",
        lock: "the lock of `ADD CONSTRAINT`, which is held until this transaction ends",
        reason: "`VALIDATE` alone would let everybody read and write while it reads the table",
        help: "move `VALIDATE CONSTRAINT` into the next migration",
    },
    Rule {
        name: "adding-exclusion-constraint",
        message: "an exclusion constraint of {} is built while nobody can read the table",
        lock: EXCLUSIVE,
        reason: "the table is read twice and an index is built; it can be neither `NOT VALID` nor `CONCURRENTLY`",
        help: "make the constraint with the table; on one that is in use, do it in a maintenance window and say so",
    },
    Rule {
        name: "disallowed-unique-constraint",
        message: "a unique constraint of {} builds its index while nobody can read the table",
        lock: EXCLUSIVE,
        reason: "the whole table is read and sorted while the lock is held",
        help: "`CREATE UNIQUE INDEX CONCURRENTLY`, and in the next migration `ADD CONSTRAINT ... UNIQUE USING INDEX`",
    },
    Rule {
        name: "adding-serial-primary-key-field",
        message: "a primary key of {} builds its index while nobody can read the table",
        lock: EXCLUSIVE,
        reason: "the whole table is read and sorted while the lock is held",
        help: "`CREATE UNIQUE INDEX CONCURRENTLY`, and in the next migration `ADD CONSTRAINT ... PRIMARY KEY USING INDEX`",
    },
    Rule {
        name: "adding-not-nullable-field",
        message: "every row of {} is checked for NULL",
        lock: EXCLUSIVE,
        reason: "the whole table is read while the lock is held, unless a valid CHECK proves that there is no NULL",
        help: "add `CHECK (column IS NOT NULL) NOT VALID`; in the next migration validate it, then `SET NOT NULL`",
    },
    Rule {
        name: "adding-required-field",
        message: "a column of {} is required, and no row has a value for it",
        lock: EXCLUSIVE,
        reason: "it fails on a table with rows, and then every INSERT of the old release fails",
        help: "give it a constant `DEFAULT`, or add it nullable and require it later",
    },
    Rule {
        name: "adding-field-with-default",
        message: "every row of {} is written again for the new column",
        lock: EXCLUSIVE,
        reason: "a value that is computed for each row (volatile default, serial, identity, stored) rewrites the table \
                 and all its indexes",
        help: "add the column without a default, set the default in a statement of its own, and fill the old rows in batches",
    },
    Rule {
        name: "changing-column-type",
        message: "a column of {} changes its type",
        lock: EXCLUSIVE,
        reason: "the table and its indexes are written again, and the old release reads another type than it expects",
        help: "add a column of the new type, copy in batches, and let the release change over; drop the old column later",
    },
    Rule {
        name: "ban-drop-column",
        message: "a column of {} is dropped with what is in it",
        lock: EXCLUSIVE,
        reason: OLD_RELEASE,
        help: "drop it one release after the last code that names it, and say so",
    },
    Rule {
        name: "ban-drop-table",
        message: "{} is dropped with what is in it",
        lock: EXCLUSIVE,
        reason: OLD_RELEASE,
        help: "drop it one release after the last code that names it, and say so",
    },
    Rule {
        name: "ban-drop-schema",
        message: "the schema {} is dropped with what is in it",
        lock: "AccessExclusive on everything in it",
        reason: OLD_RELEASE,
        help: "empty it first, one release after the last code that names it, and say so",
    },
    Rule {
        name: "renaming-column",
        message: "a column of {} is renamed",
        lock: EXCLUSIVE,
        reason: OLD_RELEASE,
        help: "add the new column beside it with a trigger that copies, and drop the old one in a later release",
    },
    Rule {
        name: "renaming-table",
        message: "{} is renamed",
        lock: EXCLUSIVE,
        reason: OLD_RELEASE,
        help: "create a view of the new name, let the release change over, and rename later",
    },
    Rule {
        name: "renaming-object",
        message: "{} or a part of it is renamed",
        lock: "AccessExclusive on the object",
        reason: OLD_RELEASE,
        help: "make the new one beside the old, let the release change over, and drop the old one later",
    },
    Rule {
        name: "ban-set-schema",
        message: "{} moves to another schema",
        lock: "AccessExclusive on the object",
        reason: OLD_RELEASE,
        help: "leave a view of the old name behind in the same transaction, and say so",
    },
    Rule {
        name: "ban-drop-constraint",
        message: "a constraint of {} is dropped",
        lock: EXCLUSIVE,
        reason: "what both releases rely on can be violated from now on, and adding it again checks every row",
        help: "drop it once no code relies on it, and say so",
    },
    Rule {
        name: "ban-drop-not-null",
        message: "a column of {} may be NULL from now on",
        lock: EXCLUSIVE,
        reason: "the release that still runs does not expect a NULL when it reads",
        help: "ship first the code that reads NULL, and say so",
    },
    Rule {
        name: "ban-drop-default",
        message: "a column of {} loses its default",
        lock: EXCLUSIVE,
        reason: "the release that still runs leaves the column out when it writes",
        help: "ship first the code that writes the column, and say so",
    },
    Rule {
        name: "ban-drop-view",
        message: "the view {} is dropped",
        lock: "AccessExclusive on the view: readers wait",
        reason: OLD_RELEASE,
        help: "drop it one release after the last code that names it; to change it, create it again in the same migration",
    },
    Rule {
        name: "ban-drop-function",
        message: "the function {} is dropped",
        lock: NONE,
        reason: OLD_RELEASE,
        help: "drop it one release after the last code that calls it; to change it, create it again in the same migration",
    },
    Rule {
        name: "ban-drop-type",
        message: "the type {} is dropped",
        lock: "AccessExclusive on the type",
        reason: OLD_RELEASE,
        help: "drop it one release after the last code that names it, and say so",
    },
    Rule {
        name: "ban-drop-domain",
        message: "the domain {} is dropped",
        lock: "AccessExclusive on the domain",
        reason: OLD_RELEASE,
        help: "drop it one release after the last code that names it, and say so",
    },
    Rule {
        name: "ban-drop-sequence",
        message: "the sequence {} is dropped",
        lock: "AccessExclusive on the sequence",
        reason: OLD_RELEASE,
        help: "drop it one release after the last code that asks it for a number, and say so",
    },
    Rule {
        name: "ban-drop-extension",
        message: "the extension {} is dropped with its types and functions",
        lock: "AccessExclusive on everything that belongs to it",
        reason: OLD_RELEASE,
        help: "drop it one release after the last code that needs it, and say so",
    },
    Rule {
        name: "ban-drop-trigger",
        message: "a trigger of {} is dropped",
        lock: EXCLUSIVE,
        reason: "what it kept right is no longer kept, also for the release that still runs",
        help: "drop it once no release relies on it, and say so; to change it, create it again in the same migration",
    },
    Rule {
        name: "ban-disable-trigger",
        message: "{} changes when its triggers or rules fire",
        lock: "ShareRowExclusive on the table, AccessExclusive for rules: writers wait",
        reason: "what they kept right is no longer kept, also for the release that still runs",
        help: "let the trigger itself look whether it has to act",
    },
    Rule {
        name: "ban-drop-policy",
        message: "a policy or rule of {} is dropped",
        lock: EXCLUSIVE,
        reason: "whoever saw rows through it sees none, or sees more than before",
        help: "create the new one in the same migration, or keep policies in `repeatable/`",
    },
    Rule {
        name: "ban-alter-row-level-security",
        message: "{} changes who sees which rows",
        lock: EXCLUSIVE,
        reason: "without a policy nobody but the owner sees a row, and the release that still runs does not expect it",
        help: "create the policies in an earlier migration, then turn it on alone, and say so",
    },
    Rule {
        name: "ban-revoke",
        message: "rights are taken away",
        lock: NONE,
        reason: "the release that still runs may need them",
        help: "grant first, let the release change over, and revoke later; say so",
    },
    Rule {
        name: "creating-trigger",
        message: "a trigger is created on {} beside other work on tables in use",
        lock: SHARE_ROW,
        reason: "the lock is held until this transaction ends, and with a second table locked two sessions can deadlock",
        help: "create the trigger in a migration of its own, one table at a time",
    },
    Rule {
        name: "attaching-partition",
        message: "every row of the partition {} is checked as it is attached",
        lock: "AccessExclusive on the partition, ShareUpdateExclusive on the parent: the partition's readers wait",
        reason: "the whole partition is read while the lock is held, unless a valid CHECK proves its bounds",
        help: "add a CHECK with the bounds `NOT VALID`, validate it in the next migration, and attach then",
    },
    Rule {
        name: "creating-partition-of",
        message: "a partition of {} is created in place",
        lock: "AccessExclusive on the parent: readers and writers of all its partitions wait",
        reason: "it waits for every running query on the parent, and all others queue behind it",
        help: "`CREATE TABLE ... (LIKE parent INCLUDING ALL)`, then `ALTER TABLE parent ATTACH PARTITION`",
    },
    Rule {
        name: "require-concurrent-partition-detach",
        message: "a partition of {} is detached under a lock on both tables",
        lock: "AccessExclusive on the parent and the partition: readers and writers wait",
        reason: "it waits for every running query on the parent, and all others queue behind it",
        help: "`DETACH PARTITION ... CONCURRENTLY`, alone in a `transaction:false` block",
    },
    Rule {
        name: "refreshing-materialized-view",
        message: "{} is refreshed while nobody can read it",
        lock: "AccessExclusive on the view: readers wait until its query has run",
        reason: "the query runs as long as it runs, and then all rows are written",
        help: "`REFRESH MATERIALIZED VIEW CONCURRENTLY`, which needs a unique index",
    },
    Rule {
        name: "rewriting-table",
        message: "{} is written again as a whole",
        lock: EXCLUSIVE,
        reason: "the table and all its indexes are copied while the lock is held",
        help: "plain `VACUUM` where that is enough; else do it in a maintenance window and say so",
    },
    Rule {
        name: "truncate-table",
        message: "{} is emptied",
        lock: EXCLUSIVE,
        reason: "the rows are gone, and the lock stays until this transaction ends",
        help: "`DELETE` in batches, each committed, in a `transaction:false` block",
    },
    Rule {
        name: "update-without-where",
        message: "every row of {} is updated at once",
        lock: "RowExclusive on the table, and every row until this transaction ends: who writes the same row waits",
        reason: "the table doubles in size, and a failure at the end loses all of it",
        help: "update in batches by primary key, each committed, in a `transaction:false` block (`cargo xtask new --template backfill`)",
    },
    Rule {
        name: "delete-without-where",
        message: "every row of {} is deleted at once",
        lock: "RowExclusive on the table, and every row until this transaction ends: who writes the same row waits",
        reason: "the rows are gone, and it takes as long as the table is large",
        help: "say with `WHERE` which rows are meant; many of them in batches, each committed",
    },
    Rule {
        name: "data-while-locked",
        message: "rows are read or written while the lock on {} is held",
        lock: "AccessExclusive of the statement before, until this transaction ends: readers and writers wait",
        reason: "a lock that would take a moment lasts as long as the work on the rows",
        help: "put the work on the rows into a migration of its own",
    },
    Rule {
        name: "ddl-in-do",
        message: "the schema is changed inside a `DO` block",
        lock: "that of the statements inside, which nobody can see from here",
        reason: "neither this check nor the report after a failure can name the statement",
        help: "write the statements plainly; what has to be computed belongs into a query that a person runs first",
    },
    Rule {
        name: "require-enum-value-ordering",
        message: "the value is added to {} at the end, wherever it belongs",
        lock: NONE,
        reason: "an enum sorts in the order of its values, and that can never be changed",
        help: "say `BEFORE` or `AFTER` which value",
    },
    Rule {
        name: "ban-create-domain-with-constraint",
        message: "the domain {} has a constraint",
        lock: NONE,
        reason: "to change it, every table that uses the domain is read under a lock",
        help: "put the constraint on the columns, where it can be `NOT VALID`",
    },
    Rule {
        name: "ban-alter-domain-with-add-constraint",
        message: "a constraint is added to the domain {}",
        lock: "Share on every table that uses the domain: writers wait",
        reason: "all of these tables are read while the locks are held",
        help: "put the constraint on the columns, where it can be `NOT VALID`",
    },
    Rule {
        name: "identifier-too-long",
        message: "a name is longer than 63 bytes",
        lock: NONE,
        reason: "PostgreSQL cuts it without a word, and two long names can become one",
        help: "shorten it",
    },
    Rule {
        name: "prefer-bigint-over-int",
        message: "a key of {} ends at 2,147,483,647",
        lock: NONE,
        reason: "on the day it is used up every INSERT fails, and making it larger rewrites the table",
        help: "write `bigint`",
    },
    Rule {
        name: "prefer-identity",
        message: "{} has a serial column",
        lock: NONE,
        reason: "its sequence has rights of its own, and anybody can write another number into the column",
        help: "write `bigint GENERATED ALWAYS AS IDENTITY`",
    },
    Rule {
        name: "prefer-jsonb",
        message: "{} has a json column",
        lock: NONE,
        reason: "json has no equality: `SELECT DISTINCT` and `GROUP BY` over it fail, and no index helps",
        help: "write `jsonb`",
    },
    Rule {
        name: "prefer-timestamp-tz",
        message: "{} has a point in time without a time zone",
        lock: NONE,
        reason: "what is stored depends on who writes it, and the offset is lost",
        help: "write `timestamptz`",
    },
    Rule {
        name: "ban-char-field",
        message: "{} has a column that is filled up with blanks",
        lock: NONE,
        reason: "the blanks are stored, and count in some comparisons and not in others",
        help: "write `text`, with a CHECK where the length matters",
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_rule_is_found_by_its_name_which_is_used_once() {
        let names: BTreeSet<&str> = names().collect();
        assert_eq!(names.len(), RULES.len());
        for name in names {
            assert_eq!(find(name).map(|rule| rule.name), Some(name));
        }
        assert_eq!(find("ban-drop"), None);
    }
}
