//! M023: a `COPY` whose rows come from psql or go to it.

use crate::code::Meaning;
use crate::file::{File, is_copy};
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::error("M023", "COPY through psql"), check);

/// Only psql sends the data that follows `COPY ... FROM stdin` to the server; the rows of `COPY ... TO stdout` would arrive
/// in the middle of a message that has no place for them.
fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    if let Some(at) = file.data {
        let message = "`COPY ... FROM stdin` needs psql to send its data";
        let help = "write `INSERT` statements, or load the data with `psql`";
        problems.push(file.source.problem(RULE.code, at, message, help));
    }
    for words in file.statements().filter(|words| is_copy(words, "to", "stdout")) {
        let message = "`COPY ... TO stdout` needs psql to receive its rows";
        let help = "write `INSERT INTO ... SELECT`, or read the data with `psql`";
        problems.push(file.source.problem(RULE.code, words.start(), message, help));
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::testing::block;

    #[test]
    fn refuses_copy_data() {
        block(
            RULE,
            "COPY t (a, b) FROM STDIN WITH (FORMAT csv);",
            expect![[r#"
                db/migrations/001_x.sql:2:1: `COPY ... FROM stdin` needs psql to send its data [M023]; help: write `INSERT` statements, or load the data with `psql`"#]],
        );
        block(RULE, "COPY t FROM '/x'; COPY t TO '/x'; COPY (SELECT a AS to FROM stdin) TO '/x'", expect![""]);
        block(
            RULE,
            "COPY t TO STDOUT; COPY (SELECT 1) TO stdout CSV;",
            expect![[r#"
                db/migrations/001_x.sql:2:1: `COPY ... TO stdout` needs psql to receive its rows [M023]; help: write `INSERT INTO ... SELECT`, or read the data with `psql`
                db/migrations/001_x.sql:2:19: `COPY ... TO stdout` needs psql to receive its rows [M023]; help: write `INSERT INTO ... SELECT`, or read the data with `psql`"#]],
        );
    }
}
