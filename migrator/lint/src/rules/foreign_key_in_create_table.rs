//! A new table that refers to one in use.

use migrator_sql::{AlterTableAction, Element, Object, Sql};

use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "foreign-key-in-create-table",
    message: "the new table {} has a foreign key to a table that is in use",
    reason: "whatever else this transaction does, the writers of the other table wait for it",
    help: "create the table without the key, and add it `NOT VALID` in the next migration, where nothing else is done",
    linter: Linter::None,
    check,
};

fn check(site: &Site<'_>, _: &[usize]) -> Vec<Finding> {
    let waits = "its writers wait until this transaction ends";
    match site.sql() {
        Sql::CreateTable(created) => {
            let own = created.name.object();
            let keys = created.elements.iter().filter(|element| refers_to_live(site, &own, element));
            let help = created.partitioned.then_some(
                "create the table without the key, and add it in the next migration, where nothing else is done",
            );
            let finding = |key: &Element<'_>| {
                site.finding_with_waits(key.words.start(), waits).about(own.clone()).with_help(help)
            };
            keys.map(finding).collect()
        }
        Sql::AlterTable(altered) if !site.is_live(&altered.table.object()) => {
            let own = altered.table.object();
            let added = |action: &AlterTableAction<'_>| {
                action.added().is_some_and(|element| refers_to_live(site, &own, element))
            };
            let keys = altered.actions.iter().filter(|action| added(action));
            keys.map(|action| site.finding_with_waits(action.words.start(), waits)).collect()
        }
        _ => Vec::new(),
    }
}

/// True if a column or constraint of `own` refers to another table, which is in use.
fn refers_to_live(site: &Site<'_>, own: &Object, element: &Element<'_>) -> bool {
    let referenced = element.references().map(|table| table.object());
    referenced.is_some_and(|other| !other.is(own) && site.is_live(&other))
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "CREATE TABLE other (id bigint PRIMARY KEY);",
            &[
                "CREATE TABLE t (id bigint REFERENCES other);",
                "CREATE TABLE t (id bigint, FOREIGN KEY (id) REFERENCES other (id));",
                "CREATE TABLE t (id bigint); ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES other;",
            ],
            &[
                "CREATE TABLE t (id bigint PRIMARY KEY, up bigint REFERENCES t);",
                "CREATE TABLE t (id bigint PRIMARY KEY); CREATE TABLE u (id bigint REFERENCES t);",
                "ALTER TABLE live ADD c bigint REFERENCES other;",
            ],
        );
    }
}
