//! M030: a statement that controls transactions, in a block whose transaction the migrator controls, or where the block
//! could not be resumed after it.

use migrator_sql::Words;

use crate::code::Meaning;
use crate::contract::units::{Step, control, steps};
use crate::file::{Block, File, Folder};
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::error("M030", "transaction control"), check);

/// Allowed between the `BEGIN` and `COMMIT` of a `transaction:false` block.
const INSIDE: [&str; 4] = ["SAVEPOINT", "RELEASE", "ROLLBACK TO", "SET TRANSACTION"];

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    for block in file.blocks.iter().filter(|_| file.folder != Folder::Checks) {
        if block.options.transaction {
            in_our_transaction(file, block, problems);
        } else {
            problems.extend(steps(&block.statements).iter().filter_map(|step| in_a_migration(file, step)));
        }
    }
}

fn in_our_transaction(file: &File<'_>, block: &Block<'_>, problems: &mut Vec<Problem>) {
    // The fence is a query, and comes after the statements that set the transaction's characteristics.
    let first = block.statements.iter().take_while(|words| words.is(0, "set")).count();
    for (index, words) in block.statements.iter().enumerate() {
        let Some(control) = control(words).filter(|control| index >= first || *control != "SET TRANSACTION") else {
            continue;
        };
        let message = format!("`{control}` inside a transaction that the migrator controls");
        let help = match block.direction {
            Some(direction) => format!(
                "remove it: the block runs as one transaction; to control transactions yourself, write `{} transaction:false`",
                direction.marker()
            ),
            None => "remove it: the file runs as one transaction".to_owned(),
        };
        problems.push(problem(file, words, message, &help));
    }
}

fn in_a_migration(file: &File<'_>, step: &Step<'_>) -> Option<Problem> {
    let control = control(step.words).filter(|_| step.is_inner())?;
    match (INSIDE.contains(&control), step.opened) {
        (true, Some(_)) => None,
        (true, None) => {
            let help = "put it between `BEGIN` and `COMMIT`, or remove it";
            Some(problem(file, step.words, format!("`{control}` outside a transaction"), help))
        }
        (false, _) => {
            let help = "remove it: a migration ends its transactions with `COMMIT`";
            Some(problem(file, step.words, format!("`{control}` in a migration"), help))
        }
    }
}

fn problem(file: &File<'_>, words: &Words<'_>, message: String, help: &str) -> Problem {
    file.source.problem(RULE.code, words.start(), message, help)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::file::Folder;
    use crate::testing::{block, found, own_transactions, script};

    #[test]
    fn refuses_transaction_control_in_our_transaction() {
        block(
            RULE,
            "BEGIN; a; COMMIT; SELECT \"begin\"",
            expect![[r#"
                db/migrations/001_x.sql:2:1: `BEGIN` inside a transaction that the migrator controls [M030]; help: remove it: the block runs as one transaction; to control transactions yourself, write `-- migrate:up transaction:false`
                db/migrations/001_x.sql:2:11: `COMMIT` inside a transaction that the migrator controls [M030]; help: remove it: the block runs as one transaction; to control transactions yourself, write `-- migrate:up transaction:false`"#]],
        );
        script(
            RULE,
            Folder::Seeds,
            "BEGIN;\nSELECT 1;\nVACUUM t;",
            expect![[r#"
                db/seeds/x.sql:1:1: `BEGIN` inside a transaction that the migrator controls [M030]; help: remove it: the file runs as one transaction"#]],
        );
        let number = |text: &str| found(RULE, "db/seeds/x.sql", text).len();
        for text in ["START TRANSACTION", "END", "ROLLBACK TO x", "SAVEPOINT x", "a; SET LOCAL TRANSACTION READ ONLY"] {
            assert_eq!(number(text), 1, "{text}");
        }
        // The server accepts it at the start of a transaction.
        for text in
            ["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; a", "SET LOCAL x = 1; SET LOCAL TRANSACTION READ ONLY"]
        {
            assert_eq!(number(text), 0, "{text}");
        }
    }

    #[test]
    fn refuses_what_a_migration_cannot_end_with() {
        own_transactions(
            RULE,
            "BEGIN; a; ROLLBACK; SAVEPOINT x",
            expect![[r#"
            db/migrations/001_x.sql:2:11: `ROLLBACK` in a migration [M030]; help: remove it: a migration ends its transactions with `COMMIT`"#]],
        );
        own_transactions(
            RULE,
            "SAVEPOINT x; BEGIN; SAVEPOINT x; COMMIT",
            expect![[r#"
            db/migrations/001_x.sql:2:1: `SAVEPOINT` outside a transaction [M030]; help: put it between `BEGIN` and `COMMIT`, or remove it"#]],
        );
    }
}
