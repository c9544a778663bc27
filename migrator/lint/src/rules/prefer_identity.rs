//! `serial` instead of identity.

use crate::rule::{Linter, Rule, as_linted};

pub(super) const RULE: Rule = Rule {
    name: "prefer-identity",
    message: "{} has a serial column",
    reason: "its sequence has privileges of its own, and anyone can write another number into the column",
    help: "write `bigint GENERATED ALWAYS AS IDENTITY`",
    linter: Linter::All,
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
            &["CREATE TABLE t (id bigserial);"],
            &["CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY);"],
        );
    }
}
