//! `ALTER DOMAIN ... ADD` a constraint that is not `NOT VALID`.

use migrator_sql::Sql;

use crate::rule::{Linter, Rule, except};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "ban-alter-domain-with-add-constraint",
    message: "a constraint is added to the domain {}",
    reason: "all of these tables are read while the locks are held",
    help: "put the constraint on the columns, where it can be `NOT VALID`",
    linter: Linter::InUse,
    check,
};

fn check(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    except(site, linted, |_| matches!(site.sql(), Sql::AlterDomain { not_valid: true, .. }))
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "CREATE DOMAIN d AS text;",
            &["ALTER DOMAIN d ADD CHECK (VALUE <> '');"],
            &[
                "ALTER DOMAIN d ADD CHECK (VALUE <> '') NOT VALID;",
                "CREATE DOMAIN e AS text; ALTER DOMAIN e ADD CHECK (VALUE <> '');",
            ],
        );
    }
}
