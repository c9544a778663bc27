//! `DROP FUNCTION`.

use crate::rule::{Linter, OLD_RELEASE, Rule, except};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "ban-drop-function",
    message: "the function {} is dropped",
    reason: OLD_RELEASE,
    help: "drop it one release after the last code that calls it; to change it, create it again in the same migration",
    linter: Linter::InUse,
    check,
};

fn check(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    // Dropped and created again in the same transaction: no one sees it missing.
    except(site, linted, |_| site.makes_again_what_it_drops())
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "",
            &["DROP FUNCTION f();", "DROP FUNCTION f(); CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';"],
            &["DROP FUNCTION f(); CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1';"],
        );
    }
}
