//! Work on rows in a transaction that keeps a table from being read or written.

use migrator_sql::{LockMode, Object, Sql, TableChange};

use crate::held::{adds_constraint, locks_before, works_on_rows};
use crate::lock;
use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "data-while-locked",
    message: "rows are read or written while the lock on {} is held",
    reason: "a lock that would take a moment lasts as long as the work on the rows",
    help: "move the work on the rows to a migration of its own",
    linter: Linter::None,
    check,
};

fn check(site: &Site<'_>, _: &[usize]) -> Vec<Finding> {
    if !works_on_rows(site, site.sql()) || validates_what_it_adds(site) {
        return Vec::new();
    }
    // The first of the strongest.
    let stronger = |one: (Object, LockMode), other: (Object, LockMode)| if other.1 > one.1 { other } else { one };
    let locked = locks_before(site).reduce(stronger);
    let finding = |(table, mode): (Object, LockMode)| {
        let waits = lock::waiting(mode);
        let lock = format!("{} of the statement before, until this transaction ends: {waits}", mode.name());
        site.finding(site.start()).about(table).under(lock)
    };
    locked.into_iter().map(finding).collect()
}

/// True for what `validate-in-same-transaction` reports.
fn validates_what_it_adds(site: &Site<'_>) -> bool {
    let Sql::AlterTable(altered) = site.sql() else { return false };
    let table = altered.table.object();
    altered.actions.iter().any(|action| match action.change {
        TableChange::ValidateConstraint(name) => {
            site.earlier().any(|sql| adds_constraint(sql, &table, &name.object().name))
        }
        _ => false,
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
            &[
                "ALTER TABLE live ADD c text; UPDATE live SET c = a WHERE id = 1;",
                "LOCK live IN SHARE MODE; INSERT INTO live SELECT * FROM live;",
                "ALTER TABLE live ADD c text; WITH x AS (DELETE FROM live RETURNING *) SELECT * FROM x;",
            ],
            &[
                "UPDATE live SET a = b WHERE id = 1; ALTER TABLE live ADD c text;",
                "LOCK live IN ROW EXCLUSIVE MODE; UPDATE live SET a = b WHERE id = 1;",
                "ALTER TABLE live ADD c text; INSERT INTO live (id) VALUES (1);",
                "ALTER TABLE live ADD CONSTRAINT c CHECK (id > 0) NOT VALID; ALTER TABLE live VALIDATE CONSTRAINT c;",
            ],
        );
    }
}
