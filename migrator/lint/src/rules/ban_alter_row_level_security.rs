//! `ENABLE` and `DISABLE ROW LEVEL SECURITY`.

use crate::rule::{Linter, Rule, as_linted};

pub(super) const RULE: Rule = Rule {
    name: "ban-alter-row-level-security",
    message: "{} changes who sees which rows",
    reason: "without a policy only the owner sees rows, and the release that is still running does not expect that",
    help: "create the policies in an earlier migration, then enable it on its own, and allow it",
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
            &["ALTER TABLE live ENABLE ROW LEVEL SECURITY;"],
            &["CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY;"],
        );
    }
}
