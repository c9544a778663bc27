//! `ALTER COLUMN ... TYPE` that writes the table again.

use crate::rule::{Linter, Rule, taking, unless_rows_stay};
use crate::taken::Takes;

pub(super) const RULE: Rule = Rule {
    name: "changing-column-type",
    message: "a column of {} changes its type",
    reason: "the table and its indexes are rewritten, and the old release reads a type that it does not expect",
    help: "add a column of the new type, copy in batches, and ship the code that uses it; drop the old column later",
    linter: Linter::InUse,
    check: |site, linted| taking(site, Takes::Type, unless_rows_stay(site, linted)),
};

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn finds_it_and_lets_the_rest_pass() {
        check(
            super::RULE.name,
            "ALTER TABLE live ADD c varchar(20), ADD d int;",
            &[
                "ALTER TABLE live ALTER c TYPE varchar(10);",
                "ALTER TABLE live ALTER d TYPE bigint;",
                "ALTER TABLE live ALTER c TYPE text USING upper(c);",
            ],
            &[
                "ALTER TABLE live ALTER c TYPE text;",
                "ALTER TABLE live ALTER COLUMN c SET DATA TYPE varchar(40);",
                "ALTER TABLE live ALTER c TYPE text USING c::text;",
                "CREATE TABLE t (a int); ALTER TABLE t ALTER a TYPE bigint;",
            ],
        );
    }
}
