//! `ADD UNIQUE` without an index that is there.

use migrator_sql::Sql;

use crate::rule::{Linter, Rule};
use crate::rule::{PARTITIONED_UNIQUE, as_linted};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "disallowed-unique-constraint",
    message: "a unique constraint of {} builds its index while no one can read the table",
    reason: "the whole table is read and sorted while the lock is held",
    help: "`CREATE UNIQUE INDEX CONCURRENTLY`, and in the next migration `ADD CONSTRAINT ... UNIQUE USING INDEX`",
    linter: Linter::InUse,
    check,
};

fn check(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    let Sql::AlterTable(altered) = site.sql() else { return as_linted(site, linted) };
    let partitioned = site.known.is_partitioned(&altered.table.object());
    if altered.only && partitioned {
        return Vec::new();
    }
    let help = partitioned.then_some(PARTITIONED_UNIQUE);
    linted.iter().map(|&at| site.finding(at).with_help(help)).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "CREATE TABLE parent (id bigint) PARTITION BY LIST (id);",
            &[
                "ALTER TABLE live ADD CONSTRAINT u UNIQUE (id);",
                "ALTER TABLE ONLY live ADD UNIQUE (id);",
                "ALTER TABLE parent ADD UNIQUE (id);",
            ],
            &[
                "ALTER TABLE ONLY parent ADD UNIQUE (id);",
                "ALTER TABLE live ADD CONSTRAINT u UNIQUE USING INDEX i;",
                "CREATE TABLE t (a int); ALTER TABLE t ADD UNIQUE (a);",
            ],
        );
    }
}
