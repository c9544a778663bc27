//! `DROP EXTENSION`.

use crate::rule::{Linter, OLD_RELEASE, Rule, as_linted};

pub(super) const RULE: Rule = Rule {
    name: "ban-drop-extension",
    message: "the extension {} is dropped with its types and functions",
    reason: OLD_RELEASE,
    help: "drop it one release after the last code that needs it, and allow it",
    linter: Linter::InUse,
    check: as_linted,
};

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(super::RULE.name, "", &["DROP EXTENSION citext;"], &["CREATE EXTENSION citext; DROP EXTENSION citext;"]);
    }
}
