//! `ATTACH PARTITION` without a CHECK that proves the bounds.

use migrator_sql::{AlterTableAction, Sql, TableChange};

use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "attaching-partition",
    message: "every row of the partition {} is checked as it is attached",
    reason: "the whole partition is read while the lock is held, unless a valid CHECK proves its bounds",
    help: "add a CHECK with the bounds `NOT VALID`, validate it in the next migration, and attach then",
    linter: Linter::None,
    check,
};

fn check(site: &Site<'_>, _: &[usize]) -> Vec<Finding> {
    let Sql::AlterTable(altered) = site.sql() else { return Vec::new() };
    if !site.is_live(&altered.table.object()) {
        return Vec::new();
    }
    let finding = |action: &AlterTableAction<'_>| {
        let TableChange::AttachPartition { partition, .. } = action.change else { return None };
        let partition = partition.object();
        let unchecked = site.is_live(&partition) && !site.known.has_valid_check(&partition);
        let at = action.words.start();
        unchecked.then(|| site.finding_with_waits(at, "the partition's readers wait").about(partition))
    };
    altered.actions.iter().filter_map(finding).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "CREATE TABLE parent (id bigint) PARTITION BY LIST (id); CREATE TABLE checked (id bigint CHECK (id > 0)); CREATE TABLE proved (id bigint, CHECK (id = 1));",
            &["ALTER TABLE parent ATTACH PARTITION live FOR VALUES IN (1);"],
            &[
                "ALTER TABLE parent ATTACH PARTITION proved FOR VALUES IN (1);",
                "CREATE TABLE t (id bigint); ALTER TABLE parent ATTACH PARTITION t DEFAULT;",
            ],
        );
    }
}
