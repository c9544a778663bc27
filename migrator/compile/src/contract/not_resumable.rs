//! M033: a statement of a `transaction:false` block after which the block cannot be resumed in another session.

use migrator_model::StatementKind;
use migrator_sql::{concurrent_index, detaches_slots, no_transaction};

use crate::code::Meaning;
use crate::contract::units::{Step, control, steps};
use crate::file::File;
use crate::problem::Problem;
use crate::rule::{Old, Rule};

mod session;

pub(crate) const RULE: Rule = Rule::file(&Meaning::error("M033", "not resumable"), check).when_old(Old::Warning);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    for block in file.blocks.iter().filter(|block| !block.options.transaction) {
        let slots_detached = detaches_slots(&block.statements);
        for step in steps(&block.statements) {
            // Other rules report what cannot run there at all.
            let refused = step.opened.is_some() && no_transaction(step.words, slots_detached).is_some();
            if !step.is_inner() || control(step.words).is_some() || refused {
                continue;
            }
            if let Some((message, help)) = left_behind(&step) {
                problems.push(file.source.problem(RULE.code, step.words.start(), message, help));
            }
        }
    }
}

/// What is wrong with a statement, and what to do instead.
fn left_behind(step: &Step<'_>) -> Option<(String, &'static str)> {
    if let Some((left, help)) = session::left_behind(step.words, step.opened.is_some()) {
        return Some((format!("{left} in a `transaction:false` block cannot be resumed"), help));
    }
    // A retry finds an invalid index by its name.
    let named = matches!(step.kind, StatementKind::CreateIndexConcurrently { .. });
    (concurrent_index(step.words).is_some() && !named).then(|| {
        let message = "`CREATE INDEX CONCURRENTLY` without a plain index name cannot be resumed";
        (message.to_owned(), "name the index: `CREATE INDEX CONCURRENTLY <name> ON ...`")
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::testing::own_transactions;

    #[test]
    fn refuses_what_cannot_be_resumed() {
        own_transactions(
            RULE,
            "SET ROLE x; SET SESSION AUTHORIZATION 'x'; SET SESSION ROLE y",
            expect![[r#"
                db/migrations/001_x.sql:2:1: `SET ROLE` in a `transaction:false` block cannot be resumed [M033]; help: write `SET LOCAL ROLE` between `BEGIN` and `COMMIT`
                db/migrations/001_x.sql:2:13: `SET SESSION AUTHORIZATION` in a `transaction:false` block cannot be resumed [M033]; help: write `SET LOCAL ROLE` between `BEGIN` and `COMMIT`
                db/migrations/001_x.sql:2:44: `SET ROLE` in a `transaction:false` block cannot be resumed [M033]; help: write `SET LOCAL ROLE` between `BEGIN` and `COMMIT`"#]],
        );
        own_transactions(
            RULE,
            "CREATE TEMP TABLE t (a int); SELECT 1 INTO TEMP x; CREATE TABLE pg_temp.t ()",
            expect![[r#"
                db/migrations/001_x.sql:2:1: a temporary object in a `transaction:false` block cannot be resumed [M033]; help: use an ordinary table, or `ON COMMIT DROP` between `BEGIN` and `COMMIT`
                db/migrations/001_x.sql:2:30: a temporary object in a `transaction:false` block cannot be resumed [M033]; help: use an ordinary table, or `ON COMMIT DROP` between `BEGIN` and `COMMIT`
                db/migrations/001_x.sql:2:52: a temporary object in a `transaction:false` block cannot be resumed [M033]; help: use an ordinary table, or `ON COMMIT DROP` between `BEGIN` and `COMMIT`"#]],
        );
        own_transactions(
            RULE,
            "CREATE INDEX CONCURRENTLY ON t (a)",
            expect![[r#"
                db/migrations/001_x.sql:2:1: `CREATE INDEX CONCURRENTLY` without a plain index name cannot be resumed [M033]; help: name the index: `CREATE INDEX CONCURRENTLY <name> ON ...`"#]],
        );
    }

    #[test]
    fn allows_what_ends_with_its_unit() {
        own_transactions(
            RULE,
            "BEGIN; SET LOCAL ROLE x; CREATE TEMP TABLE t (a int) ON COMMIT DROP; COMMIT; SET ROLE NONE; RESET ROLE",
            expect![""],
        );
    }
}
