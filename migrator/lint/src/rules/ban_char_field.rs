//! `char(n)`.

use crate::rule::{Linter, Rule, unless_rows_stay};

pub(super) const RULE: Rule = Rule {
    name: "ban-char-field",
    message: "{} has a column that is padded with spaces",
    reason: "the spaces are stored, and count in some comparisons and not in others",
    help: "write `text`, with a CHECK where the length matters",
    linter: Linter::All,
    check: unless_rows_stay,
};

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "ALTER TABLE live ADD stamp timestamp(3), ADD fixed char(3);",
            &["CREATE TABLE t (a char(3));"],
            &["CREATE TABLE t (a text);", "ALTER TABLE live ALTER fixed TYPE char(3);"],
        );
    }
}
