//! A new column with a value that is computed for each row.

use migrator_sql::{AlterTableAction, Clause, Element, Sql};

use crate::rule::{Linter, Rule, except};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "adding-field-with-default",
    message: "every row of {} is rewritten for the new column",
    reason: "a value that is computed for each row (volatile default, serial, identity, stored) rewrites the table \
        and all its indexes",
    help: "add the column without a default, set the default in a statement of its own, and fill the old rows in batches",
    linter: Linter::InUse,
    check,
};

fn check(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    let mut found = except(site, linted, |at| {
        let added = site.action_at(at).and_then(|(_, action)| action.added());
        added.is_some_and(|column| column.has(Clause::Virtual) || site.known.has_steady_default(column))
    });
    if let Sql::AlterTable(altered) = site.sql() {
        // squawk sees no default in them.
        let is_serial = |action: &&AlterTableAction<'_>| action.added().is_some_and(Element::is_serial);
        let serial = altered.actions.iter().filter(|_| site.is_live(&altered.table.object())).filter(is_serial);
        found.extend(serial.map(|action| site.finding(action.words.start())));
    }
    found.into_iter().map(|finding| with_help(site, finding)).collect()
}

/// The way out where the value is not a default that could be set later.
fn with_help(site: &Site<'_>, finding: Finding) -> Finding {
    let added = site.action_at(finding.at).and_then(|(_, action)| action.added());
    let Some(column) = added else { return finding };
    finding.with_help(if column.has(Clause::Stored) {
        Some(
            "add an ordinary column that a trigger fills, and fill the old rows in batches; or compute it in a view, or \
             `VIRTUAL` from PostgreSQL 18 on",
        )
    } else if column.has(Clause::Identity) {
        Some(
            "add the column without identity, fill the old rows in batches from a sequence, require it, and then \
             `ALTER COLUMN ... ADD GENERATED ... AS IDENTITY`",
        )
    } else if column.is_serial() {
        Some(
            "add an integer column without a default, create the sequence, set the default in a statement of its own, and fill \
             the old rows in batches",
        )
    } else {
        None
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "CREATE FUNCTION steady() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT 1'; CREATE FUNCTION moody() RETURNS text LANGUAGE sql AS 'SELECT 1';",
            &[
                "ALTER TABLE live ADD c uuid DEFAULT gen_random_uuid();",
                "ALTER TABLE live ADD c text DEFAULT moody();",
                "ALTER TABLE live ADD c bigserial;",
                "ALTER TABLE live ADD c text GENERATED ALWAYS AS (a || b) STORED;",
                "ALTER TABLE live ADD c bigint GENERATED ALWAYS AS IDENTITY;",
            ],
            &[
                "ALTER TABLE live ADD c int DEFAULT 1;",
                "ALTER TABLE live ADD c timestamptz DEFAULT now();",
                "ALTER TABLE live ADD c text DEFAULT steady();",
                "CREATE TABLE t (a int); ALTER TABLE t ADD c serial;",
            ],
        );
    }
}
