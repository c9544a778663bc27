//! `DROP NOT NULL`.

use crate::rule::{Linter, Rule, as_linted};

pub(super) const RULE: Rule = Rule {
    name: "ban-drop-not-null",
    message: "a column of {} may be NULL from now on",
    reason: "the release that is still running does not expect a NULL when it reads",
    help: "first ship the code that reads NULL, and allow it",
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
            &["ALTER TABLE live ALTER a DROP NOT NULL;"],
            &["CREATE TABLE t (a int NOT NULL); ALTER TABLE t ALTER a DROP NOT NULL;"],
        );
    }
}
