//! What is said fits the very statement: no false alarm, a way out that the server takes, the lock that is taken.

use super::{rules_of_file, told};

/// Nothing is said about the block.
#[track_caller]
fn no_hazard(before: &str, up: &str) {
    assert_eq!(told(before, up), [] as [(String, String, String); 0], "{up}");
}

/// The rule, a part of the lock and a part of the help of the only hazard.
#[track_caller]
fn one_hazard(before: &str, up: &str, rule: &str, lock: &str, help: &str) {
    let found = told(before, up);
    let [(found_rule, found_lock, found_help)] = found.as_slice() else { panic!("{up}: {found:?}") };
    assert_eq!(found_rule, rule, "{up}");
    assert!(found_lock.contains(lock) && found_help.contains(help), "{up}: {found_lock} / {found_help}");
}

const PARTITIONED: &str = "CREATE TABLE p (id bigint, a text) PARTITION BY RANGE (id);
                           CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
                           CREATE TABLE ref (id bigint PRIMARY KEY); CREATE INDEX p_a ON p (a);";

#[test]
fn partitioned_parents_get_a_way_that_the_server_takes() {
    one_hazard(PARTITIONED, "CREATE INDEX i ON p (a);", "require-concurrent-index-creation", "Share", "ON ONLY");
    no_hazard(PARTITIONED, "CREATE INDEX i ON ONLY p (a);");
    no_hazard("CREATE TABLE q (id int) PARTITION BY LIST (id);", "CREATE INDEX i ON ONLY q (id);");
    one_hazard("", "CREATE INDEX i ON ONLY live (a);", "require-concurrent-index-creation", "Share", "CONCURRENTLY");
    let deletion = "require-concurrent-index-deletion";
    one_hazard(PARTITIONED, "DROP INDEX p_a;", deletion, "AccessExclusive", "has no `CONCURRENTLY`");
    one_hazard("CREATE INDEX live_a ON live (a);", "DROP INDEX live_a;", deletion, "", "`DROP INDEX CONCURRENTLY`");
    let unique = "ALTER TABLE p ADD CONSTRAINT u UNIQUE (id);";
    one_hazard(PARTITIONED, unique, "disallowed-unique-constraint", "AccessExclusive", "ATTACH PARTITION");
    no_hazard(PARTITIONED, "ALTER TABLE ONLY p ADD CONSTRAINT u UNIQUE (id);");
    let key = "ALTER TABLE p ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES ref;";
    one_hazard(PARTITIONED, key, "adding-foreign-key-constraint", "ShareRowExclusive", "to each partition");
    let detach = "ALTER TABLE p DETACH PARTITION p1;";
    let default = format!("{PARTITIONED} CREATE TABLE pd PARTITION OF p DEFAULT;");
    one_hazard(PARTITIONED, detach, "require-concurrent-partition-detach", "", "`DETACH PARTITION ... CONCURRENTLY`");
    one_hazard(&default, detach, "require-concurrent-partition-detach", "", "refuses `CONCURRENTLY`");
    // Also after a rename.
    let renamed = format!("{PARTITIONED} ALTER TABLE p RENAME TO q;");
    one_hazard(&renamed, "CREATE INDEX i ON q (a);", "require-concurrent-index-creation", "", "ON ONLY");
}

#[test]
fn a_column_that_computes_itself_gets_a_way_of_its_own() {
    let rule = "adding-field-with-default";
    let stored = "ALTER TABLE live ADD c text GENERATED ALWAYS AS (a || b) STORED;";
    one_hazard("", stored, rule, "AccessExclusive", "a trigger fills");
    let identity = "ALTER TABLE live ADD c bigint GENERATED ALWAYS AS IDENTITY;";
    one_hazard("", identity, rule, "AccessExclusive", "ADD GENERATED");
    one_hazard(
        "",
        "ALTER TABLE live ADD c uuid DEFAULT gen_random_uuid();",
        rule,
        "AccessExclusive",
        "without a default",
    );
}

#[test]
fn rights_on_what_the_block_creates_are_no_loss() {
    let revoke = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\nREVOKE ALL ON FUNCTION f() FROM PUBLIC;
                  CREATE TABLE t (id bigint);\nREVOKE ALL ON t FROM PUBLIC;\nCREATE SCHEMA s;\nREVOKE ALL ON ALL TABLES IN SCHEMA s FROM PUBLIC;";
    no_hazard("", revoke);
    assert_eq!(rules_of_file("", &format!("-- migrate:up transaction:false\n{revoke}\n-- migrate:down\n")), [""; 0]);
    no_hazard("", "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;");
    one_hazard("", "REVOKE ALL ON live FROM PUBLIC;", "ban-revoke", "none", "");
    let later = "-- migrate:up transaction:false\nREVOKE ALL ON live FROM PUBLIC;\nCREATE TABLE t (id bigint);\n-- migrate:down\n";
    assert_eq!(rules_of_file("", later), ["ban-revoke"]);
}

#[test]
fn what_is_known_of_a_column_outlives_a_rename() {
    let base = "ALTER TABLE live ADD c varchar(20), ADD d timestamp(3), ADD e int, ADD f bytea, ADD g interval(3); CREATE DOMAIN blob AS bytea;";
    for (between, up) in [
        ("ALTER TABLE live RENAME COLUMN c TO x;", "ALTER TABLE live ALTER x TYPE varchar(40);"),
        ("ALTER TABLE live RENAME c TO x;", "ALTER TABLE live ALTER x TYPE text;"),
        ("ALTER TABLE live RENAME TO lived;", "ALTER TABLE lived ALTER c TYPE text;"),
        ("ALTER TABLE live RENAME TO y; ALTER TABLE y RENAME c TO z;", "ALTER TABLE y ALTER z TYPE text;"),
        ("", "ALTER TABLE live ALTER d TYPE timestamp;"),
        ("", "ALTER TABLE live ALTER e TYPE integer;"),
        ("", "ALTER TABLE live ALTER f TYPE blob;"),
        ("", "ALTER TABLE live ALTER c TYPE text USING c::text;"),
    ] {
        no_hazard(&format!("{base}{between}"), up);
    }
    let changing = "changing-column-type";
    one_hazard(base, "ALTER TABLE live ALTER g TYPE interval(1);", changing, "AccessExclusive", "");
    one_hazard(base, "ALTER TABLE live ALTER e TYPE bigint;", changing, "AccessExclusive", "");
    let swapped = format!("{base} ALTER TABLE live RENAME c TO old; ALTER TABLE live ADD c int;");
    one_hazard(&swapped, "ALTER TABLE live ALTER c TYPE varchar(40);", changing, "AccessExclusive", "");
    let domain = format!("{base} ALTER DOMAIN blob ADD CHECK (VALUE <> '');");
    one_hazard(&domain, "ALTER TABLE live ALTER f TYPE blob;", changing, "AccessExclusive", "");
    // And of a CHECK that proves that there is no NULL.
    let check =
        "ALTER TABLE live ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID; ALTER TABLE live VALIDATE CONSTRAINT c;
                 ALTER TABLE live RENAME a TO x;";
    no_hazard(check, "ALTER TABLE live ALTER x SET NOT NULL;");
}

#[test]
fn a_default_of_functions_that_are_not_volatile_is_computed_once() {
    for default in [
        "md5('x')",
        "decode('00', 'hex')",
        "replace(lower('X-Y'), '-', '')",
        "string_to_array('a,b', ',')",
        "pg_catalog.md5('x')",
        "array_length(string_to_array('a', ','), 1)",
        "('a'::character varying(20))",
        "steady('x')",
        "(to_char(now(), 'YYYY') || md5(current_setting('server_version')))",
    ] {
        let functions = "CREATE FUNCTION steady(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';";
        no_hazard(functions, &format!("ALTER TABLE live ADD c text DEFAULT {default};"));
    }
    for default in ["random()", "md5(random()::text)", "clock_timestamp()", "app.md5('x')", "moody('x')", "unknown()"] {
        let functions = "CREATE FUNCTION moody(text) RETURNS text LANGUAGE sql AS 'SELECT random()::text';
                         CREATE SCHEMA app; CREATE FUNCTION unknown() RETURNS text LANGUAGE sql AS $$SELECT 'a'$$;
                         CREATE FUNCTION app.md5(text) RETURNS text LANGUAGE sql AS 'SELECT random()::text';";
        let up = format!("ALTER TABLE live ADD c text DEFAULT {default};");
        one_hazard(functions, &up, "adding-field-with-default", "AccessExclusive", "");
    }
}

#[test]
fn a_value_at_the_end_of_an_enum_is_no_hazard() {
    no_hazard(
        "CREATE TYPE mood AS ENUM ('sad');",
        "ALTER TYPE mood ADD VALUE 'ok'; ALTER TYPE mood ADD VALUE IF NOT EXISTS 'x';",
    );
}

#[test]
fn the_lock_is_the_one_that_the_statement_takes() {
    let update = "UPDATE live SET a = 'x' WHERE id = 1;";
    let rule = "data-while-locked";
    for (mode, name) in
        [("SHARE", "Share of"), ("SHARE ROW EXCLUSIVE", "ShareRowExclusive of"), ("EXCLUSIVE", "Exclusive of")]
    {
        one_hazard("", &format!("LOCK TABLE live IN {mode} MODE;\n{update}"), rule, name, "");
    }
    one_hazard("", &format!("LOCK live;\n{update}"), rule, "AccessExclusive of", "");
    for weak in [
        "LOCK live IN ROW EXCLUSIVE MODE;",
        "ALTER TABLE live ALTER a SET STATISTICS 100;",
        "ALTER TABLE live SET (fillfactor = 90);",
    ] {
        no_hazard("", &format!("{weak}\n{update}"));
    }
    let references = "CREATE TABLE ref (id bigint PRIMARY KEY);";
    let key = "ALTER TABLE live ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES ref;";
    one_hazard(references, key, "adding-foreign-key-constraint", "ShareRowExclusive on both", "");
    let column = "ALTER TABLE live ADD c bigint DEFAULT 1 REFERENCES ref;";
    one_hazard(references, column, "adding-foreign-key-constraint", "AccessExclusive on the table", "");
    let trigger = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
                   CREATE TRIGGER t BEFORE UPDATE ON live FOR EACH ROW EXECUTE FUNCTION f(); CREATE RULE r AS ON UPDATE TO live DO ALSO NOTIFY x;";
    one_hazard(trigger, "ALTER TABLE live DISABLE TRIGGER t;", "ban-disable-trigger", "ShareRowExclusive", "");
    one_hazard(trigger, "ALTER TABLE live DISABLE RULE r;", "ban-disable-trigger", "AccessExclusive", "");
    let together = "ALTER TABLE live ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES ref NOT VALID;\nALTER TABLE live VALIDATE CONSTRAINT f;";
    one_hazard(references, together, "validate-in-same-transaction", "ShareRowExclusive of `ADD CONSTRAINT`", "");
}
