//! What the engine must know about a statement that runs outside a transaction.

use migrator_model::StatementKind;

use crate::alter_table::TableChange;
use crate::create::CreateIndex;
use crate::drop::Drop;
use crate::neutral::is_neutral;
use crate::object_kind::ObjectKind;
use crate::setting::{Reset, Set, Setting};
use crate::sql::Sql;
use crate::words::Words;

/// The kind of a statement.
pub fn kind(words: &Words<'_>) -> StatementKind {
    let sql = Sql::of(words);
    match &sql {
        Sql::Begin => StatementKind::Begin,
        Sql::Commit => StatementKind::Commit,
        Sql::Set(Set { setting: Setting::Transaction, .. }) | Sql::Reset(Reset::One(Setting::Transaction)) => {
            StatementKind::SetTransaction
        }
        Sql::Set(Set { local: true, .. } | Set { setting: Setting::Constraints, .. }) => StatementKind::Plain,
        Sql::Set(_) | Sql::Reset(_) | Sql::Load => StatementKind::Set,
        Sql::Do | Sql::Call => StatementKind::MayCommit,
        Sql::Vacuum { .. } | Sql::Analyze | Sql::Refresh { .. } => StatementKind::Idempotent,
        _ if sql.is_concurrently() => concurrently(&sql, words.start()).unwrap_or(StatementKind::Concurrently),
        _ if is_neutral(&sql, words) => StatementKind::Neutral,
        _ => StatementKind::Plain,
    }
}

/// A statement with `CONCURRENTLY` whose outcome the catalog can tell.
fn concurrently(sql: &Sql<'_>, start: usize) -> Option<StatementKind> {
    match sql {
        Sql::CreateIndex(CreateIndex { unique, name, table, rest, .. }) => {
            Some(StatementKind::CreateIndexConcurrently {
                index: name.as_ref()?.in_catalog()?.into(),
                table: table.as_ref()?.as_written().into(),
                unique: *unique,
                rest: (*rest)? - start,
            })
        }
        Sql::Drop(Drop { kind: ObjectKind::Index, names, .. }) => {
            Some(StatementKind::DropIndexConcurrently { index: names.first()?.as_written().into() })
        }
        Sql::AlterTable(altered) => altered.actions.iter().find_map(|action| match &action.change {
            TableChange::DetachPartition { partition, .. } => Some(StatementKind::detach_concurrently(
                altered.table.as_written().into(),
                partition.as_written().into(),
            )),
            _ => None,
        }),
        Sql::Reindex { object, name, .. } => {
            let name = name.map_or(String::new(), |name| name.as_written());
            Some(StatementKind::reindex_concurrently(name.into(), (*object)?))
        }
        _ => None,
    }
}

/// The index of the token after `CREATE [UNIQUE] INDEX CONCURRENTLY`.
pub fn concurrent_index(words: &Words<'_>) -> Option<usize> {
    let index = words.skip(1, &["unique"]);
    (words.is(0, "create") && words.is(index, "index") && words.is(index + 1, "concurrently")).then_some(index + 2)
}

/// True for every statement with the key word `CONCURRENTLY`.
pub fn is_concurrently(words: &Words<'_>) -> bool {
    Sql::of(words).is_concurrently()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::lexer::lex;

    #[track_caller]
    fn check(text: &str, expect: Expect) {
        let lexed = lex(text);
        expect.assert_eq(&format!("{:?}", kind(&Words::new(text, &lexed.tokens))));
    }

    #[test]
    fn knows_the_ends_of_a_unit() {
        for text in ["BEGIN", "begin work", "START TRANSACTION ISOLATION LEVEL SERIALIZABLE"] {
            check(text, expect!["Begin"]);
        }
        for text in ["COMMIT", "END", "commit transaction"] {
            check(text, expect!["Commit"]);
        }
        for text in ["COMMIT PREPARED 'x'", "ROLLBACK", "\"begin\"", "SELECT 1", "CREATE TABLE t ()"] {
            assert!(kind(&Words::new(text, &lex(text).tokens)).is_transactional(), "{text}");
        }
    }

    #[test]
    fn knows_session_state() {
        for text in ["SET x = 1", "set session x to 'on'", "RESET ALL", "SET SCHEMA 'a'", "LOAD 'age'"] {
            check(text, expect!["Set"]);
        }
        for text in ["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET default_transaction_isolation = x"] {
            check(text, expect!["Set"]);
        }
        for text in ["SET LOCAL x = 1", "SET CONSTRAINTS ALL DEFERRED"] {
            check(text, expect!["Plain"]);
        }
    }

    #[test]
    fn tells_what_only_says_how_the_transaction_is_to_be() {
        for text in [
            "SET TRANSACTION READ ONLY",
            "set local transaction isolation level serializable",
            "SET SESSION TRANSACTION DEFERRABLE",
            "SET TRANSACTION SNAPSHOT '00000003-0000001B-1'",
            "SET LOCAL transaction_isolation = 'repeatable read'",
            "SET transaction_read_only TO on",
            "SET SESSION Transaction_Deferrable = on",
            "SET LOCAL \"transaction_ISOLATION\" TO serializable",
            "RESET transaction_isolation",
        ] {
            check(text, expect!["SetTransaction"]);
        }
    }

    #[test]
    fn knows_what_may_commit_by_itself() {
        check("DO $$BEGIN COMMIT; END$$", expect!["MayCommit"]);
        check("CALL p()", expect!["MayCommit"]);
    }

    #[test]
    fn reads_the_names_of_a_concurrent_index() {
        check(
            "CREATE INDEX CONCURRENTLY Idx_A ON core . users (a)",
            expect![[r#"CreateIndexConcurrently { index: "idx_a", table: "core.users", unique: false, rest: 48 }"#]],
        );
        check(
            "create unique index concurrently if not exists \"I\"\"x\" on only \"Core\" /* c */ .\"Users\" using btree (a)",
            expect![[
                r#"CreateIndexConcurrently { index: "I\"x", table: "\"Core\".\"Users\"", unique: true, rest: 86 }"#
            ]],
        );
        check(
            &format!("CREATE INDEX CONCURRENTLY {}é ON t (a)", "x".repeat(62)),
            expect![[
                r#"CreateIndexConcurrently { index: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", table: "t", unique: false, rest: 96 }"#
            ]],
        );
        check(
            "DROP INDEX CONCURRENTLY core.\"I\" CASCADE",
            expect![[r#"DropIndexConcurrently { index: "core.\"I\"" }"#]],
        );
        check("DROP INDEX CONCURRENTLY IF EXISTS idx_a", expect![[r#"DropIndexConcurrently { index: "idx_a" }"#]]);
    }

    #[test]
    fn knows_what_the_catalog_can_tell_of_other_concurrent_statements() {
        check(
            "REINDEX INDEX CONCURRENTLY core.I",
            expect![[r#"ReindexConcurrently { object: Index, name: "core.I" }"#]],
        );
        check(
            "REINDEX (VERBOSE, CONCURRENTLY) TABLE t",
            expect![[r#"ReindexConcurrently { object: Table, name: "t" }"#]],
        );
        check(
            "REINDEX SCHEMA CONCURRENTLY \"Core\"",
            expect![[r#"ReindexConcurrently { object: Schema, name: "\"Core\"" }"#]],
        );
        check("REINDEX (CONCURRENTLY) DATABASE", expect![[r#"ReindexConcurrently { object: Database, name: "" }"#]]);
        check(
            "REINDEX (CONCURRENTLY off) TABLE CONCURRENTLY t",
            expect![[r#"ReindexConcurrently { object: Table, name: "t" }"#]],
        );
        check("REINDEX (CONCURRENTLY false) TABLE t", expect!["Plain"]);
        check("REINDEX SYSTEM CONCURRENTLY crm", expect![[r#"ReindexConcurrently { object: Database, name: "crm" }"#]]);
        check(
            "ALTER TABLE IF EXISTS ONLY core.p DETACH PARTITION core.q CONCURRENTLY",
            expect![[r#"DetachConcurrently { table: "core.p", partition: "core.q" }"#]],
        );
    }

    #[test]
    fn knows_what_may_be_repeated() {
        for text in
            ["VACUUM FULL t", "ANALYZE", "REFRESH MATERIALIZED VIEW CONCURRENTLY v", "refresh materialized view v"]
        {
            check(text, expect!["Idempotent"]);
        }
    }

    #[test]
    fn other_concurrent_statements_have_no_names() {
        for text in [
            "CREATE INDEX CONCURRENTLY ON t (a)",
            "CREATE INDEX CONCURRENTLY i ON t",
            "CREATE INDEX CONCURRENTLY U&\"d\\0061t\" ON t (a)",
        ] {
            check(text, expect!["Concurrently"]);
        }
        for text in
            ["CREATE INDEX i ON t (a)", "SELECT 'concurrently'", "ALTER TABLE p DETACH PARTITION q", "REINDEX TABLE t"]
        {
            assert!(kind(&Words::new(text, &lex(text).tokens)).is_transactional(), "{text}");
        }
    }
}
