//! Who opens and closes transactions: we do, except in `transaction:false` blocks, which have to be resumable.

use migrator_model::{Direction, StatementKind};
use migrator_sql::{Kind, Words, concurrent_index, detaches_slots, no_transaction};

use crate::contract::session::left_behind;
use crate::problem::{Code, Problem};
use crate::source::Source;

/// Whose transaction it is, which decides about the way out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    Migration(Direction),
    Script,
}

/// Checks statements that we run as one transaction.
pub(crate) fn check_inside(source: &Source, statements: &[Words<'_>], place: Place, problems: &mut Vec<Problem>) {
    let slots_detached = detaches_slots(statements);
    // The fence, which is a query, comes after what sets the transaction's characteristics at the start.
    let mut at_start = true;
    for words in statements {
        let sets_at_start = at_start && words.is(0, "set");
        at_start = sets_at_start;
        if let Some(control) = control(words).filter(|control| !(sets_at_start && *control == "SET TRANSACTION")) {
            let help = match place {
                Place::Migration(direction) => format!(
                    "remove it: the block is one transaction; with `{} transaction:false` it may hold its own",
                    direction.marker()
                ),
                Place::Script => "remove it: the file is one transaction".to_owned(),
            };
            let message = format!("`{control}` inside a transaction that is opened and closed for you");
            problems.push(source.problem(Code::TransactionControl, words.start(), message, help));
        } else if let Some(name) = no_transaction(words, slots_detached) {
            let help = match place {
                Place::Migration(direction) => format!("write `{} transaction:false`", direction.marker()),
                Place::Script => "move it to a migration with `-- migrate:up transaction:false`".to_owned(),
            };
            let message = format!("`{name}` cannot run in a transaction");
            problems.push(source.problem(Code::NeedsNoTransaction, words.start(), message, help));
        }
    }
}

/// Checks a `transaction:false` block.
pub(crate) fn check_outside(source: &Source, statements: &[Words<'_>], problems: &mut Vec<Problem>) {
    // Where the unit was opened in which we are.
    let mut unit: Option<usize> = None;
    let slots_detached = detaches_slots(statements);
    for words in statements {
        let at = words.start();
        match migrator_sql::kind(words) {
            StatementKind::Begin => {
                if let Some(opened) = unit {
                    let message = format!("`BEGIN` inside the transaction of line {}", source.position(opened).0);
                    problems.push(source.problem(Code::UnmatchedTransaction, at, message, "add a `COMMIT` before it"));
                }
                unit = Some(at);
            }
            StatementKind::Commit => {
                problems.extend(commit(source, words, unit));
                unit = None;
            }
            _ => {
                problems.extend(statement(source, words, slots_detached, unit.is_some()));
            }
        }
    }
    if let Some(opened) = unit {
        let message = "`BEGIN` without a `COMMIT` in the same block";
        let help = "add the `COMMIT`: what is left open is rolled back";
        problems.push(source.problem(Code::UnmatchedTransaction, opened, message, help));
    }
}

fn commit(source: &Source, words: &Words<'_>, unit: Option<usize>) -> Option<Problem> {
    let name = words.at(0).to_ascii_uppercase();
    let refuse =
        |message: String, help: &str| Some(source.problem(Code::UnmatchedTransaction, words.start(), message, help));
    if unit.is_none() {
        refuse(format!("`{name}` without a `BEGIN`"), "add the `BEGIN`, or remove it")
    } else if words.has("chain") && !words.has("no") {
        refuse(format!("`{name} AND CHAIN` opens another transaction"), "write `COMMIT` and `BEGIN`")
    } else {
        None
    }
}

/// Checks a statement that neither opens nor closes a unit.
fn statement(source: &Source, words: &Words<'_>, slots_detached: bool, in_unit: bool) -> Option<Problem> {
    let problem = |code, message: String, help: &str| Some(source.problem(code, words.start(), message, help));
    if let Some(control) = control(words) {
        let inside = ["SAVEPOINT", "RELEASE", "ROLLBACK TO", "SET TRANSACTION"];
        return match inside.contains(&control) {
            true if in_unit => None,
            true => {
                let message = format!("`{control}` outside a transaction");
                problem(Code::TransactionControl, message, "put it between `BEGIN` and `COMMIT`, or remove it")
            }
            false => {
                let message = format!("`{control}` in a migration");
                problem(Code::TransactionControl, message, "remove it: a migration ends its transactions with `COMMIT`")
            }
        };
    }
    if in_unit && let Some(name) = no_transaction(words, slots_detached) {
        let message = format!("`{name}` cannot run between `BEGIN` and `COMMIT`");
        return problem(Code::NeedsNoTransaction, message, "move it behind the `COMMIT`");
    }
    if let Some((left, help)) = left_behind(words, in_unit) {
        let message = format!("{left} in a `transaction:false` block cannot be resumed");
        return problem(Code::NotResumable, message, help);
    }
    let unnamed = concurrent_index(words).is_some()
        && !matches!(migrator_sql::kind(words), StatementKind::CreateIndexConcurrently { .. });
    if unnamed {
        let message = "`CREATE INDEX CONCURRENTLY` without a plain index name cannot be resumed".to_owned();
        return problem(Code::NotResumable, message, "name the index: `CREATE INDEX CONCURRENTLY <name> ON ...`");
    }
    None
}

/// The name of a statement that opens, closes or cuts a transaction.
fn control(words: &Words<'_>) -> Option<&'static str> {
    let first = words.at(0).to_ascii_lowercase();
    if words.tokens.first().is_none_or(|token| token.kind != Kind::Word) {
        return None;
    }
    let prepared = words.is(1, "prepared");
    let transaction = words.is(1, "transaction");
    Some(match first.as_str() {
        "begin" => "BEGIN",
        "start" if transaction => "START TRANSACTION",
        "commit" if prepared => "COMMIT PREPARED",
        "commit" => "COMMIT",
        "end" => "END",
        "rollback" if prepared => "ROLLBACK PREPARED",
        "rollback" if words.has("to") => "ROLLBACK TO",
        "rollback" => "ROLLBACK",
        "abort" => "ABORT",
        "savepoint" => "SAVEPOINT",
        "release" => "RELEASE",
        "prepare" if transaction => "PREPARE TRANSACTION",
        "set" if transaction || words.is(1, "local") && words.is(2, "transaction") => "SET TRANSACTION",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use migrator_sql::{lex, split};

    fn check(text: &str, transaction: bool, expect: Expect) {
        let source = Source::new("db/migrations/001_x.sql", text);
        let lexed = lex(text);
        let statements = split(text, &lexed.tokens);
        let mut problems = Vec::new();
        if transaction {
            check_inside(&source, &statements, Place::Migration(Direction::Up), &mut problems);
        } else {
            check_outside(&source, &statements, &mut problems);
        }
        expect.assert_eq(&problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn refuses_transaction_control_in_our_transaction() {
        check(
            "BEGIN; a; COMMIT; SELECT \"begin\"",
            true,
            expect![[r#"
            db/migrations/001_x.sql:1:1: `BEGIN` inside a transaction that is opened and closed for you [M030]; help: remove it: the block is one transaction; with `-- migrate:up transaction:false` it may hold its own
            db/migrations/001_x.sql:1:11: `COMMIT` inside a transaction that is opened and closed for you [M030]; help: remove it: the block is one transaction; with `-- migrate:up transaction:false` it may hold its own"#]],
        );
        for text in ["START TRANSACTION", "END", "ROLLBACK TO x", "SAVEPOINT x", "a; SET LOCAL TRANSACTION READ ONLY"] {
            assert_eq!(found_inside(text), 1, "{text}");
        }
        // At the start of a transaction the server takes it.
        for text in
            ["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; a", "SET LOCAL x = 1; SET LOCAL TRANSACTION READ ONLY"]
        {
            assert_eq!(found_inside(text), 0, "{text}");
        }
    }

    fn found_inside(text: &str) -> usize {
        let (source, lexed) = (Source::new("x", text), lex(text));
        let mut problems = Vec::new();
        check_inside(&source, &split(text, &lexed.tokens), Place::Script, &mut problems);
        problems.len()
    }

    #[test]
    fn refuses_what_cannot_run_in_a_transaction() {
        check(
            "a;\nCREATE INDEX CONCURRENTLY i ON t (a);",
            true,
            expect![[r#"
                db/migrations/001_x.sql:2:1: `CREATE INDEX CONCURRENTLY` cannot run in a transaction [M031]; help: write `-- migrate:up transaction:false`"#]],
        );
        check(
            "BEGIN; VACUUM t; COMMIT",
            false,
            expect![[r#"
                db/migrations/001_x.sql:1:8: `VACUUM` cannot run between `BEGIN` and `COMMIT` [M031]; help: move it behind the `COMMIT`"#]],
        );
    }

    #[test]
    fn every_begin_has_its_commit() {
        check("BEGIN; a; SAVEPOINT s; ROLLBACK TO s; COMMIT; b; START TRANSACTION; c; END", false, expect![""]);
        check(
            "BEGIN;\na;\nBEGIN; COMMIT;",
            false,
            expect![[r#"
                db/migrations/001_x.sql:3:1: `BEGIN` inside the transaction of line 1 [M032]; help: add a `COMMIT` before it"#]],
        );
        check(
            "a; COMMIT",
            false,
            expect![[r#"
                db/migrations/001_x.sql:1:4: `COMMIT` without a `BEGIN` [M032]; help: add the `BEGIN`, or remove it"#]],
        );
        check(
            "a;\nBEGIN; b",
            false,
            expect![[r#"
                db/migrations/001_x.sql:2:1: `BEGIN` without a `COMMIT` in the same block [M032]; help: add the `COMMIT`: what is left open is rolled back"#]],
        );
        check(
            "BEGIN; a; COMMIT AND CHAIN",
            false,
            expect![[r#"
                db/migrations/001_x.sql:1:11: `COMMIT AND CHAIN` opens another transaction [M032]; help: write `COMMIT` and `BEGIN`"#]],
        );
        check(
            "BEGIN; a; ROLLBACK; SAVEPOINT x",
            false,
            expect![[r#"
            db/migrations/001_x.sql:1:11: `ROLLBACK` in a migration [M030]; help: remove it: a migration ends its transactions with `COMMIT`
            db/migrations/001_x.sql:1:1: `BEGIN` without a `COMMIT` in the same block [M032]; help: add the `COMMIT`: what is left open is rolled back"#]],
        );
    }

    #[test]
    fn refuses_what_cannot_be_resumed() {
        check(
            "SET ROLE x; SET SESSION AUTHORIZATION 'x'; SET SESSION ROLE y",
            false,
            expect![[r#"
            db/migrations/001_x.sql:1:1: `SET ROLE` in a `transaction:false` block cannot be resumed [M033]; help: write `SET LOCAL ROLE` between `BEGIN` and `COMMIT`
            db/migrations/001_x.sql:1:13: `SET SESSION AUTHORIZATION` in a `transaction:false` block cannot be resumed [M033]; help: write `SET LOCAL ROLE` between `BEGIN` and `COMMIT`
            db/migrations/001_x.sql:1:44: `SET ROLE` in a `transaction:false` block cannot be resumed [M033]; help: write `SET LOCAL ROLE` between `BEGIN` and `COMMIT`"#]],
        );
        check(
            "CREATE TEMP TABLE t (a int); SELECT 1 INTO TEMP x; CREATE TABLE pg_temp.t ()",
            false,
            expect![[r#"
            db/migrations/001_x.sql:1:1: a temporary object in a `transaction:false` block cannot be resumed [M033]; help: use an ordinary table, or `ON COMMIT DROP` between `BEGIN` and `COMMIT`
            db/migrations/001_x.sql:1:30: a temporary object in a `transaction:false` block cannot be resumed [M033]; help: use an ordinary table, or `ON COMMIT DROP` between `BEGIN` and `COMMIT`
            db/migrations/001_x.sql:1:52: a temporary object in a `transaction:false` block cannot be resumed [M033]; help: use an ordinary table, or `ON COMMIT DROP` between `BEGIN` and `COMMIT`"#]],
        );
        check(
            "CREATE INDEX CONCURRENTLY ON t (a)",
            false,
            expect![[r#"
                db/migrations/001_x.sql:1:1: `CREATE INDEX CONCURRENTLY` without a plain index name cannot be resumed [M033]; help: name the index: `CREATE INDEX CONCURRENTLY <name> ON ...`"#]],
        );
    }

    #[test]
    fn allows_what_ends_with_its_unit() {
        check(
            "BEGIN; SET LOCAL ROLE x; CREATE TEMP TABLE t (a int) ON COMMIT DROP; COMMIT; SET ROLE NONE; RESET ROLE",
            false,
            expect![""],
        );
    }
}
