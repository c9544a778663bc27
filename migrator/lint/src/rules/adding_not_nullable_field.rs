//! `SET NOT NULL` of which no CHECK says that it holds.

use migrator_sql::{AlterTableAction, ColumnChange, Sql, TableChange};

use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "adding-not-nullable-field",
    message: "every row of {} is checked for NULL",
    reason: "the whole table is read while the lock is held, unless a valid CHECK proves that there is no NULL",
    help: "add `CHECK (column IS NOT NULL) NOT VALID`; in the next migration validate it, then `SET NOT NULL`",
    linter: Linter::None,
    check,
};

fn check(site: &Site<'_>, _: &[usize]) -> Vec<Finding> {
    let Sql::AlterTable(altered) = site.sql() else { return Vec::new() };
    let table = altered.table.object();
    let is_checked = |action: &&AlterTableAction<'_>| match action.change {
        TableChange::AlterColumn { column, change: ColumnChange::SetNotNull } => {
            !site.known.proves_not_null(&table, &column.object().name)
        }
        _ => false,
    };
    let checked = altered.actions.iter().filter(|_| site.is_live(&table)).filter(is_checked);
    checked.map(|action| site.finding(action.words.start())).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "ALTER TABLE live ADD CONSTRAINT c CHECK (b IS NOT NULL) NOT VALID; ALTER TABLE live VALIDATE CONSTRAINT c;",
            &["ALTER TABLE live ALTER a SET NOT NULL;"],
            &[
                "ALTER TABLE live ALTER COLUMN b SET NOT NULL;",
                "ALTER TABLE live ALTER a DROP NOT NULL;",
                "CREATE TABLE t (a int); ALTER TABLE t ALTER a SET NOT NULL;",
            ],
        );
    }
}
