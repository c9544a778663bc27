//! `TRUNCATE` of a table in use.

use migrator_sql::Sql;

use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "truncate-table",
    message: "{} is emptied",
    reason: "the rows are gone, and the lock is held until this transaction ends",
    help: "`DELETE` in batches, each committed, in a `transaction:false` block",
    linter: Linter::None,
    check,
};

fn check(site: &Site<'_>, _: &[usize]) -> Vec<Finding> {
    let Sql::Truncate { .. } = site.sql() else { return Vec::new() };
    let table = site.live_target(site.sql());
    table.into_iter().map(|table| site.finding(site.start()).about(table)).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "",
            &["TRUNCATE live;", "TRUNCATE TABLE ONLY live CASCADE;", "CREATE TABLE t (a int); TRUNCATE t, live;"],
            &["CREATE TABLE t (a int); TRUNCATE t;"],
        );
    }
}
