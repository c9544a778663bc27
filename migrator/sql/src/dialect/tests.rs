//! Statements that the parser alone would refuse, and mistakes beside which they must not hide.

use crate::lexer::lex;
use crate::parse;

fn is_taken(text: &str) -> bool {
    let lexed = lex(text);
    let statements = crate::statements::split(text, &lexed.tokens);
    parse::with_deep_stack(|| parse::mistakes(text, &statements).is_empty())
}

/// All of them were given to a server of 15, which parsed them; the last one needs 16.
const TAKEN: &[&str] = &[
    "SET NAMES 'UTF8'",
    "SET LOCAL NAMES DEFAULT",
    "SET SESSION NAMES",
    "ALTER ROLE a SET NAMES 'UTF8'",
    "ALTER DATABASE a RESET TIME ZONE",
    "ALTER ROLE ALL RESET TRANSACTION ISOLATION LEVEL",
    "ALTER FUNCTION f() RESET SESSION AUTHORIZATION",
    "ALTER FUNCTION f SET ROLE a",
    "ALTER ROLE a SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "ALTER ROLE a",
    "ALTER USER CURRENT_USER WITH",
    "SET LOCAL SESSION CHARACTERISTICS AS TRANSACTION DEFERRABLE",
    "SET SESSION TRANSACTION READ ONLY, DEFERRABLE",
    "CREATE TRUSTED PROCEDURAL LANGUAGE plx HANDLER h",
    "CREATE OR REPLACE PROCEDURAL LANGUAGE plx",
    "CREATE TRUSTED LANGUAGE plx HANDLER h INLINE i VALIDATOR v",
    "CREATE LANGUAGE plx HANDLER h NO VALIDATOR",
    "DROP TYPE IF EXISTS a, b[]",
    "DROP TYPE a.b[], \"C\"[3][] CASCADE",
    "DROP DOMAIN a, b ARRAY",
    "DROP TYPE IF EXISTS timestamp(3) with time zone, bit(3), SETOF a RESTRICT",
    "COMMENT ON TYPE a[] IS 'x'",
    "COMMENT ON DOMAIN a ARRAY[4] IS NULL",
    "ALTER EXTENSION e ADD TYPE a[]",
    "ALTER EXTENSION e DROP DOMAIN bit(3)[]",
    "DROP CONVERSION IF EXISTS a, b.c CASCADE",
    "DROP ACCESS METHOD a, b",
    "CREATE LOCAL TEMP SEQUENCE s",
    "CREATE OR REPLACE LOCAL TEMPORARY VIEW v AS SELECT 1",
    "CREATE EXTENSION e CASCADE SCHEMA s",
    "CREATE EXTENSION IF NOT EXISTS e WITH CASCADE VERSION '1' SCHEMA s",
    "CREATE PROCEDURE p(a VARIADIC int[], b OUT int) LANGUAGE sql AS 'SELECT 1'",
    "CREATE RULE r AS ON UPDATE TO t DO (; NOTIFY a;; NOTIFY b)",
    "CREATE USER MAPPING FOR user SERVER s",
    "ALTER USER MAPPING FOR USER SERVER s OPTIONS (DROP a)",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA a, b FOR ROLE c GRANT ALL ON TABLES TO d",
    "ALTER STATISTICS IF EXISTS s SET STATISTICS 0",
    "ALTER STATISTICS s SET STATISTICS -1",
    "ALTER POLICY IF EXISTS p ON t RENAME TO q",
    "ALTER SERVER s VERSION NULL",
    "ALTER INDEX i OWNER TO a, CLUSTER ON i",
    "ALTER MATERIALIZED VIEW v SET LOGGED",
    "DECLARE c NO SCROLL BINARY CURSOR FOR SELECT 1",
    "FETCH FORWARD c",
    "MOVE BACKWARD c",
    "EXPLAIN (ANALYZE) REFRESH MATERIALIZED VIEW v",
    "EXPLAIN VERBOSE DECLARE c BINARY CURSOR FOR SELECT 1",
    "COPY t FROM '/x' DELIMITERS 'x'",
    "SELECT 1 FOR READ ONLY",
    "CREATE VIEW v AS (SELECT 1 FOR READ ONLY)",
    "CREATE TABLE t (a text COMPRESSION DEFAULT)",
    "ALTER TABLE t ALTER a SET STORAGE DEFAULT",
];

#[test]
fn what_the_server_takes_is_not_refused() {
    for text in TAKEN {
        assert!(is_taken(text), "{text}");
    }
    // Also beside others.
    assert!(is_taken(&format!("SELECT 1;\n{};\nSELECT 2;\n", TAKEN.join(";\n"))));
}

#[test]
fn what_is_wrong_in_such_a_statement_is_still_refused() {
    for text in [
        "SET NAMES 'UTF8' 'x'",
        "SET NAME 'UTF8'",
        "CREATE TRUSTED PROCEDURAL LANGUAGE",
        "CREATE TRUSTED TABLE t (a int)",
        "DROP TYPE a, b[",
        "DROP TYPE a b c",
        "DROP TYPE a, , b",
        "DROP TYPE a, b NOT NULL",
        "DROP TYPE",
        "DROP CONVERSION a,",
        "COMMENT ON TYPE a[ IS 'x'",
        "ALTER EXTENSION e ADD TYPE a b c",
        "CREATE EXTENSION e CASCADE CASCADE",
        "CREATE EXTENSION e VERSION",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA a b FOR ROLE c GRANT ALL ON TABLES TO d",
        "ALTER STATISTICS s SET STATISTICS",
        "ALTER INDEX i RENAM TO j",
        "EXPLAIN REFRESH VIEW v",
        "SELECT 1 FOR READ",
        "FETCH FORWARD",
    ] {
        assert!(!is_taken(text), "{text}");
    }
    assert!(!is_taken("SELECT 1;\nSET NAMES 'x';\nSELEC 2"));
}
