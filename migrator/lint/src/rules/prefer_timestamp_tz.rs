//! `timestamp` without a time zone.

use crate::rule::{Linter, Rule, unless_rows_stay};

pub(super) const RULE: Rule = Rule {
    name: "prefer-timestamp-tz",
    message: "{} has a timestamp without a time zone",
    reason: "what is stored depends on the session's time zone, and the offset is lost",
    help: "write `timestamptz`",
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
            &["CREATE TABLE t (a timestamp);", "ALTER TABLE live ADD c timestamp;"],
            &["CREATE TABLE t (a timestamptz);", "ALTER TABLE live ALTER stamp TYPE timestamp;"],
        );
    }
}
