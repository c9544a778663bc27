//! `EXCLUDE` on a table in use.

use migrator_sql::{AlterTableAction, Clause, Sql};

use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "adding-exclusion-constraint",
    message: "an exclusion constraint of {} is built while no one can read the table",
    reason: "the table is read twice and an index is built; it can be neither `NOT VALID` nor `CONCURRENTLY`",
    help: "create the constraint with the table; add it to a table in use only in a maintenance window, and allow it",
    linter: Linter::None,
    check,
};

fn check(site: &Site<'_>, _: &[usize]) -> Vec<Finding> {
    let Sql::AlterTable(altered) = site.sql() else { return Vec::new() };
    if !site.is_live(&altered.table.object()) {
        return Vec::new();
    }
    let excludes = |action: &&AlterTableAction<'_>| action.added().is_some_and(|element| element.has(Clause::Exclude));
    altered.actions.iter().filter(excludes).map(|action| site.finding(action.words.start())).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "",
            &["ALTER TABLE live ADD CONSTRAINT e EXCLUDE USING gist (a WITH =);"],
            &["CREATE TABLE t (a int); ALTER TABLE t ADD EXCLUDE USING gist (a WITH =);"],
        );
    }
}
