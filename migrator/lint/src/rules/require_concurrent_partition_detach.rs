//! `DETACH PARTITION` without `CONCURRENTLY`.

use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "require-concurrent-partition-detach",
    message: "a partition of {} is detached under a lock on both tables",
    reason: "it waits for every running query on the parent, and all others queue behind it",
    help: "`DETACH PARTITION ... CONCURRENTLY`, alone in a `transaction:false` block",
    linter: Linter::InUse,
    check,
};

fn check(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    let table = site.sql().targets().into_iter().next();
    let help = table.is_some_and(|table| site.known.has_default_partition(&table)).then_some(
        "PostgreSQL refuses `CONCURRENTLY` beside a default partition: do it on its own, with a short `lock_timeout`, and allow it",
    );
    linted.iter().map(|&at| site.finding(at).with_help(help)).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "CREATE TABLE parent (id bigint) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF parent FOR VALUES IN (1);",
            &["ALTER TABLE parent DETACH PARTITION part;"],
            &["ALTER TABLE parent ATTACH PARTITION part DEFAULT;"],
        );
    }
}
