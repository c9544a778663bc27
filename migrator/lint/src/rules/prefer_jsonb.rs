//! A `json` column.

use migrator_sql::{Element, Sql};

use crate::rule::{Linter, Rule};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "prefer-jsonb",
    message: "{} has a json column",
    reason: "json has no equality: `SELECT DISTINCT` and `GROUP BY` over it fail, and no index helps",
    help: "write `jsonb`",
    linter: Linter::None,
    check,
};

fn check(site: &Site<'_>, _: &[usize]) -> Vec<Finding> {
    let added: Vec<(usize, &Element<'_>)> = match site.sql() {
        Sql::CreateTable(created) => created.elements.iter().map(|element| (element.words.start(), element)).collect(),
        Sql::AlterTable(altered) => {
            altered.actions.iter().filter_map(|action| Some((action.words.start(), action.added()?))).collect()
        }
        _ => Vec::new(),
    };
    let json = added.into_iter().filter(|(_, element)| element.is_of_type(&["json"]));
    json.map(|(at, _)| site.finding(at)).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "",
            &["CREATE TABLE t (id bigint, a json);", "ALTER TABLE live ADD c json;"],
            &["CREATE TABLE t (a jsonb);", "CREATE TABLE t (json text);"],
        );
    }
}
