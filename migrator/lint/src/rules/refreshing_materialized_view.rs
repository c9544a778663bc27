//! `REFRESH MATERIALIZED VIEW` without `CONCURRENTLY`.

use migrator_sql::Sql;

use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "refreshing-materialized-view",
    message: "{} is refreshed while no one can read it",
    reason: "the lock is held while the query runs and all rows are written",
    help: "`REFRESH MATERIALIZED VIEW CONCURRENTLY`, which needs a unique index",
    linter: Linter::None,
    check,
};

fn check(site: &Site<'_>, _: &[usize]) -> Vec<Finding> {
    let Sql::Refresh { view: Some(view), concurrently: false, with_data: true } = site.sql() else { return Vec::new() };
    let view = Some(view.object()).filter(|view| site.is_live(view));
    let waits = "readers wait until its query has run";
    view.into_iter().map(|view| site.finding_with_waits(site.start(), waits).about(view)).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a;",
            &["REFRESH MATERIALIZED VIEW v;"],
            &[
                "REFRESH MATERIALIZED VIEW CONCURRENTLY v;",
                "REFRESH MATERIALIZED VIEW v WITH NO DATA;",
                "CREATE MATERIALIZED VIEW w AS SELECT 1 AS a WITH NO DATA; REFRESH MATERIALIZED VIEW w;",
            ],
        );
    }
}
