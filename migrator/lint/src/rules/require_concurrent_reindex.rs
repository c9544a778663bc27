//! `REINDEX` without `CONCURRENTLY`.

use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "require-concurrent-reindex",
    message: "{} is reindexed while no one can write to its table",
    reason: "the whole index is rebuilt, which takes minutes on a large table",
    help: "`REINDEX ... CONCURRENTLY`, alone in a `transaction:false` block",
    linter: Linter::InUse,
    check,
};

fn check(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    let waits = "writers wait, and readers that use the index";
    linted.iter().map(|&at| site.finding_with_waits(at, waits)).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "",
            &["REINDEX TABLE live;", "REINDEX (VERBOSE) INDEX live_a;"],
            &["CREATE TABLE t (a int); REINDEX TABLE t;"],
        );
    }
}
