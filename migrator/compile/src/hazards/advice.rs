//! Where the way out that a rule names is none: PostgreSQL refuses it for partitioned tables, or the column computes itself.

use super::block::{Block, Finding};
use super::known;
use super::object::{Object, alter_table, create_table, targets};
use migrator_sql::Words;

/// The way out for this very statement; `None` where it is the one that its rule names.
pub(crate) fn help(block: &Block<'_>, finding: &Finding) -> Option<&'static str> {
    let words = &block.statements[finding.statement];
    let table = targets(words).into_iter().next();
    let partitioned = table.as_ref().is_some_and(|table| block.known.is_partitioned(table));
    match finding.rule {
        "require-concurrent-index-creation" if partitioned => Some(
            "`CREATE INDEX ... ON ONLY` the parent, `CREATE INDEX CONCURRENTLY` on each partition in migrations of their \
             own, then `ALTER INDEX ... ATTACH PARTITION` for each",
        ),
        "require-concurrent-index-deletion" if of_partitioned(block, words) => Some(
            "PostgreSQL has no `CONCURRENTLY` for an index of a partitioned table: do it alone, with a short \
             `lock_timeout`, and say so",
        ),
        "disallowed-unique-constraint" | "adding-serial-primary-key-field" if partitioned => Some(
            "`ALTER TABLE ONLY` the parent `ADD CONSTRAINT`; `CREATE UNIQUE INDEX CONCURRENTLY` on each partition and \
             `ADD CONSTRAINT ... USING INDEX` there; then `ALTER INDEX ... ATTACH PARTITION` for each",
        ),
        "adding-foreign-key-constraint" if partitioned => Some(
            "add it to each partition `NOT VALID`, and `VALIDATE CONSTRAINT` it there in the next migration; then add it to \
             the parent, which takes over what is valid",
        ),
        "foreign-key-in-create-table" if create_table(words).is_some() && is_partition_parent(words) => {
            Some("create the table without the key, and add it in the next migration, where nothing else is done")
        }
        "require-concurrent-partition-detach"
            if table.is_some_and(|table| block.known.has_default_partition(&table)) =>
        {
            Some(
                "PostgreSQL refuses `CONCURRENTLY` beside a default partition: do it alone, with a short `lock_timeout`, \
                 and say so",
            )
        }
        "adding-field-with-default" => of_column(words, finding.at),
        _ => None,
    }
}

/// True if the statement drops an index of a partitioned table.
fn of_partitioned(block: &Block<'_>, words: &Words<'_>) -> bool {
    let table = |index: &Object| block.known.table_of_index(index);
    targets(words).iter().filter_map(table).any(|table| block.known.is_partitioned(table))
}

/// True for `CREATE TABLE ... PARTITION BY`.
pub(crate) fn is_partition_parent(words: &Words<'_>) -> bool {
    let is_by = |&at: &usize| words.is(at, "partition") && words.is(at + 1, "by");
    create_table(words).is_some() && (1..words.tokens.len()).any(|at| is_by(&at))
}

/// A column whose value is no default that could be set later.
fn of_column(words: &Words<'_>, at: usize) -> Option<&'static str> {
    let (_, actions) = alter_table(words)?;
    let action = actions.iter().find(|action| action.range().contains(&at))?;
    let column = known::added(action)?;
    if column.has("stored") {
        Some(
            "add an ordinary column that a trigger fills, and fill the old rows in batches; or compute it in a view, or \
             `VIRTUAL` from PostgreSQL 18 on",
        )
    } else if column.find("identity").is_some() {
        Some(
            "add the column without identity, fill the old rows in batches from a sequence, require it, and then \
             `ALTER COLUMN ... ADD GENERATED ... AS IDENTITY`",
        )
    } else if super::own::is_serial(&column) {
        Some(
            "add an integer column without a default, create the sequence, set the default in a statement of its own, and \
             fill the old rows in batches",
        )
    } else {
        None
    }
}
