//! `CREATE INDEX` without `CONCURRENTLY`.

use migrator_sql::Sql;

use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "require-concurrent-index-creation",
    message: "an index is built on {} while no one can write to it",
    reason: "the whole table is read and sorted, which takes minutes on a large one",
    help: "`CREATE INDEX CONCURRENTLY`, alone in a `transaction:false` block",
    linter: Linter::InUse,
    check,
};

fn check(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    let Sql::CreateIndex(index) = site.sql() else { return Vec::new() };
    let table = index.table.map(|table| table.object());
    // Only the parent, whose partitions are told of it one by one.
    if index.only && table.as_ref().is_some_and(|table| !site.known.is_plain(table)) {
        return Vec::new();
    }
    let help = table.is_some_and(|table| site.known.is_partitioned(&table)).then_some(
        "`CREATE INDEX ... ON ONLY` the parent, `CREATE INDEX CONCURRENTLY` on each partition in migrations of their own, then \
         `ALTER INDEX ... ATTACH PARTITION` for each",
    );
    let finding = |&at: &usize| site.finding_with_waits(at, "writers wait until the index is built").with_help(help);
    linted.iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "CREATE TABLE parent (id bigint) PARTITION BY LIST (id);",
            &[
                "CREATE INDEX i ON live (a);",
                "CREATE UNIQUE INDEX i ON ONLY live (a);",
                "CREATE INDEX i ON parent (id);",
            ],
            &["CREATE INDEX i ON ONLY parent (id);", "CREATE TABLE t (a int); CREATE INDEX i ON t (a);"],
        );
    }
}
