//! A name that the server cuts.

use crate::rule::{Linter, Rule, as_linted};

pub(super) const RULE: Rule = Rule {
    name: "identifier-too-long",
    message: "a name is longer than 63 bytes",
    reason: "PostgreSQL truncates it silently, and two long names can become the same",
    help: "shorten it",
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
            &[
                "CREATE TABLE xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx (a int);",
                "CREATE TABLE t (a int); ALTER TABLE t ADD xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx int;",
            ],
            &["CREATE TABLE xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx (a int);"],
        );
    }
}
