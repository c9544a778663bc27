//! `DROP POLICY` and `DROP RULE`.

use crate::rule::{Linter, Rule, except};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "ban-drop-policy",
    message: "a policy or rule of {} is dropped",
    reason: "users who saw rows through it see none, or more than before",
    help: "create the new one in the same migration, or keep policies in `repeatable/`",
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
            &["DROP POLICY p ON live;", "DROP POLICY p ON live; CREATE POLICY q ON live USING (true);"],
            &["DROP POLICY p ON live; CREATE POLICY p ON live USING (true);"],
        );
    }
}
