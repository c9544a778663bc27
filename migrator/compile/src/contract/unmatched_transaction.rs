//! M032: a `BEGIN` without its `COMMIT` in a `transaction:false` block, or vice versa.

use migrator_model::StatementKind;
use migrator_sql::Words;

use crate::code::Meaning;
use crate::contract::units::steps;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::Rule;
use crate::source::Source;

pub(crate) const RULE: Rule = Rule::file(&Meaning::error("M032", "unmatched BEGIN or COMMIT"), check);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    let source = file.source;
    for block in file.blocks.iter().filter(|block| !block.options.transaction) {
        let steps = steps(&block.statements);
        for step in &steps {
            match (&step.kind, step.opened) {
                (StatementKind::Begin, Some(opened)) => {
                    let message =
                        format!("`BEGIN` inside the transaction opened on line {}", source.position(opened).0);
                    problems.push(source.problem(RULE.code, step.words.start(), message, "add a `COMMIT` before it"));
                }
                (StatementKind::Commit, opened) => problems.extend(commit(source, step.words, opened.is_some())),
                _ => {}
            }
        }
        if let Some(opened) = steps.last().and_then(|step| step.open_after()) {
            let message = "`BEGIN` without a `COMMIT` in the same block";
            let help = "add the `COMMIT`: an open transaction is rolled back";
            problems.push(source.problem(RULE.code, opened, message, help));
        }
    }
}

fn commit(source: &Source, words: &Words<'_>, is_open: bool) -> Option<Problem> {
    let name = words.at(0).to_ascii_uppercase();
    let refuse = |message: String, help: &str| Some(source.problem(RULE.code, words.start(), message, help));
    if !is_open {
        refuse(format!("`{name}` without a `BEGIN`"), "add the `BEGIN`, or remove it")
    } else if words.has("chain") && !words.has("no") {
        refuse(format!("`{name} AND CHAIN` opens another transaction"), "write `COMMIT` and `BEGIN` instead")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::testing::own_transactions;

    #[test]
    fn every_begin_has_its_commit() {
        own_transactions(
            RULE,
            "BEGIN; a; SAVEPOINT s; ROLLBACK TO s; COMMIT; b; START TRANSACTION; c; END",
            expect![""],
        );
        own_transactions(
            RULE,
            "BEGIN;\na;\nBEGIN; COMMIT;",
            expect![[r#"
                db/migrations/001_x.sql:4:1: `BEGIN` inside the transaction opened on line 2 [M032]; help: add a `COMMIT` before it"#]],
        );
        own_transactions(
            RULE,
            "a; COMMIT",
            expect![[r#"
                db/migrations/001_x.sql:2:4: `COMMIT` without a `BEGIN` [M032]; help: add the `BEGIN`, or remove it"#]],
        );
        own_transactions(
            RULE,
            "a;\nBEGIN; b",
            expect![[r#"
                db/migrations/001_x.sql:3:1: `BEGIN` without a `COMMIT` in the same block [M032]; help: add the `COMMIT`: an open transaction is rolled back"#]],
        );
        own_transactions(
            RULE,
            "BEGIN; a; COMMIT AND CHAIN",
            expect![[r#"
                db/migrations/001_x.sql:2:11: `COMMIT AND CHAIN` opens another transaction [M032]; help: write `COMMIT` and `BEGIN` instead"#]],
        );
        own_transactions(
            RULE,
            "BEGIN; a; ROLLBACK; SAVEPOINT x",
            expect![[r#"
                db/migrations/001_x.sql:2:1: `BEGIN` without a `COMMIT` in the same block [M032]; help: add the `COMMIT`: an open transaction is rolled back"#]],
        );
    }
}
