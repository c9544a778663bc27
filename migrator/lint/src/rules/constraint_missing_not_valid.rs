//! A CHECK that is not `NOT VALID`.

use migrator_sql::{AlterTableAction, Clause};

use crate::rule::{Linter, Rule, except};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "constraint-missing-not-valid",
    message: "a constraint of {} is checked for every row as it is added",
    reason: "the whole table is read while the lock is held",
    help: "add it `NOT VALID`, and `VALIDATE CONSTRAINT` it in the next migration",
    linter: Linter::InUse,
    check,
};

/// Foreign keys, unique constraints and validations have rules of their own.
fn check(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    let is_check = |action: &AlterTableAction<'_>| action.added().is_some_and(|element| element.has(Clause::Check));
    except(site, linted, |at| site.action_at(at).is_some_and(|(_, action)| !is_check(action)))
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "",
            &["ALTER TABLE live ADD CONSTRAINT c CHECK (id > 0);"],
            &[
                "ALTER TABLE live ADD CONSTRAINT c CHECK (id > 0) NOT VALID;",
                "ALTER TABLE live ADD CONSTRAINT u UNIQUE (id);",
                "ALTER TABLE live VALIDATE CONSTRAINT c;",
                "CREATE TABLE t (a int); ALTER TABLE t ADD CHECK (a > 0);",
            ],
        );
    }
}
