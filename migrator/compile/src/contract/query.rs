//! What may stand in `checks/`: questions, nothing that writes or locks.

use migrator_sql::{Kind, Words};

use crate::problem::{Code, Problem};
use crate::source::Source;

const WRITES: [&str; 4] = ["insert", "update", "delete", "merge"];

/// Refuses every statement that is not a query.
pub(crate) fn check(source: &Source, statements: &[Words<'_>], problems: &mut Vec<Problem>) {
    for words in statements {
        let Some(index) = first_wrong(words) else { continue };
        let at = words.tokens[index].start();
        let (message, help) = if index == 0 {
            let message = format!("a check is a `SELECT`, this is `{}`", words.shown(2));
            (message, "ask for the rows that are wrong; each row that comes back is a violation")
        } else {
            let message = format!("a check cannot write or lock: `{}`", words.at(index));
            (message, "checks run in a read-only transaction: only read")
        };
        problems.push(source.problem(Code::CheckIsNotAQuery, at, message, help));
    }
}

/// The first token that makes the statement more than a query.
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
        // The statement inside `WITH x AS (...)`, and the one behind the whole `WITH`.
        let begins = index > 0 && ["(", ")"].contains(&words.at(index - 1));
        // A column may be called `update`; a statement goes on with a word.
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
    use expect_test::{Expect, expect};

    use super::*;
    use migrator_sql::{lex, split};

    #[track_caller]
    fn check_text(text: &str, expect: Expect) {
        let source = Source::new("db/checks/x.sql", text);
        let lexed = lex(text);
        let mut problems = Vec::new();
        check(&source, &split(text, &lexed.tokens), &mut problems);
        expect.assert_eq(&problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn accepts_queries() {
        check_text(
            "SELECT 1; ((SELECT 2) UNION SELECT 3); WITH x AS (SELECT 1) TABLE x; VALUES (1);
             SELECT substring(a for 2), \"insert\", count(*) FILTER (WHERE updated) FROM t WHERE kind IN ('delete') OR (update)",
            expect![""],
        );
    }

    #[test]
    fn refuses_everything_else() {
        check_text(
            "DELETE FROM t",
            expect![[r#"
                db/checks/x.sql:1:1: a check is a `SELECT`, this is `DELETE FROM` [M034]; help: ask for the rows that are wrong; each row that comes back is a violation"#]],
        );
        check_text(
            "WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x",
            expect![[r#"
                db/checks/x.sql:1:12: a check cannot write or lock: `DELETE` [M034]; help: checks run in a read-only transaction: only read"#]],
        );
        check_text(
            "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
            expect![[r#"
                db/checks/x.sql:1:22: a check cannot write or lock: `INSERT` [M034]; help: checks run in a read-only transaction: only read"#]],
        );
        check_text(
            "SELECT a INTO t FROM x",
            expect![[r#"
                db/checks/x.sql:1:10: a check cannot write or lock: `INTO` [M034]; help: checks run in a read-only transaction: only read"#]],
        );
        check_text(
            "SELECT a FROM t FOR UPDATE",
            expect![[r#"
                db/checks/x.sql:1:17: a check cannot write or lock: `FOR` [M034]; help: checks run in a read-only transaction: only read"#]],
        );
    }
}
