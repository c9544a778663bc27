//! `CREATE DOMAIN` with a constraint.

use crate::rule::{Linter, Rule, as_linted};

pub(super) const RULE: Rule = Rule {
    name: "ban-create-domain-with-constraint",
    message: "the domain {} has a constraint",
    reason: "to change it, every table that uses the domain is read under a lock",
    help: "put the constraint on the columns, where it can be `NOT VALID`",
    linter: Linter::InUse,
    check: as_linted,
};

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(super::RULE.name, "", &["CREATE DOMAIN d AS text CHECK (VALUE <> '');"], &["CREATE DOMAIN d AS text;"]);
    }
}
