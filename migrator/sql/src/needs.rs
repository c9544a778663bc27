//! Statements that the server refuses inside a transaction.

use crate::classify::{concurrent_index, is_concurrently};
use crate::flags::flag;
use crate::words::Words;

/// What such a statement is called; `None` for all others, and for those of which only the server knows.
///
/// `slots_detached` says what [`detaches_slots`] says of the block: a subscription whose slot is taken away first can be
/// dropped in a transaction.
pub fn no_transaction(words: &Words<'_>, slots_detached: bool) -> Option<&'static str> {
    let first = words.at(0).to_ascii_lowercase();
    match first.as_str() {
        "create" => create(words),
        "drop" => drop(words, slots_detached),
        "alter" => alter(words),
        "vacuum" => Some("VACUUM"),
        "reindex" => reindex(words),
        "repack" if is_concurrently(words) => Some("REPACK CONCURRENTLY"),
        "cluster" => is_whole_database(words).then_some("CLUSTER without a table"),
        "discard" => words.is(1, "all").then_some("DISCARD ALL"),
        _ => None,
    }
}

/// True if a statement of the block takes a subscription's slot away.
pub fn detaches_slots(block: &[Words<'_>]) -> bool {
    block.iter().any(|words| words.start_with(&["alter", "subscription"]) && words.has("slot_name"))
}

fn create(words: &Words<'_>) -> Option<&'static str> {
    if words.is(1, "database") {
        Some("CREATE DATABASE")
    } else if words.is(1, "tablespace") {
        Some("CREATE TABLESPACE")
    } else if words.is(1, "subscription") && !is_off(words, "connect") && !is_off(words, "create_slot") {
        Some("CREATE SUBSCRIPTION with a slot")
    } else {
        concurrent_index(words).map(|_| "CREATE INDEX CONCURRENTLY")
    }
}

fn drop(words: &Words<'_>, slots_detached: bool) -> Option<&'static str> {
    if words.is(1, "database") {
        Some("DROP DATABASE")
    } else if words.is(1, "tablespace") {
        Some("DROP TABLESPACE")
    } else if words.is(1, "subscription") && !slots_detached {
        Some("DROP SUBSCRIPTION with a slot")
    } else {
        is_concurrently(words).then_some("DROP INDEX CONCURRENTLY")
    }
}

fn alter(words: &Words<'_>) -> Option<&'static str> {
    if words.is(1, "system") {
        Some("ALTER SYSTEM")
    } else if words.is(1, "database") && words.is(3, "set") && words.is(4, "tablespace") {
        Some("ALTER DATABASE SET TABLESPACE")
    } else if words.is(1, "subscription")
        && words.is_any(3, &["refresh", "set", "add", "drop"])
        && words.is(4, "publication")
        && !is_off(words, "refresh")
    {
        Some("ALTER SUBSCRIPTION that refreshes")
    } else {
        is_concurrently(words).then_some("DETACH PARTITION CONCURRENTLY")
    }
}

fn reindex(words: &Words<'_>) -> Option<&'static str> {
    if is_concurrently(words) {
        return Some("REINDEX CONCURRENTLY");
    }
    let target = behind_parentheses(words, 1);
    let whole = words.is_any(target, &["database", "system", "schema"]);
    whole.then_some("REINDEX of more than a table")
}

/// `CLUSTER`, `CLUSTER VERBOSE`, `CLUSTER (VERBOSE)`.
fn is_whole_database(words: &Words<'_>) -> bool {
    let table = words.skip(behind_parentheses(words, 1), &["verbose"]);
    table >= words.tokens.len()
}

fn behind_parentheses(words: &Words<'_>, index: usize) -> usize {
    if words.at(index) != "(" {
        return index;
    }
    (index..words.tokens.len()).find(|&index| words.at(index) == ")").map_or(index, |index| index + 1)
}

/// True for `option = false` behind `WITH`.
fn is_off(words: &Words<'_>, option: &str) -> bool {
    words.find("with").is_some_and(|with| flag(words, with + 1, option) == Some(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::lex;
    use crate::statements::split;

    fn first(text: &str) -> Option<&'static str> {
        let lexed = lex(text);
        let statements = split(text, &lexed.tokens);
        no_transaction(statements.last().unwrap(), detaches_slots(&statements))
    }

    #[test]
    fn knows_what_the_server_refuses_in_a_transaction() {
        let table = [
            ("CREATE DATABASE d", "CREATE DATABASE"),
            ("DROP DATABASE IF EXISTS d", "DROP DATABASE"),
            ("CREATE TABLESPACE t LOCATION 'x'", "CREATE TABLESPACE"),
            ("drop tablespace t", "DROP TABLESPACE"),
            ("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX CONCURRENTLY"),
            ("DROP INDEX CONCURRENTLY i", "DROP INDEX CONCURRENTLY"),
            ("REINDEX (VERBOSE, CONCURRENTLY) TABLE t", "REINDEX CONCURRENTLY"),
            ("REINDEX TABLE CONCURRENTLY t", "REINDEX CONCURRENTLY"),
            ("REINDEX (CONCURRENTLY on) TABLE t", "REINDEX CONCURRENTLY"),
            ("REINDEX (CONCURRENTLY off) SCHEMA s", "REINDEX of more than a table"),
            ("VACUUM (FULL false) t", "VACUUM"),
            ("REINDEX (VERBOSE) SCHEMA s", "REINDEX of more than a table"),
            ("REPACK (CONCURRENTLY) t", "REPACK CONCURRENTLY"),
            ("VACUUM (ANALYZE) t", "VACUUM"),
            ("CLUSTER", "CLUSTER without a table"),
            ("CLUSTER (VERBOSE)", "CLUSTER without a table"),
            ("ALTER SYSTEM SET x = 1", "ALTER SYSTEM"),
            ("ALTER DATABASE d SET TABLESPACE t", "ALTER DATABASE SET TABLESPACE"),
            ("ALTER TABLE p DETACH PARTITION q CONCURRENTLY", "DETACH PARTITION CONCURRENTLY"),
            ("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", "CREATE SUBSCRIPTION with a slot"),
            ("DROP SUBSCRIPTION s", "DROP SUBSCRIPTION with a slot"),
            ("ALTER SUBSCRIPTION s REFRESH PUBLICATION", "ALTER SUBSCRIPTION that refreshes"),
            ("DISCARD ALL", "DISCARD ALL"),
        ];
        for (text, name) in table {
            assert_eq!(first(text), Some(name), "{text}");
        }
    }

    #[test]
    fn lets_everything_else_run_in_a_transaction() {
        for text in [
            "CREATE INDEX i ON t (a)",
            "CREATE INDEX \"concurrently\" ON t (a)",
            "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
            "REINDEX TABLE t",
            "REINDEX (CONCURRENTLY false) TABLE t",
            "REINDEX (VERBOSE, concurrently 0) INDEX i",
            "REINDEX (concurrently = off) TABLE t",
            "REPACK (CONCURRENTLY false) t",
            "CLUSTER t USING i",
            "CLUSTER VERBOSE t",
            "ALTER DATABASE d SET x = 1",
            "ALTER TABLE p DETACH PARTITION q",
            "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot = false)",
            "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (enabled, \"connect\" = 'off')",
            "ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s",
            "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false)",
            "ALTER TYPE t ADD VALUE 'x'",
            "DISCARD TEMP",
        ] {
            assert_eq!(first(text), None, "{text}");
        }
    }
}
