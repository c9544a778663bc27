//! `UPDATE` of every row, also after `WITH`.

use migrator_sql::Sql;

use crate::rule::{Linter, Rule, of_every_row};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "update-without-where",
    message: "every row of {} is updated at once",
    reason: "the table doubles in size, and a failure at the end loses all of it",
    help: "update in batches by primary key, each committed, in a `transaction:false` block (`cargo xtask new --template backfill`)",
    linter: Linter::None,
    check,
};

fn check(site: &Site<'_>, _: &[usize]) -> Vec<Finding> {
    of_every_row(site, |sql| match sql {
        Sql::Update(rows) => Some(*rows),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "",
            &["UPDATE live SET a = 1;", "WITH x AS (SELECT 1) UPDATE ONLY live SET a = 1;"],
            &["UPDATE live SET a = 1 WHERE id = 1;", "CREATE TABLE t (a int); UPDATE t SET a = 1;"],
        );
    }
}
