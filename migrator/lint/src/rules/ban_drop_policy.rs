//! `DROP POLICY` and `DROP RULE`.

use crate::rule::{Linter, Rule, unless_made_again};

pub(super) const RULE: Rule = Rule {
    name: "ban-drop-policy",
    message: "a policy or rule of {} is dropped",
    reason: "users who saw rows through it see none, or more than before",
    help: "create the new one in the same migration, or keep policies in `repeatable/`",
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
            &["DROP POLICY p ON live;", "DROP POLICY p ON live; CREATE POLICY q ON live USING (true);"],
            &["DROP POLICY p ON live; CREATE POLICY p ON live USING (true);"],
        );
    }
}
