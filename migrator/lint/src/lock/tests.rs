use migrator_sql::{Words, lex};

use super::*;

fn said(text: &str) -> String {
    sentence(&of(&Sql::of(&Words::new(text, &lex(text).tokens))))
}

#[test]
fn knows_the_lock_on_what_a_statement_names() {
    use LockMode::*;
    for (text, mode) in [
        ("LOCK t", AccessExclusive),
        ("LOCK TABLE a, b IN SHARE MODE", Share),
        ("LOCK TABLE a IN ACCESS SHARE MODE NOWAIT", AccessShare),
        ("LOCK a IN SHARE ROW EXCLUSIVE MODE", ShareRowExclusive),
        ("ALTER TABLE t VALIDATE CONSTRAINT c", ShareUpdateExclusive),
        ("ALTER TABLE t VALIDATE CONSTRAINT c, DROP COLUMN a", AccessExclusive),
        ("ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES b NOT VALID", ShareRowExclusive),
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES b", ShareRowExclusive),
        ("ALTER TABLE t ADD a int REFERENCES b", AccessExclusive),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID", AccessExclusive),
        ("ALTER TABLE t ALTER a SET STATISTICS 100", ShareUpdateExclusive),
        ("ALTER TABLE t ALTER COLUMN a SET (n_distinct = 5)", ShareUpdateExclusive),
        ("ALTER TABLE t ALTER a SET STORAGE plain", AccessExclusive),
        ("ALTER TABLE t SET (fillfactor = 70)", ShareUpdateExclusive),
        ("ALTER TABLE t SET (user_catalog_table = on)", AccessExclusive),
        ("ALTER TABLE t CLUSTER ON i", ShareUpdateExclusive),
        ("ALTER TABLE p ATTACH PARTITION q DEFAULT", ShareUpdateExclusive),
        ("ALTER TABLE p DETACH PARTITION q", AccessExclusive),
        ("ALTER TABLE p DETACH PARTITION q CONCURRENTLY", ShareUpdateExclusive),
        ("ALTER TABLE t DISABLE TRIGGER ALL", ShareRowExclusive),
        ("ALTER TABLE t ENABLE ALWAYS RULE r", AccessExclusive),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", AccessExclusive),
        ("CREATE INDEX ON t (a)", Share),
        ("CREATE INDEX CONCURRENTLY i ON t (a)", ShareUpdateExclusive),
        ("CREATE CONSTRAINT TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f()", ShareRowExclusive),
        ("CREATE POLICY p ON t", AccessExclusive),
        ("DROP TRIGGER x ON t", AccessExclusive),
        ("DROP INDEX CONCURRENTLY i", ShareUpdateExclusive),
        ("REINDEX TABLE t", Share),
        ("REINDEX (CONCURRENTLY off) TABLE t", Share),
        ("REINDEX TABLE CONCURRENTLY t", ShareUpdateExclusive),
        ("VACUUM (FULL off) t", ShareUpdateExclusive),
        ("VACUUM (VERBOSE, FULL) t", AccessExclusive),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", Exclusive),
        ("UPDATE t SET a = 1", RowExclusive),
        ("INSERT INTO t VALUES (1)", RowExclusive),
    ] {
        assert_eq!(on_target(&Sql::of(&Words::new(text, &lex(text).tokens))), Some(mode), "{text}");
    }
}

#[test]
fn says_what_is_locked_and_who_waits() {
    for (text, sentence) in [
        ("LOCK a, b IN SHARE MODE", "Share on the table: writers wait, readers do not"),
        ("LOCK a IN ROW SHARE MODE", "RowShare on the table: neither readers nor writers wait"),
        ("DROP TABLE a, b", "AccessExclusive on the table: readers and writers wait"),
        ("DROP VIEW v", "AccessExclusive on the view: readers wait"),
        ("DROP TYPE t", "AccessExclusive on the type"),
        ("DROP SCHEMA s", "AccessExclusive on everything in it"),
        ("DROP FUNCTION f()", "none that lasts"),
        ("DROP EVENT TRIGGER e", "none that lasts"),
        ("ALTER TYPE t RENAME TO u", "none that lasts"),
        ("ALTER VIEW v RENAME TO w", "AccessExclusive on the view: readers wait"),
        ("ALTER FOREIGN TABLE t RENAME TO u", "AccessExclusive on the table: readers and writers wait"),
        ("ALTER DOMAIN d ADD CHECK (VALUE > 0)", "Share on every table that uses the domain: writers wait"),
        ("ALTER DOMAIN d ADD CHECK (VALUE > 0) NOT VALID", "none that lasts"),
        (
            "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c",
            "ShareRowExclusive on both tables: their writers wait, readers do not",
        ),
        (
            "ALTER TABLE a ADD b int DEFAULT 1 REFERENCES c",
            "AccessExclusive on the table, ShareRowExclusive on the referenced one: readers and writers wait",
        ),
        (
            "ALTER TABLE p DETACH PARTITION q",
            "AccessExclusive on the parent and the partition: readers and writers wait",
        ),
        (
            "ALTER TABLE p ATTACH PARTITION q DEFAULT",
            "AccessExclusive on the partition, ShareUpdateExclusive on the parent: readers and writers wait",
        ),
        ("CREATE TABLE q PARTITION OF p DEFAULT", "AccessExclusive on the parent: readers and writers wait"),
        (
            "CREATE TABLE a (b int REFERENCES c, d int REFERENCES a)",
            "ShareRowExclusive on the referenced table: writers wait, readers do not",
        ),
        ("CREATE TABLE a (b int)", "none that lasts"),
    ] {
        assert_eq!(said(text), sentence, "{text}");
    }
}
