//! `DROP VIEW`.

use crate::rule::{Linter, OLD_RELEASE, Rule, unless_made_again};

pub(super) const RULE: Rule = Rule {
    name: "ban-drop-view",
    message: "the view {} is dropped",
    reason: OLD_RELEASE,
    help: "drop it one release after the last code that names it; to change it, create it again in the same migration",
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
            &["DROP VIEW v;", "DROP VIEW v; CREATE VIEW other AS SELECT 1;"],
            &["DROP VIEW v; CREATE VIEW v AS SELECT 1;"],
        );
    }
}
