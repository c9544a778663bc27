//! `RENAME COLUMN`.

use crate::rule::{Linter, OLD_RELEASE, Rule, as_linted, taking};
use crate::taken::Takes;

pub(super) const RULE: Rule = Rule {
    name: "renaming-column",
    message: "a column of {} is renamed",
    reason: OLD_RELEASE,
    help: "add the new column beside it with a trigger that copies, and drop the old one in a later release",
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
            &["ALTER TABLE live RENAME a TO c;", "ALTER TABLE live RENAME COLUMN a TO c;"],
            &["CREATE TABLE t (a int); ALTER TABLE t RENAME a TO b;"],
        );
    }
}
