//! Further changes of the kinds that many objects hang on: types in use, partitions, what is elsewhere, privileges.

use expect_test::expect;

use super::kinds::refused;
use crate::drift::everything;

const CHANGES: &[&str] = &[
    "ALTER TYPE w.state ADD VALUE 'paused' AFTER 'new'",
    "ALTER TYPE w.state ADD VALUE 'it''s AFTER '",
    "ALTER TYPE w.state RENAME VALUE 'closed' TO 'shut'",
    "ALTER DOMAIN w.state_d DROP DEFAULT",
    "ALTER DOMAIN w.state_d DROP CONSTRAINT known",
    "DROP VIEW w.open_items; ALTER TABLE w.items ALTER d TYPE text; DROP DOMAIN w.state_d; CREATE DOMAIN w.state_d AS text; ALTER TABLE w.items ALTER d TYPE w.state_d",
    "ALTER TYPE w.pair ADD ATTRIBUTE c int",
    "ALTER TYPE w.pair DROP ATTRIBUTE b",
    "ALTER TABLE w.items ALTER p TYPE int USING NULL, ALTER ps TYPE int USING NULL; ALTER TYPE w.pair ALTER ATTRIBUTE b TYPE varchar(9); ALTER TABLE w.items ALTER p TYPE w.pair USING NULL, ALTER ps TYPE w.pair[] USING NULL",
    "ALTER TABLE w.items ALTER span TYPE int USING NULL; DROP TYPE w.span; CREATE TYPE w.span AS RANGE (subtype = bigint); ALTER TABLE w.items ALTER span TYPE w.span USING NULL",
    "ALTER TABLE w.items ALTER states DROP DEFAULT, ALTER states TYPE text",
    "ALTER TABLE w.log DETACH PARTITION w.log_a",
    "ALTER TABLE w.log DETACH PARTITION w.log_b",
    "ALTER TABLE w.log ATTACH PARTITION w.log_free FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')",
    "ALTER TABLE w.log DETACH PARTITION w.log_a; ALTER TABLE w.log ATTACH PARTITION w.log_a FOR VALUES FROM ('2023-01-01') TO ('2025-01-01')",
    "CREATE TABLE w.log_c PARTITION OF w.log FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
    "CREATE TABLE w.log_c PARTITION OF w.log DEFAULT PARTITION BY HASH (kind); CREATE TABLE w.log_c0 PARTITION OF w.log_c FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
    "CREATE INDEX log_kind ON w.log (kind)",
    "ALTER TABLE w.log ADD CONSTRAINT small CHECK (kind < 9)",
    "ALTER TABLE w.log DROP CONSTRAINT log_note",
    "ALTER TABLE w.log DROP CONSTRAINT log_kind_fkey",
    "ALTER TABLE w.log DROP CONSTRAINT log_pkey",
    "ALTER TABLE w.log ADD COLUMN more int DEFAULT 1",
    "ALTER TABLE w.log ALTER note TYPE varchar(9)",
    "DROP TRIGGER touch ON w.log",
    "CREATE TRIGGER later AFTER INSERT ON w.log FOR EACH ROW EXECUTE FUNCTION w.touch()",
    "DROP TABLE w.log_b",
    "DROP TABLE w.log_b1",
    "DROP TABLE w.log",
    "ALTER TABLE w.base DROP CONSTRAINT positive",
    "ALTER TABLE w.base ADD CONSTRAINT said CHECK (b <> '')",
    "ALTER TABLE w.base ADD COLUMN more int",
    "ALTER FOREIGN DATA WRAPPER w_wrapper VALIDATOR postgresql_fdw_validator OPTIONS (DROP debug)",
    "ALTER SERVER w_server VERSION '2' OPTIONS (ADD port '1', DROP host)",
    "DROP SERVER w_server CASCADE; CREATE SERVER w_server TYPE 'y' FOREIGN DATA WRAPPER w_wrapper; CREATE USER MAPPING FOR PUBLIC SERVER w_server; CREATE FOREIGN TABLE w.far (id int OPTIONS (column_name 'key'), b text) SERVER w_server OPTIONS (table_name 'there'); CREATE VIEW w.seen AS SELECT id FROM w.far",
    "DROP USER MAPPING FOR PUBLIC SERVER w_server",
    "ALTER FOREIGN TABLE w.far ALTER id OPTIONS (SET column_name 'x', ADD other '1')",
    "ALTER FOREIGN TABLE w.far ADD COLUMN more text OPTIONS (column_name 'it''s')",
    "ALTER FOREIGN TABLE w.far OPTIONS (ADD \"a b\" 'x, y=z')",
    "COMMENT ON OPERATOR w.=== (text, text) IS 'the same'",
    "COMMENT ON CAST (w.state AS int) IS 'its length'",
    "COMMENT ON AGGREGATE w.everything(*) IS 'all'",
    "COMMENT ON DOMAIN w.state_d IS 'a state'",
    "COMMENT ON CONSTRAINT known ON DOMAIN w.state_d IS 'it is'",
    "COMMENT ON VIEW w.open_items IS NULL",
    "COMMENT ON SERVER w_server IS 'far'",
    "COMMENT ON PUBLICATION w_news IS 'new'",
    "ALTER DATABASE CURRENT_ONE SET search_path = w, \"Odd, one\", public, \"$user\"",
    "ALTER DATABASE CURRENT_ONE SET search_path = ''",
    "ALTER DATABASE CURRENT_ONE SET \"my.own\" = '100% $setting$ it''s'",
    "CREATE ACCESS METHOD w_piles TYPE TABLE HANDLER heap_tableam_handler; CREATE TABLE w.piled (a int) USING w_piles",
    "ALTER PUBLICATION w_news ADD TABLE w.base",
    "ALTER PUBLICATION w_news DROP TABLE w.items",
    "ALTER PUBLICATION w_news SET (publish_via_partition_root)",
    "DROP PUBLICATION w_news; CREATE PUBLICATION w_news FOR ALL TABLES",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA w GRANT EXECUTE ON FUNCTIONS TO drift_reader; CREATE FUNCTION w.later() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; DROP FUNCTION w.touch() CASCADE",
    "ALTER DEFAULT PRIVILEGES FOR ROLE drift_reader GRANT SELECT ON SEQUENCES TO PUBLIC",
    "GRANT SELECT ON w.items TO drift_reader; REVOKE DELETE ON w.items FROM postgres",
    "ALTER TABLE w.kinds ADD COLUMN number int GENERATED ALWAYS AS IDENTITY",
    "CREATE EVENT TRIGGER w_watch ON sql_drop EXECUTE FUNCTION app.watch(); ALTER EVENT TRIGGER w_watch ENABLE ALWAYS",
    "ALTER TEXT SEARCH CONFIGURATION app.search DROP MAPPING FOR word",
    "CREATE COLLATION w.other (provider = libc, locale = 'POSIX'); ALTER TABLE w.base ALTER b TYPE text COLLATE w.other",
];

#[test]
fn what_other_objects_hang_on_changes_with_them() {
    let project = everything();
    project.file(
        "migrations/001_a.sql",
        "-- migrate:up\nCREATE TABLE public.a (id int);\n\n-- migrate:down\nDROP TABLE public.a;\n",
    );
    project.query(include_str!("variants.sql"));
    let embedded = migrator_tests::load(&project.db()).unwrap().0.set().unwrap();
    let refused = refused(embedded, project.database(), CHANGES);
    expect![[r#"
        ALTER TABLE w.items ALTER span TYPE int USING NULL; DROP TYPE w.span; 
          up: | ^ cannot drop function w.span(integer,integer) because type w.span requires it [2BP01]
          down: not tried"#]]
    .assert_eq(&refused.join("\n"));
}
