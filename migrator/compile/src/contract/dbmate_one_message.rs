//! M053: a statement that cannot run inside a transaction, next to others: dbmate sends a block as one message, which the server
//! runs as one transaction.

use migrator_sql::{Words, detaches_slots, no_transaction};

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::procedures::{Procedures, ends_transaction};
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::dbmate("M053", "dbmate: all statements in one message"), check);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    for block in file.blocks.iter().filter(|block| !block.options.transaction && block.statements.len() > 1) {
        let slots_detached = detaches_slots(&block.statements);
        let refused = block.statements.iter().find_map(|words| {
            let name = no_transaction(words, slots_detached).or_else(|| may_commit(words, file.procedures))?;
            Some((words, name))
        });
        let Some((words, name)) = refused else { continue };
        let message =
            format!("dbmate sends this block as one message, in which `{name}` fails next to other statements");
        let help = "move it to its own migration";
        problems.push(file.source.problem(RULE.code, words.start(), message, help));
    }
}

fn may_commit(words: &Words<'_>, procedures: &Procedures) -> Option<&'static str> {
    if words.is(0, "call") {
        procedures.may_commit(words).then_some("CALL")
    } else {
        (words.is(0, "do") && ends_transaction(words)).then_some("DO with a COMMIT")
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::testing::migration;

    #[test]
    fn a_concurrent_statement_stands_alone_for_dbmate() {
        migration(
            RULE,
            "-- migrate:up transaction:false\nSET x = 1;\nCREATE INDEX CONCURRENTLY i ON t (a);\n\
             -- migrate:down transaction:false\nDROP INDEX CONCURRENTLY i;\n",
            expect![[r#"
                db/migrations/001_x.sql:3:1: dbmate sends this block as one message, in which `CREATE INDEX CONCURRENTLY` fails next to other statements [M053]; help: move it to its own migration"#]],
        );
        migration(
            RULE,
            "-- migrate:up transaction:false\nCALL p();\nCALL q();\n-- migrate:down\n",
            expect![[r#"
                db/migrations/001_x.sql:2:1: dbmate sends this block as one message, in which `CALL` fails next to other statements [M053]; help: move it to its own migration"#]],
        );
        migration(
            RULE,
            "-- migrate:up transaction:false\na;\nDO $$BEGIN COMMIT; END$$;\n-- migrate:down\n",
            expect![[r#"
                db/migrations/001_x.sql:3:1: dbmate sends this block as one message, in which `DO with a COMMIT` fails next to other statements [M053]; help: move it to its own migration"#]],
        );
        migration(RULE, "-- migrate:up transaction:false\nBEGIN;\na;\nCOMMIT;\nb;\n-- migrate:down\n", expect![""]);
    }
}
