//! `DELETE` of every row, also after `WITH`.

use migrator_sql::Sql;

use crate::lock;
use crate::rule::{Linter, Rule};
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
    let main = match site.sql() {
        Sql::With { main: Some(main), .. } => main,
        sql => sql,
    };
    let Sql::Delete(rows) = main else { return Vec::new() };
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
            &["DELETE FROM live;", "WITH x AS (SELECT 1) DELETE FROM ONLY live;"],
            &["DELETE FROM live WHERE id = 1;", "CREATE TABLE t (a int); DELETE FROM t;"],
        );
    }
}
