//! `REVOKE`.

use migrator_sql::{Name, Object, Sql};

use crate::rule::{Linter, Rule, except};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "ban-revoke",
    message: "privileges are revoked",
    reason: "the release that is still running may need them",
    help: "grant first, ship the code that uses the new grants, revoke later, and allow it",
    linter: Linter::InUse,
    check,
};

fn check(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    except(site, linted, |_| matches!(site.sql(), Sql::AlterDefaultPrivileges) || is_about_new(site))
}

/// True for rights on what this block creates, in whatever transaction: no release has used them yet.
fn is_about_new(site: &Site<'_>) -> bool {
    let words = site.words();
    let names = |made: &Object| {
        (1..words.tokens.len()).any(|at| Name::read(words, at).is_some_and(|(name, _)| name.object().is(made)))
    };
    site.before().filter_map(Sql::made).any(|made| names(&made))
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "",
            &["REVOKE ALL ON live FROM PUBLIC;", "REVOKE ALL ON live FROM PUBLIC; CREATE TABLE t (a int);"],
            &[
                "CREATE TABLE t (a int); REVOKE ALL ON t FROM PUBLIC;",
                "CREATE SCHEMA s; REVOKE ALL ON ALL TABLES IN SCHEMA s FROM PUBLIC;",
                "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;",
            ],
        );
    }
}
