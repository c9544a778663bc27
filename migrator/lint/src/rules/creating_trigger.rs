//! `CREATE TRIGGER` beside other work on tables in use.

use migrator_sql::{ObjectKind, Sql};

use crate::held::{locks_live, works_on_rows};
use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "creating-trigger",
    message: "a trigger is created on {} alongside other work on tables in use",
    reason: "the lock is held until this transaction ends, and with a second table locked two sessions can deadlock",
    help: "create the trigger in a migration of its own, one table at a time",
    linter: Linter::None,
    check,
};

fn check(site: &Site<'_>, _: &[usize]) -> Vec<Finding> {
    let is_trigger = matches!(site.sql(), Sql::CreateOnTable(made) if made.kind == ObjectKind::Trigger);
    let Some(table) = site.live_target(site.sql()).filter(|_| is_trigger) else { return Vec::new() };
    let is_work =
        |sql: &Sql<'_>| locks_live(site, sql).is_some_and(|locked| !locked.is(&table)) || works_on_rows(site, sql);
    let has_other_work = site.earlier().any(is_work) || site.later().any(|sql| works_on_rows(site, sql));
    if has_other_work { vec![site.finding(site.start())] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "CREATE TABLE other (id bigint);",
            &[
                "LOCK other IN SHARE MODE; CREATE TRIGGER x AFTER INSERT ON live EXECUTE FUNCTION f();",
                "CREATE TRIGGER x AFTER INSERT ON live EXECUTE FUNCTION f(); UPDATE other SET id = 1;",
            ],
            &[
                "CREATE TRIGGER x AFTER INSERT ON live EXECUTE FUNCTION f();",
                "LOCK live IN SHARE MODE; CREATE TRIGGER x AFTER INSERT ON live EXECUTE FUNCTION f();",
                "UPDATE other SET id = 1; CREATE TABLE t (a int); CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f();",
            ],
        );
    }
}
