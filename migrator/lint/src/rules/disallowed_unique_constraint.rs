//! `ADD UNIQUE` without an index that is there.

use crate::rule::{Linter, Rule, building_a_unique_index};

pub(super) const RULE: Rule = Rule {
    name: "disallowed-unique-constraint",
    message: "a unique constraint of {} builds its index while no one can read the table",
    reason: "the whole table is read and sorted while the lock is held",
    help: "`CREATE UNIQUE INDEX CONCURRENTLY`, and in the next migration `ADD CONSTRAINT ... UNIQUE USING INDEX`",
    linter: Linter::InUse,
    check: building_a_unique_index,
};

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
