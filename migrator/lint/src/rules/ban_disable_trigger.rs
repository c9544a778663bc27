//! `ENABLE` and `DISABLE` of triggers and rules.

use crate::rule::{Linter, Rule, as_linted};

pub(super) const RULE: Rule = Rule {
    name: "ban-disable-trigger",
    message: "{} changes when its triggers or rules fire",
    reason: "what they guaranteed no longer holds, also for the release that is still running",
    help: "let the trigger itself check whether it has to act",
    linter: Linter::InUse,
    check: as_linted,
};

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "",
            &["ALTER TABLE live DISABLE TRIGGER x;", "ALTER TABLE live DISABLE RULE r;"],
            &["CREATE TABLE t (a int); ALTER TABLE t DISABLE TRIGGER ALL;"],
        );
    }
}
