//! `DROP TABLE`.

use crate::rule::{Linter, OLD_RELEASE, Rule, as_linted, taking};
use crate::taken::Takes;

pub(super) const RULE: Rule = Rule {
    name: "ban-drop-table",
    message: "{} is dropped with what is in it",
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
            &["DROP TABLE live;", "DROP TABLE IF EXISTS a, live CASCADE;"],
            &["CREATE TABLE t (a int); DROP TABLE t;"],
        );
    }
}
