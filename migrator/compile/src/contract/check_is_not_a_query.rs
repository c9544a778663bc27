//! M034: a statement in `checks/` that is not a query, or that writes or locks.

use migrator_sql::{Kind, Words};

use crate::code::Meaning;
use crate::file::{File, Folder};
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::error("M034", "check is not a query"), check);

const WRITES: [&str; 4] = ["insert", "update", "delete", "merge"];

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    for words in file.statements().filter(|_| file.folder == Folder::Checks) {
        let Some(index) = first_wrong(words) else { continue };
        let at = words.tokens[index].start();
        let (message, help) = if index == 0 {
            let message = format!("a check must be a `SELECT`, not `{}`", words.shown(2));
            (message, "select the rows that are wrong: each row is a violation")
        } else {
            let message = format!("a check cannot write or lock: `{}`", words.at(index));
            (message, "only read: checks run in a read-only transaction")
        };
        problems.push(file.source.problem(RULE.code, at, message, help));
    }
}

/// The index of the first token that makes the statement more than a query.
fn first_wrong(words: &Words<'_>) -> Option<usize> {
    let start = (0..words.tokens.len()).find(|&index| words.at(index) != "(")?;
    if !words.is_any(start, &["select", "with", "values", "table"]) {
        return Some(0);
    }
    let mut depth = 0usize;
    for index in 0..words.tokens.len() {
        match words.at(index) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        // The statement inside `WITH x AS (...)`, and the one after the whole `WITH`.
        let begins = index > 0 && ["(", ")"].contains(&words.at(index - 1));
        // A column may be named `update`; a statement continues with a word.
        let goes_on = words.tokens.get(index + 1).is_some_and(|next| matches!(next.kind, Kind::Word | Kind::Quoted));
        let writes = begins && words.is_any(index, &WRITES) && goes_on;
        let into = depth == 0 && words.is(index, "into");
        let locks = words.is(index, "for") && words.is_any(index + 1, &["update", "share", "no", "key"]);
        if writes || into || locks {
            return Some(index);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::file::Folder::Checks;
    use crate::testing::script;

    #[test]
    fn accepts_queries() {
        script(
            RULE,
            Checks,
            "SELECT 1; ((SELECT 2) UNION SELECT 3); WITH x AS (SELECT 1) TABLE x; VALUES (1);
             SELECT substring(a for 2), \"insert\", count(*) FILTER (WHERE updated) FROM t WHERE kind IN ('delete') OR (update)",
            expect![""],
        );
    }

    #[test]
    fn refuses_everything_else() {
        script(
            RULE,
            Checks,
            "DELETE FROM t; COMMIT;",
            expect![[r#"
                db/checks/x.sql:1:1: a check must be a `SELECT`, not `DELETE FROM` [M034]; help: select the rows that are wrong: each row is a violation
                db/checks/x.sql:1:16: a check must be a `SELECT`, not `COMMIT` [M034]; help: select the rows that are wrong: each row is a violation"#]],
        );
        script(
            RULE,
            Checks,
            "DELETE FROM t",
            expect![[r#"
                db/checks/x.sql:1:1: a check must be a `SELECT`, not `DELETE FROM` [M034]; help: select the rows that are wrong: each row is a violation"#]],
        );
        script(
            RULE,
            Checks,
            "WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x",
            expect![[r#"
                db/checks/x.sql:1:12: a check cannot write or lock: `DELETE` [M034]; help: only read: checks run in a read-only transaction"#]],
        );
        script(
            RULE,
            Checks,
            "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
            expect![[r#"
                db/checks/x.sql:1:22: a check cannot write or lock: `INSERT` [M034]; help: only read: checks run in a read-only transaction"#]],
        );
        script(
            RULE,
            Checks,
            "SELECT a INTO t FROM x",
            expect![[r#"
                db/checks/x.sql:1:10: a check cannot write or lock: `INTO` [M034]; help: only read: checks run in a read-only transaction"#]],
        );
        script(
            RULE,
            Checks,
            "SELECT a FROM t FOR UPDATE",
            expect![[r#"
                db/checks/x.sql:1:17: a check cannot write or lock: `FOR` [M034]; help: only read: checks run in a read-only transaction"#]],
        );
    }
}
