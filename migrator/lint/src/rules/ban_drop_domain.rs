//! `DROP DOMAIN`.

use crate::rule::{Linter, OLD_RELEASE, Rule, as_linted};

pub(super) const RULE: Rule = Rule {
    name: "ban-drop-domain",
    message: "the domain {} is dropped",
    reason: OLD_RELEASE,
    help: "drop it one release after the last code that names it, and allow it",
    linter: Linter::InUse,
    check: as_linted,
};

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(super::RULE.name, "", &["DROP DOMAIN email;"], &["CREATE DOMAIN d AS text; DROP DOMAIN d;"]);
    }
}
