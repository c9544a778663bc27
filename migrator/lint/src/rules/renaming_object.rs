//! `RENAME` of what is neither a table nor a column.

use migrator_sql::{ObjectKind, Sql};

use crate::rule::{Linter, OLD_RELEASE, Rule, except, taking};
use crate::site::{Finding, Site};
use crate::taken::Takes;

pub(super) const RULE: Rule = Rule {
    name: "renaming-object",
    message: "{} or a part of it is renamed",
    reason: OLD_RELEASE,
    help: "create the new one beside the old, ship the code that uses it, and drop the old one later",
    linter: Linter::InUse,
    check,
};

fn check(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    // No query names an index.
    let found = except(site, linted, |_| matches!(site.sql(), Sql::Alter { kind: ObjectKind::Index, .. }));
    taking(site, Takes::Objects, found)
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "CREATE INDEX live_a ON live (a); CREATE VIEW v AS SELECT 1; CREATE TYPE mood AS ENUM ('a');",
            &["ALTER TYPE mood RENAME TO m;", "ALTER VIEW v RENAME TO w;"],
            &["ALTER INDEX live_a RENAME TO i;", "CREATE TYPE t AS ENUM ('a'); ALTER TYPE t RENAME TO u;"],
        );
    }
}
