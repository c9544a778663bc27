//! A foreign key that is checked as it is added.

use migrator_sql::Clause;

use crate::rule::{Linter, Rule, except};
use crate::site::{Finding, Site};

pub(super) const RULE: Rule = Rule {
    name: "adding-foreign-key-constraint",
    message: "a foreign key of {} is checked for every row as it is added",
    reason: "the whole table is read while the locks are held",
    help: "add it `NOT VALID`, and `VALIDATE CONSTRAINT` it in the next migration",
    linter: Linter::InUse,
    check,
};

fn check(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    let partitioned = site.live_target(site.sql()).is_some_and(|table| site.known.is_partitioned(&table));
    let help = partitioned.then_some(
        "add it to each partition `NOT VALID`, and `VALIDATE CONSTRAINT` it there in the next migration; then add it to the \
         parent, which takes over what is valid",
    );
    except(site, linted, |at| is_of_empty_column(site, at)).into_iter().map(|finding| finding.with_help(help)).collect()
}

/// True for a new column without a value: every row has NULL there, so nothing has to be looked up.
fn is_of_empty_column(site: &Site<'_>, at: usize) -> bool {
    let added = site.action_at(at).and_then(|(_, action)| action.added());
    added.is_some_and(|element| element.column().is_some() && !element.has(Clause::Default))
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
                "ALTER TABLE live ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES other;",
                "ALTER TABLE live ADD c bigint DEFAULT 1 REFERENCES other;",
            ],
            &[
                "ALTER TABLE live ADD c bigint REFERENCES other;",
                "ALTER TABLE live ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES other NOT VALID;",
                "CREATE TABLE t (id bigint); ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES other;",
            ],
        );
    }
}
