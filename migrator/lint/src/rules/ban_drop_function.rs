//! `DROP FUNCTION`.

use crate::rule::{Linter, OLD_RELEASE, Rule, unless_made_again};

pub(super) const RULE: Rule = Rule {
    name: "ban-drop-function",
    message: "the function {} is dropped",
    reason: OLD_RELEASE,
    help: "drop it one release after the last code that calls it; to change it, create it again in the same migration",
    linter: Linter::InUse,
    check: unless_made_again,
};

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
