//! `VALIDATE CONSTRAINT` beside the `ADD CONSTRAINT` that it is to follow.

use migrator_sql::{AlterTableAction, Sql, TableChange};

use crate::held::adds_constraint;
use crate::lock;
use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "validate-in-same-transaction",
    message: "a constraint of {} is validated in the transaction that adds it",
    reason: "on its own, `VALIDATE` lets others read and write while it reads the table",
    help: "move `VALIDATE CONSTRAINT` into the next migration",
    linter: Linter::None,
    check,
};

fn check(site: &Site<'_>, _: &[usize]) -> Vec<Finding> {
    let Sql::AlterTable(altered) = site.sql() else { return Vec::new() };
    let table = altered.table.object();
    if !site.is_live(&table) {
        return Vec::new();
    }
    let finding = |action: &AlterTableAction<'_>| {
        let TableChange::ValidateConstraint(name) = action.change else { return None };
        let adding = site.earlier().find(|sql| adds_constraint(sql, &table, &name.object().name))?;
        let mode = lock::on_target(adding)?;
        let lock = format!(
            "{} of `ADD CONSTRAINT`, which is held until this transaction ends: {}",
            mode.name(),
            lock::waiting(mode)
        );
        Some(site.finding(action.words.start()).under(lock))
    };
    altered.actions.iter().filter_map(finding).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "CREATE TABLE other (id bigint PRIMARY KEY); ALTER TABLE live ADD CONSTRAINT old CHECK (id > 0) NOT VALID;",
            &["ALTER TABLE live ADD CONSTRAINT c CHECK (id > 0) NOT VALID; ALTER TABLE live VALIDATE CONSTRAINT c;"],
            &["ALTER TABLE live VALIDATE CONSTRAINT old;"],
        );
    }
}
