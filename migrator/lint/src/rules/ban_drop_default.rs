//! `DROP DEFAULT`.

use crate::rule::{Linter, Rule, as_linted, taking};
use crate::taken::Takes;

pub(super) const RULE: Rule = Rule {
    name: "ban-drop-default",
    message: "a column of {} loses its default",
    reason: "the release that is still running leaves the column out when it writes",
    help: "first ship the code that writes the column, and allow it",
    linter: Linter::InUse,
    check: |site, linted| taking(site, Takes::Default, as_linted(site, linted)),
};

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "",
            &["ALTER TABLE live ALTER a DROP DEFAULT;"],
            &["CREATE TABLE t (a int DEFAULT 1); ALTER TABLE t ALTER a DROP DEFAULT;"],
        );
    }
}
