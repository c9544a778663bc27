//! `DROP COLUMN`.

use crate::rule::{Linter, OLD_RELEASE, Rule, as_linted, taking};
use crate::taken::Takes;

pub(super) const RULE: Rule = Rule {
    name: "ban-drop-column",
    message: "a column of {} is dropped with what is in it",
    reason: OLD_RELEASE,
    help: "drop it one release after the last code that names it, and allow it",
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
            &["ALTER TABLE live DROP a;", "ALTER TABLE live DROP COLUMN IF EXISTS a CASCADE;"],
            &["CREATE TABLE t (a int, b int); ALTER TABLE t DROP a;"],
        );
    }
}
