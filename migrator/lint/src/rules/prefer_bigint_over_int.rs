//! An `int` that is a key.

use migrator_sql::{Clause, Element, Sql};

use crate::rule::{Linter, Rule, except};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "prefer-bigint-over-int",
    message: "a key of {} cannot go above 2,147,483,647",
    reason: "once it is used up every INSERT fails, and a larger type rewrites the table",
    help: "write `bigint`",
    linter: Linter::All,
    check,
};

fn check(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    except(site, linted, |at| !is_key(site, at))
}

/// True if the column at a byte is a key, or counts up.
fn is_key(site: &Site<'_>, at: usize) -> bool {
    let Sql::CreateTable(created) = site.sql() else {
        let added = site.action_at(at).and_then(|(_, action)| action.added());
        return added.is_some_and(counts);
    };
    let Some(element) = created.element_at(at) else { return false };
    let name = element.column().map(|column| column.object());
    let mut keys = created.elements.iter().filter_map(Element::only_key_column);
    counts(element) || keys.any(|key| Some(key.object()) == name)
}

fn counts(column: &Element<'_>) -> bool {
    column.has(Clause::PrimaryKey) || column.has(Clause::Identity) || column.is_serial()
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "",
            &[
                "CREATE TABLE t (id int PRIMARY KEY);",
                "CREATE TABLE t (id int, a int, PRIMARY KEY (id));",
                "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY);",
                "CREATE TABLE t (id serial);",
                "ALTER TABLE live ADD c serial;",
            ],
            &[
                "CREATE TABLE t (id bigint PRIMARY KEY, a int);",
                "CREATE TABLE t (a int, b int, PRIMARY KEY (a, b));",
                "ALTER TABLE live ADD c int;",
            ],
        );
    }
}
