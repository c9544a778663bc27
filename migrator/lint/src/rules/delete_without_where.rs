//! `DELETE` of every row, also after `WITH`.

use migrator_sql::Sql;

use crate::rule::{Linter, Rule, of_every_row};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "delete-without-where",
    message: "every row of {} is deleted at once",
    reason: "the rows are gone, and on a large table it takes long",
    help: "name the rows with `WHERE`; delete many in batches, each committed",
    linter: Linter::None,
    check,
};

fn check(site: &Site<'_>, _: &[usize]) -> Vec<Finding> {
    of_every_row(site, |sql| match sql {
        Sql::Delete(rows) => Some(*rows),
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
            &["DELETE FROM live;", "WITH x AS (SELECT 1) DELETE FROM ONLY live;"],
            &["DELETE FROM live WHERE id = 1;", "CREATE TABLE t (a int); DELETE FROM t;"],
        );
    }
}
