//! `UPDATE` of every row, also after `WITH`.

use migrator_sql::Sql;

use crate::lock;
use crate::rule::{Linter, Rule};
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
    let main = match site.sql() {
        Sql::With { main: Some(main), .. } => main,
        sql => sql,
    };
    let Sql::Update(rows) = main else { return Vec::new() };
    let table = rows.table.filter(|_| !rows.are_filtered()).map(|table| table.object());
    let table = table.filter(|table| site.is_live(table));
    let lock = lock::with_rows(&site.locks());
    table.into_iter().map(|table| site.finding(site.start()).about(table).under(lock.clone())).collect()
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
