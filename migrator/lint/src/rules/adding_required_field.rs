//! `ADD COLUMN ... NOT NULL` without a default.

use crate::rule::{Linter, Rule, as_linted};

pub(super) const RULE: Rule = Rule {
    name: "adding-required-field",
    message: "a column of {} is required, and no row has a value for it",
    reason: "it fails if the table has rows; if not, every INSERT of the old release fails afterwards",
    help: "give it a constant `DEFAULT`, or add it nullable and require it later",
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
            &["ALTER TABLE live ADD c int NOT NULL;"],
            &[
                "ALTER TABLE live ADD c int NOT NULL DEFAULT 0;",
                "CREATE TABLE t (a int); ALTER TABLE t ADD c int NOT NULL;",
            ],
        );
    }
}
