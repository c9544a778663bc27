//! `DROP INDEX` without `CONCURRENTLY`.

use migrator_sql::Object;

use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "require-concurrent-index-deletion",
    message: "the index {} is dropped under a lock on its table",
    reason: "it waits for every running query on the table, and all others queue behind it",
    help: "`DROP INDEX CONCURRENTLY`, alone in a `transaction:false` block",
    linter: Linter::InUse,
    check,
};

fn check(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    let table = |index: &Object| site.known.table_of_index(index);
    let of_partitioned = site.sql().targets().iter().filter_map(table).any(|table| site.known.is_partitioned(table));
    let help = of_partitioned.then_some(
        "PostgreSQL has no `CONCURRENTLY` for an index of a partitioned table: do it on its own, with a short `lock_timeout`, and allow it",
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
            "CREATE INDEX live_a ON live (a);",
            &["DROP INDEX live_a;", "DROP INDEX IF EXISTS public.live_a, b;"],
            &["CREATE TABLE t (a int); CREATE INDEX t_a ON t (a); DROP INDEX t_a;"],
        );
    }
}
