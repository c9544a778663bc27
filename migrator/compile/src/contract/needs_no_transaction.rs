//! M031: a statement inside a transaction that cannot run inside one.

use migrator_sql::{Words, detaches_slots, no_transaction};

use crate::code::Meaning;
use crate::contract::units::{control, steps};
use crate::file::{Block, File, Folder};
use crate::problem::Problem;
use crate::rule::{Old, Rule};

pub(crate) const RULE: Rule =
    Rule::file(&Meaning::error("M031", "needs `transaction:false`"), check).when_old(Old::WarningInDown);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    for block in file.blocks.iter().filter(|_| file.folder != Folder::Checks) {
        let slots_detached = detaches_slots(&block.statements);
        // Another rule reports statements that control transactions.
        let refused = |words: &Words<'_>| no_transaction(words, slots_detached).filter(|_| control(words).is_none());
        if block.options.transaction {
            let found = block.statements.iter().filter_map(|words| Some(in_ours(file, block, words, refused(words)?)));
            problems.extend(found);
        } else {
            for step in steps(&block.statements).iter().filter(|step| step.is_inner() && step.opened.is_some()) {
                let Some(name) = refused(step.words) else { continue };
                let message = format!("`{name}` cannot run between `BEGIN` and `COMMIT`");
                let help = "move it after the `COMMIT`";
                problems.push(file.source.problem(RULE.code, step.words.start(), message, help));
            }
        }
    }
}

fn in_ours(file: &File<'_>, block: &Block<'_>, words: &Words<'_>, name: &str) -> Problem {
    let help = match block.direction {
        Some(direction) => format!("write `{} transaction:false`", direction.marker()),
        None => "move it to a migration with `-- migrate:up transaction:false`".to_owned(),
    };
    file.source.problem(RULE.code, words.start(), format!("`{name}` cannot run inside a transaction"), help)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::file::Folder;
    use crate::testing::{block, own_transactions, script};

    #[test]
    fn refuses_what_cannot_run_in_a_transaction() {
        block(
            RULE,
            "a;\nCREATE INDEX CONCURRENTLY i ON t (a);",
            expect![[r#"
                db/migrations/001_x.sql:3:1: `CREATE INDEX CONCURRENTLY` cannot run inside a transaction [M031]; help: write `-- migrate:up transaction:false`"#]],
        );
        own_transactions(
            RULE,
            "BEGIN; VACUUM t; COMMIT",
            expect![[r#"
                db/migrations/001_x.sql:2:8: `VACUUM` cannot run between `BEGIN` and `COMMIT` [M031]; help: move it after the `COMMIT`"#]],
        );
        script(
            RULE,
            Folder::Seeds,
            "BEGIN;\nSELECT 1;\nVACUUM t;",
            expect![[r#"
                db/seeds/x.sql:3:1: `VACUUM` cannot run inside a transaction [M031]; help: move it to a migration with `-- migrate:up transaction:false`"#]],
        );
    }
}
