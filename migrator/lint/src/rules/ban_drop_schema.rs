//! `DROP SCHEMA`.

use crate::rule::{Linter, OLD_RELEASE, Rule, as_linted};

pub(super) const RULE: Rule = Rule {
    name: "ban-drop-schema",
    message: "the schema {} is dropped with what is in it",
    reason: OLD_RELEASE,
    help: "empty it first, one release after the last code that names it, and allow it",
    linter: Linter::InUse,
    check: as_linted,
};

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(super::RULE.name, "", &["DROP SCHEMA app;"], &["CREATE SCHEMA s; DROP SCHEMA s;"]);
    }
}
