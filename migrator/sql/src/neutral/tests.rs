use super::is_neutral;
use crate::lexer::lex;
use crate::sql::Sql;
use crate::words::Words;

#[track_caller]
fn check(statements: &[&str], expected: bool) {
    for text in statements {
        let tokens = lex(text).tokens;
        let words = Words::new(text, &tokens);
        assert_eq!(is_neutral(&Sql::of(&words), &words), expected, "{text}");
    }
}

#[test]
fn what_defines_objects_leaves_the_session_as_it_is() {
    check(
        &[
            "SELECT 1",
            "SELECT 'a', null",
            "CREATE TABLE t ()",
            "CREATE UNLOGGED TABLE IF NOT EXISTS a.t (id bigint GENERATED ALWAYS AS IDENTITY, b text DEFAULT f(), CHECK (f(b)), UNIQUE (b))",
            "CREATE TABLE t (id int REFERENCES o (id), a int) PARTITION BY RANGE (id, a)",
            "CREATE TABLE t (LIKE_it int) WITH (fillfactor = 70) TABLESPACE x",
            "CREATE UNIQUE INDEX i ON t USING btree (a DESC, b text_pattern_ops) INCLUDE (c) WITH (fillfactor = 70) WHERE b IS NOT NULL AND (a > 3)",
            "CREATE SCHEMA a AUTHORIZATION b",
            "CREATE TYPE e AS ENUM ('a')",
            "CREATE DOMAIN d AS text CHECK (f(VALUE))",
            "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT set_config('a.b', 'c', false) $$",
            "CREATE VIEW v AS SELECT f()",
            "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
            "CREATE SEQUENCE s OWNED BY t.id",
            "CREATE ROLE r NOLOGIN",
            "ALTER TABLE t ADD COLUMN a varchar(10) NOT NULL DEFAULT 'x', ADD b int DEFAULT -1, ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES o (id)",
            "ALTER TABLE t ADD CHECK (f(a)) NOT VALID, DROP COLUMN b, RENAME TO u",
            "ALTER TABLE t ALTER a SET NOT NULL, ALTER b SET DEFAULT f(), OWNER TO r, ENABLE ROW LEVEL SECURITY",
            "ALTER TYPE e ADD VALUE 'b'",
            "DROP TABLE IF EXISTS t CASCADE",
            "DROP FUNCTION f()",
            "COMMENT ON TABLE t IS 'x'",
            "GRANT SELECT ON t TO r",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA a GRANT SELECT ON TABLES TO r",
        ],
        true,
    );
}

#[test]
fn what_may_run_a_function_or_make_something_of_the_session_does_not() {
    check(
        &[
            "SELECT set_config('search_path', 'x', false)",
            "SELECT a FROM t",
            "SELECT 'x'::d",
            "SELECT 1 INTO t",
            "VALUES (f())",
            "SET x = 1",
            "SET LOCAL x = 1",
            "INSERT INTO t VALUES (1)",
            "UPDATE t SET a = 1",
            "WITH x AS (SELECT f()) SELECT 1",
            "TRUNCATE t",
            "COPY t FROM '/x'",
            "DO $$ BEGIN END $$",
            "CALL p()",
            "PREPARE p AS SELECT 1",
            "DEALLOCATE ALL",
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
            "LISTEN x",
            "LOCK TABLE t",
            "DISCARD TEMP",
            "CREATE TEMP TABLE t ()",
            "CREATE LOCAL TEMPORARY TABLE t ()",
            "CREATE TABLE pg_temp.t ()",
            "CREATE TABLE \"pg_temp\".t ()",
            "CREATE TEMP SEQUENCE s",
            "CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1",
            "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE TABLE t AS SELECT f()",
            "CREATE TABLE t (a) AS SELECT f()",
            "CREATE TABLE t (LIKE o INCLUDING ALL)",
            "CREATE TABLE t PARTITION OF p FOR VALUES FROM (f()) TO (9)",
            "CREATE TABLE t (a int) PARTITION BY RANGE ((f(a)))",
            "CREATE TABLE t (a int, EXCLUDE USING gist (f(a) WITH =))",
            "CREATE INDEX i ON t (f(a))",
            "CREATE INDEX i ON t ((a + 1))",
            "CREATE INDEX i ON t (a) WHERE f(a)",
            "CREATE INDEX i ON t (a) WHERE \"F\" (a) = 1",
            "CREATE INDEX CONCURRENTLY i ON t (a)",
            "CREATE MATERIALIZED VIEW v AS SELECT f()",
            "CREATE EXTENSION x",
            "CREATE EVENT TRIGGER x ON ddl_command_end EXECUTE FUNCTION f()",
            "CREATE DATABASE d",
            "CREATE SCHEMA a CREATE TABLE t AS SELECT f()",
            "ALTER TABLE t ADD a int DEFAULT f()",
            "ALTER TABLE t ADD a d",
            "ALTER TABLE t ADD a int DEFAULT 1 + f(2)",
            "ALTER TABLE t ADD a int CHECK (f(a))",
            "ALTER TABLE t ADD a int GENERATED ALWAYS AS (f(b)) STORED",
            "ALTER TABLE t ADD CHECK (f(a))",
            "ALTER TABLE t ADD EXCLUDE USING gist (a WITH =)",
            "ALTER TABLE t VALIDATE CONSTRAINT c",
            "ALTER TABLE t ALTER a TYPE text USING f(a)",
            "ALTER TABLE t ALTER a SET EXPRESSION AS (f(b))",
            "ALTER TABLE t ATTACH PARTITION p FOR VALUES FROM (1) TO (2)",
            "ALTER TABLE t DROP a, ADD b int DEFAULT f()",
            "ALTER TABLE pg_temp.t DROP a",
            "ALTER DOMAIN d ADD CHECK (f(VALUE))",
            "ALTER EXTENSION x UPDATE",
            "ALTER SYSTEM SET x = 1",
            "REFRESH MATERIALIZED VIEW v",
        ],
        false,
    );
}
