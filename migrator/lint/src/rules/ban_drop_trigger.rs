//! `DROP TRIGGER`.

use crate::rule::{Linter, Rule, unless_made_again};

pub(super) const RULE: Rule = Rule {
    name: "ban-drop-trigger",
    message: "a trigger of {} is dropped",
    reason: "what it guaranteed no longer holds, also for the release that is still running",
    help: "drop it once no release relies on it; to change it, create it again in the same migration",
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
            &[
                "DROP TRIGGER x ON live;",
                "DROP TRIGGER x ON live; CREATE TRIGGER y AFTER INSERT ON live EXECUTE FUNCTION f();",
            ],
            &["DROP TRIGGER x ON live; CREATE TRIGGER x AFTER INSERT ON live EXECUTE FUNCTION f();"],
        );
    }
}
