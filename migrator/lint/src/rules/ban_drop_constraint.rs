//! `DROP CONSTRAINT`.

use migrator_sql::{Sql, TableChange};

use crate::rule::{Linter, Rule, except};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "ban-drop-constraint",
    message: "a constraint of {} is dropped",
    reason: "what both releases rely on can be violated from now on, and adding it again checks every row",
    help: "drop it once no code relies on it, and allow it",
    linter: Linter::InUse,
    check,
};

fn check(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    except(site, linted, |at| {
        let Some((table, action)) = site.action_at(at) else { return false };
        let TableChange::DropConstraint(name) = action.change else { return false };
        let name = name.object().name;
        site.known.is_spare(&table, &name) || adds(site.sql(), &name) || site.later().any(|sql| adds(sql, &name))
    })
}

fn adds(sql: &Sql<'_>, name: &str) -> bool {
    matches!(sql, Sql::AlterTable(altered) if altered.actions.iter().any(|action| action.adds_constraint(name)))
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "ALTER TABLE live ADD CONSTRAINT spare CHECK (a IS NOT NULL) NOT VALID; ALTER TABLE live VALIDATE CONSTRAINT spare; ALTER TABLE live ALTER a SET NOT NULL;",
            &[
                "ALTER TABLE live DROP CONSTRAINT c;",
                "ALTER TABLE live ADD CONSTRAINT c CHECK (id > 0) NOT VALID; ALTER TABLE live DROP CONSTRAINT c;",
            ],
            &[
                "ALTER TABLE live DROP CONSTRAINT spare;",
                "ALTER TABLE live DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (id > 0) NOT VALID;",
                "ALTER TABLE live DROP CONSTRAINT IF EXISTS c; ALTER TABLE live ADD CONSTRAINT c CHECK (id > 0) NOT VALID;",
                "CREATE TABLE t (a int CONSTRAINT c CHECK (a > 0)); ALTER TABLE t DROP CONSTRAINT c;",
            ],
        );
    }
}
