use super::*;
use crate::lexer::lex;

#[track_caller]
fn check(text: &str, created: &str, targets: &[&str]) {
    let tokens = lex(text).tokens;
    let sql = Sql::of(&Words::new(text, &tokens));
    assert_eq!(sql.created().map_or(String::new(), |object| object.to_string()), created, "{text}");
    let found: Vec<String> = sql.targets().iter().map(Object::to_string).collect();
    assert_eq!(found, targets, "{text}");
}

#[test]
fn knows_what_a_statement_makes_and_works_on() {
    check("CREATE TABLE IF NOT EXISTS core.Users (id int)", "core.users", &[]);
    check("CREATE UNLOGGED TABLE t AS SELECT 1", "t", &[]);
    check("CREATE OR REPLACE VIEW v AS SELECT 1", "", &[]);
    check("CREATE UNIQUE INDEX CONCURRENTLY i ON ONLY core.t (a)", "i", &["core.t"]);
    check("CREATE INDEX ON t (a)", "", &["t"]);
    check("CREATE INDEX IF NOT EXISTS \"on\" ON t (a)", "on", &["t"]);
    check("CREATE TRIGGER x BEFORE UPDATE OF a ON \"T\" FOR EACH ROW EXECUTE FUNCTION f()", "x", &["T"]);
    check("CREATE OR REPLACE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f()", "", &["t"]);
    check("CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()", "e", &[]);
    check("CREATE RULE r AS ON INSERT TO t DO NOTHING", "r", &["t"]);
    check("CREATE SCHEMA IF NOT EXISTS s", "s", &[]);
    check("ALTER TABLE IF EXISTS ONLY a.b ADD c int", "", &["a.b"]);
    check("ALTER MATERIALIZED VIEW m RENAME TO n", "", &["m"]);
    check("ALTER TRIGGER x ON t RENAME TO y", "", &["t"]);
    check("DROP TABLE IF EXISTS a, b.c CASCADE", "", &["a", "b.c"]);
    check("DROP FUNCTION f(int, text), g", "", &["f", "g"]);
    check("DROP INDEX CONCURRENTLY IF EXISTS s.i", "", &["s.i"]);
    check("DROP POLICY p ON t", "", &["t"]);
    check("DROP EVENT TRIGGER e", "", &[]);
    check("TRUNCATE TABLE ONLY a, b *", "", &["a", "b"]);
    check("LOCK ONLY a, ONLY s.b IN SHARE MODE", "", &["a", "s.b"]);
    check("UPDATE ONLY t SET a = 1", "", &["t"]);
    check("DELETE FROM t", "", &["t"]);
    check("REFRESH MATERIALIZED VIEW CONCURRENTLY m", "", &["m"]);
    check("VACUUM (FULL) a, b", "", &["a", "b"]);
    check("VACUUM FULL VERBOSE a", "", &["a"]);
    check("VACUUM", "", &[]);
    check("REINDEX (VERBOSE) TABLE CONCURRENTLY t", "", &["t"]);
    check("CLUSTER VERBOSE t USING i", "", &["t"]);
    check("SELECT 1", "", &[]);
}

#[test]
fn what_is_not_complete_is_read_all_the_same() {
    // Whatever the parser will say of it: nothing here may panic.
    let whole = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY s.t (a); CREATE TABLE IF NOT EXISTS t (a int CHECK (a > 0), LIKE b, CONSTRAINT c PRIMARY KEY (a)) PARTITION BY LIST (a); ALTER TABLE IF EXISTS ONLY t * ALTER COLUMN a SET DATA TYPE int USING a::int, RENAME CONSTRAINT a TO b, ADD COLUMN IF NOT EXISTS c int, DETACH PARTITION p CONCURRENTLY, ATTACH PARTITION q DEFAULT; DROP TABLE IF EXISTS ONLY a, b CASCADE; LOCK TABLE ONLY t IN SHARE ROW EXCLUSIVE MODE; VACUUM (FULL, ANALYZE) t; REINDEX (CONCURRENTLY) TABLE t; REFRESH MATERIALIZED VIEW CONCURRENTLY v WITH NO DATA; WITH a AS (DELETE FROM t) UPDATE ONLY t SET a = 1; SET SESSION ROLE TO NONE; CREATE SUBSCRIPTION s WITH (connect = false); ALTER DOMAIN d ADD CHECK (VALUE > 0) NOT VALID; CREATE DOMAIN d AS int; CREATE RULE r AS ON INSERT TO t DO NOTHING";
    let tokens = lex(whole).tokens;
    for words in crate::statements::split(whole, &tokens) {
        for end in 0..=words.tokens.len() {
            for start in 0..=end {
                let part = Words::new(whole, &words.tokens[start..end]);
                let sql = Sql::of(&part);
                let _ = (sql.targets(), sql.created(), sql.is_concurrently());
                if let Sql::AlterTable(altered) = sql {
                    for element in altered.actions.iter().filter_map(|action| action.added()) {
                        let _ = (element.references(), element.not_null_column(), element.default());
                        let _ = (element.only_key_column(), element.column_type());
                    }
                }
            }
        }
    }
}

#[test]
fn a_lock_has_the_mode_that_is_asked_for() {
    for (text, mode) in [
        ("LOCK t", LockMode::AccessExclusive),
        ("LOCK TABLE a, b IN SHARE MODE", LockMode::Share),
        ("LOCK TABLE a IN ACCESS SHARE MODE NOWAIT", LockMode::AccessShare),
        ("LOCK a IN row share MODE", LockMode::RowShare),
        ("LOCK a IN ROW EXCLUSIVE MODE", LockMode::RowExclusive),
        ("LOCK a IN SHARE UPDATE EXCLUSIVE MODE", LockMode::ShareUpdateExclusive),
        ("LOCK a IN SHARE /* c */ ROW EXCLUSIVE MODE", LockMode::ShareRowExclusive),
        ("LOCK a IN EXCLUSIVE MODE", LockMode::Exclusive),
        ("LOCK a IN ACCESS EXCLUSIVE MODE", LockMode::AccessExclusive),
    ] {
        let tokens = lex(text).tokens;
        match Sql::of(&Words::new(text, &tokens)) {
            Sql::Lock { mode: found, .. } => assert_eq!(found, mode, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn rows_are_changed_also_after_with() {
    let of = |text: &str| {
        let tokens = lex(text).tokens;
        match Sql::of(&Words::new(text, &tokens)) {
            Sql::With { main, changes_rows } => (main.map(|main| main.targets()[0].to_string()), changes_rows),
            other => panic!("{text}: {other:?}"),
        }
    };
    assert_eq!(of("WITH a AS (SELECT 1) UPDATE t SET a = 1"), (Some("t".to_owned()), true));
    assert_eq!(of("WITH a AS (DELETE FROM b RETURNING *) SELECT * FROM a"), (None, true));
    assert_eq!(of("WITH a AS (SELECT 1) SELECT * FROM a"), (None, false));
}
