//! What the engine must know about a statement that runs outside a transaction.

use migrator_model::{ReindexObject, StatementKind};

use crate::flags::flag;
use crate::lexer::Kind;
use crate::words::Words;

/// The server cuts longer names.
const LONGEST_NAME: usize = 63;

/// The kind of a statement.
pub fn kind(words: &Words<'_>) -> StatementKind {
    let session_state = |from: usize| !words.is_any(from, &["local", "constraints"]);
    if words.start_with(&["begin"]) || words.start_with(&["start", "transaction"]) {
        StatementKind::Begin
    } else if words.is_any(0, &["commit", "end"]) && !words.is(1, "prepared") {
        StatementKind::Commit
    } else if sets_transaction(words) {
        StatementKind::SetTransaction
    } else if words.is_any(0, &["reset", "load"]) || words.is(0, "set") && session_state(1) {
        StatementKind::Set
    } else if words.is_any(0, &["do", "call"]) {
        StatementKind::MayCommit
    } else if words.is_any(0, &["vacuum", "analyze", "analyse"])
        || words.start_with(&["refresh", "materialized", "view"])
    {
        StatementKind::Idempotent
    } else if is_concurrently(words) {
        concurrently(words).unwrap_or(StatementKind::Concurrently)
    } else {
        StatementKind::Plain
    }
}

/// True for `SET TRANSACTION ...` and for `SET` of one of the settings that belong to the transaction: they say nothing
/// about the session, and the server refuses some of them after a query of the same transaction.
fn sets_transaction(words: &Words<'_>) -> bool {
    const SETTINGS: [&str; 3] = ["transaction_isolation", "transaction_read_only", "transaction_deferrable"];
    let is_setting = |index: usize| {
        let setting = words.at(index);
        // The server folds the case of a setting's name, also between quotes.
        let setting = setting.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(setting);
        SETTINGS.iter().any(|name| setting.eq_ignore_ascii_case(name))
    };
    if words.is(0, "reset") {
        return is_setting(1);
    }
    let scope = if words.is_any(1, &["local", "session"]) { 2 } else { 1 };
    words.is(0, "set") && (words.is(scope, "transaction") || is_setting(scope))
}

/// A statement with `CONCURRENTLY` whose outcome the catalog can tell.
fn concurrently(words: &Words<'_>) -> Option<StatementKind> {
    let joined = |start: usize| words.joined(start..words.behind_name(start));
    if let Some(index) = concurrent_index(words) {
        let behind = words.skip(index, &["if", "not", "exists"]);
        let on = words.skip(behind + 2, &["only"]);
        let rest = words.tokens.get(words.behind_name(on))?.start() - words.start();
        let index = name(words, behind).filter(|_| words.is(behind + 1, "on"))?;
        return Some(StatementKind::CreateIndexConcurrently {
            index: index.into(),
            table: joined(on).into(),
            unique: words.is(1, "unique"),
            rest,
        });
    }
    if words.start_with(&["drop", "index"]) {
        return Some(StatementKind::DropIndexConcurrently { index: joined(words.skip(3, &["if", "exists"])).into() });
    }
    if words.start_with(&["alter", "table"]) {
        let detach = words.find("detach")?;
        let table = words.skip(words.skip(2, &["if", "exists"]), &["only"]);
        return Some(StatementKind::detach_concurrently(joined(table).into(), joined(detach + 2).into()));
    }
    if words.is(0, "reindex") {
        // `REINDEX (VERBOSE, CONCURRENTLY) TABLE t`, `REINDEX TABLE CONCURRENTLY t`.
        let options = words.at(1) == "(";
        let at = if options { (1..words.tokens.len()).find(|at| words.at(*at) == ")")? + 1 } else { 1 };
        let object = match &*words.at(at).to_ascii_lowercase() {
            "index" => ReindexObject::Index,
            "table" => ReindexObject::Table,
            "schema" => ReindexObject::Schema,
            "database" | "system" => ReindexObject::Database,
            _ => return None,
        };
        let start = words.skip(at + 1, &["concurrently"]);
        let name = if words.tokens.get(start).is_none() { String::new() } else { joined(start) };
        return Some(StatementKind::reindex_concurrently(name.into(), object));
    }
    None
}

/// The index of the token behind `CREATE [UNIQUE] INDEX CONCURRENTLY`.
pub fn concurrent_index(words: &Words<'_>) -> Option<usize> {
    let index = words.skip(1, &["unique"]);
    (words.is(0, "create") && words.is(index, "index") && words.is(index + 1, "concurrently")).then_some(index + 2)
}

/// True for every statement with the key word `CONCURRENTLY`.
pub fn is_concurrently(words: &Words<'_>) -> bool {
    concurrent_index(words).is_some()
        || words.start_with(&["drop", "index", "concurrently"])
        || words.start_with(&["refresh", "materialized", "view", "concurrently"])
        || words.is_any(0, &["reindex", "repack"])
            && (words.find("concurrently").is_some() || flag(words, 1, "concurrently") == Some(true))
        || words.start_with(&["alter", "table"])
            && words.find("detach").is_some()
            && words.find("concurrently").is_some()
}

/// A name as the catalog has it: unquoted, folded, cut. `None` if the token is no name, or one with Unicode escapes.
fn name(words: &Words<'_>, index: usize) -> Option<String> {
    let text = words.at(index);
    let mut name = match words.tokens.get(index)?.kind {
        Kind::Word if !words.is(index, "on") => text.to_ascii_lowercase(),
        Kind::Quoted => text.strip_prefix('"')?.strip_suffix('"')?.replace("\"\"", "\""),
        _ => return None,
    };
    while name.len() > LONGEST_NAME {
        name.pop();
    }
    Some(name)
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
            check(text, expect!["Plain"]);
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
            check(text, expect!["Plain"]);
        }
    }
}
