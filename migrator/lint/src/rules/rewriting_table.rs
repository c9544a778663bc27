//! What copies a whole table: `CLUSTER`, `VACUUM FULL`, `SET UNLOGGED` and its like.

use migrator_sql::{Sql, TableChange};

use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "rewriting-table",
    message: "{} is rewritten as a whole",
    reason: "the table and all its indexes are copied while the lock is held",
    help: "plain `VACUUM` where that is enough; else do it in a maintenance window, and allow it",
    linter: Linter::None,
    check,
};

fn check(site: &Site<'_>, _: &[usize]) -> Vec<Finding> {
    let Some(table) = site.live_target(site.sql()) else { return Vec::new() };
    match site.sql() {
        Sql::Cluster { .. } | Sql::Vacuum { full: true, .. } => vec![site.finding(site.start()).about(table)],
        Sql::AlterTable(altered) => {
            let rewrites = altered.actions.iter().filter(|action| matches!(action.change, TableChange::Rewrite));
            rewrites.map(|action| site.finding(action.words.start())).collect()
        }
        _ => Vec::new(),
    }
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
                "CLUSTER live USING i;",
                "VACUUM FULL live;",
                "VACUUM (FULL, ANALYZE) live;",
                "ALTER TABLE live SET UNLOGGED;",
                "ALTER TABLE live SET TABLESPACE other;",
            ],
            &[
                "VACUUM live;",
                "VACUUM (FULL off) live;",
                "ALTER TABLE live SET (fillfactor = 70);",
                "CREATE TABLE t (a int); ALTER TABLE t SET LOGGED;",
            ],
        );
    }
}
