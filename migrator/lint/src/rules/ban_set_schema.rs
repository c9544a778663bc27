//! `SET SCHEMA`.

use crate::rule::{Linter, OLD_RELEASE, Rule, as_linted};

pub(super) const RULE: Rule = Rule {
    name: "ban-set-schema",
    message: "{} moves to another schema",
    reason: OLD_RELEASE,
    help: "leave a view with the old name in the same transaction, and allow it",
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
            &["ALTER TABLE live SET SCHEMA app;", "ALTER TYPE mood SET SCHEMA app;"],
            &["CREATE TABLE t (a int); ALTER TABLE t SET SCHEMA app;", "SET SCHEMA 'app';"],
        );
    }
}
