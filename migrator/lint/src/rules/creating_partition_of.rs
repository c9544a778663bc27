//! `CREATE TABLE ... PARTITION OF` a table in use.

use migrator_sql::Sql;

use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "creating-partition-of",
    message: "a partition of {} is created in place",
    reason: "it waits for every running query on the parent, and all others queue behind it",
    help: "`CREATE TABLE ... (LIKE parent INCLUDING ALL)`, then `ALTER TABLE parent ATTACH PARTITION`",
    linter: Linter::None,
    check,
};

fn check(site: &Site<'_>, _: &[usize]) -> Vec<Finding> {
    let Sql::CreateTable(created) = site.sql() else { return Vec::new() };
    let parent = created.partition_of.map(|parent| parent.object()).filter(|parent| site.is_live(parent));
    let waits = "readers and writers of all its partitions wait";
    parent.into_iter().map(|parent| site.finding_with_waits(site.start(), waits).about(parent)).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "CREATE TABLE parent (id bigint) PARTITION BY LIST (id);",
            &["CREATE TABLE t PARTITION OF parent DEFAULT;"],
            &[
                "CREATE TABLE p (id bigint) PARTITION BY LIST (id); CREATE TABLE t PARTITION OF p DEFAULT;",
                "CREATE TABLE t (LIKE parent INCLUDING ALL);",
            ],
        );
    }
}
