//! `ALTER TABLE ... RENAME TO`.

use crate::rule::{Linter, OLD_RELEASE, Rule, as_linted, taking};
use crate::taken::Takes;

pub(super) const RULE: Rule = Rule {
    name: "renaming-table",
    message: "{} is renamed",
    reason: OLD_RELEASE,
    help: "create a view with the new name, ship the code that uses it, and rename later",
    linter: Linter::InUse,
    check: |site, linted| taking(site, Takes::Objects, as_linted(site, linted)),
};

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "",
            &["ALTER TABLE live RENAME TO dead;"],
            &["CREATE TABLE t (a int); ALTER TABLE t RENAME TO u;"],
        );
    }
}
