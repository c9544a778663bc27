//! Statements that the server refuses inside a transaction.

use migrator_model::ReindexObject;

use crate::create::Create;
use crate::drop::Drop;
use crate::object_kind::ObjectKind;
use crate::sql::Sql;
use crate::words::Words;

/// What such a statement is called; `None` for all others, and for those of which only the server knows.
///
/// `slots_detached` says what [`detaches_slots`] says of the block: a subscription whose slot is taken away first can be
/// dropped in a transaction.
pub fn no_transaction(words: &Words<'_>, slots_detached: bool) -> Option<&'static str> {
    let sql = Sql::of(words);
    match &sql {
        Sql::Create(Create { kind: ObjectKind::Database, .. }) => Some("CREATE DATABASE"),
        Sql::Create(Create { kind: ObjectKind::Tablespace, .. }) => Some("CREATE TABLESPACE"),
        Sql::Create(Create { with_slot: true, .. }) => Some("CREATE SUBSCRIPTION with a slot"),
        Sql::CreateIndex(index) if index.concurrently => Some("CREATE INDEX CONCURRENTLY"),
        Sql::Drop(Drop { kind: ObjectKind::Database, .. }) => Some("DROP DATABASE"),
        Sql::Drop(Drop { kind: ObjectKind::Tablespace, .. }) => Some("DROP TABLESPACE"),
        Sql::Drop(Drop { kind: ObjectKind::Subscription, .. }) if !slots_detached => {
            Some("DROP SUBSCRIPTION with a slot")
        }
        Sql::Drop(dropped) if dropped.concurrently => Some("DROP INDEX CONCURRENTLY"),
        Sql::Alter { kind: ObjectKind::System, .. } => Some("ALTER SYSTEM"),
        Sql::Alter { kind: ObjectKind::Database, sets_tablespace: true, .. } => Some("ALTER DATABASE SET TABLESPACE"),
        Sql::AlterSubscription { refreshes: true, .. } => Some("ALTER SUBSCRIPTION that refreshes"),
        Sql::AlterTable(_) if sql.is_concurrently() => Some("DETACH PARTITION CONCURRENTLY"),
        Sql::Vacuum { .. } => Some("VACUUM"),
        Sql::Reindex { concurrently: true, .. } => Some("REINDEX CONCURRENTLY"),
        Sql::Reindex { object: Some(ReindexObject::Database | ReindexObject::Schema), .. } => {
            Some("REINDEX of more than a table")
        }
        Sql::Repack { concurrently: true } => Some("REPACK CONCURRENTLY"),
        Sql::Cluster { table: None } => Some("CLUSTER without a table"),
        Sql::Discard { all: true } => Some("DISCARD ALL"),
        _ => None,
    }
}

/// True if a statement of the block takes a subscription's slot away.
pub fn detaches_slots(block: &[Words<'_>]) -> bool {
    // Most blocks have no such statement: the others are not worth reading.
    let may = |words: &&Words<'_>| words.start_with(&["alter", "subscription"]);
    block.iter().filter(may).any(|words| matches!(Sql::of(words), Sql::AlterSubscription { sets_slot: true, .. }))
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
