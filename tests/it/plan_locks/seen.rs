//! What the tracer sees, and is not misled by.

use expect_test::expect;

use crate::support::Project;

#[test]
fn what_is_in_a_renamed_schema_is_called_by_its_new_name() {
    let project = Project::new();
    project.migration("001_base", "CREATE SCHEMA old;\nCREATE TABLE old.a (id int);", "");
    project.run(&["up"]);
    project
        .migration("002_rename", "ALTER SCHEMA old RENAME TO new;", "")
        .migration("003_drop", "DROP TABLE new.a;", "")
        .migration("004_again", "CREATE TABLE new.a (id int);", "")
        .migration("005_add", "ALTER TABLE new.a ADD COLUMN x int;", "");
    expect![[r#"
        exit 0
        --- stdout
        would apply 002_rename
            no one waits for an existing relation
        would apply 003_drop
            statement 1: AccessExclusiveLock on new.a, dropped: reads and writes wait (N ms)
        would apply 004_again
            no one waits for an existing relation
        would apply 005_add
            statement 1: AccessExclusiveLock on new.a: reads and writes wait (N ms)
        plan digest: CHECKSUM
        --- stderr
        seen on an empty copy of the schema on PostgreSQL X with real data, the same locks are held longer
    "#]]
    .assert_eq(&project.trace(&[]));
}

/// Statements that seem to make new things only are looked at once, after the last of them, unless that shows that they do more.
#[test]
fn what_seems_to_be_new_and_is_not_is_looked_at_by_itself() {
    let project = Project::with_base();
    let replaced = "CREATE TABLE d (id int);\nCREATE OR REPLACE VIEW vw AS SELECT id, n FROM a;\nCREATE INDEX ON d (id);\nALTER TABLE a ADD COLUMN x int;";
    let read = "CREATE TABLE e (id int);\nCREATE INDEX ON e (id);\nINSERT INTO e SELECT id FROM a;\nCREATE INDEX ON e (id DESC);\nALTER TABLE a ADD COLUMN y int;";
    let new = "CREATE TABLE f (id int);\nCREATE INDEX ON f (id);\nALTER TABLE a ADD COLUMN z int;\nCREATE INDEX ON f (id DESC);\nDROP VIEW vw;";
    project.migration("002_replaced", replaced, "").migration("003_read", read, "").migration("004_new", new, "");
    expect![[r#"
        exit 0
        --- stdout
        would apply 002_replaced
            statement 2: AccessExclusiveLock on public.vw: reads and writes wait (N ms)
            statement 4: AccessExclusiveLock on public.a: reads and writes wait (N ms)
        would apply 003_read
            statement 5: AccessExclusiveLock on public.a: reads and writes wait (N ms)
        would apply 004_new
            statement 3: AccessExclusiveLock on public.a: reads and writes wait (N ms)
            statement 5: AccessExclusiveLock on public.vw, dropped: reads and writes wait (N ms)
        plan digest: CHECKSUM
        --- stderr
        seen on an empty copy of the schema on PostgreSQL X with real data, the same locks are held longer
    "#]]
    .assert_eq(&project.trace(&[]));
}

#[test]
fn what_a_migration_sets_for_itself_does_not_blind_the_tracer() {
    let project = Project::with_base();
    let path = "SET LOCAL search_path = '';\nALTER TABLE public.a ALTER COLUMN n TYPE bigint;";
    let role =
        "SET LOCAL ROLE pg_read_all_settings;\nSELECT 1;\nRESET ROLE;\nALTER TABLE a ALTER COLUMN t SET NOT NULL;";
    project.migration("002_path", path, "").migration("003_role", role, "");
    expect![[r#"
        exit 0
        --- stdout
        would apply 002_path
            statement 2: AccessExclusiveLock on public.a, rewritten, scanned: reads and writes wait (N ms)
            statement 2: AccessExclusiveLock on public.a_pkey, rewritten: reads and writes wait (N ms)
            statement 2: AccessExclusiveLock on public.a_n, rewritten: reads and writes wait (N ms)
        would apply 003_role
            statement 4: AccessExclusiveLock on public.a, scanned, validates NOT NULL of t: reads and writes wait (N ms)
        plan digest: CHECKSUM
        --- stderr
        warning: db/migrations/002_path.sql:2:1: this changes `search_path` for this file only [M035]; help: write the schema before each name: dbmate would look for its own table in the new path
        seen on an empty copy of the schema on PostgreSQL X with real data, the same locks are held longer
    "#]].assert_eq(&project.trace(&[]));
}

#[test]
fn statements_outside_a_transaction_are_looked_at_from_a_second_session() {
    let project = Project::with_base();
    project.file(
        "migrations/002_alone.sql",
        "-- migrate:up transaction:false
SET search_path = public;
CREATE INDEX CONCURRENTLY a_t ON a (t);
REINDEX INDEX CONCURRENTLY a_n;
REINDEX TABLE CONCURRENTLY a;
DROP INDEX CONCURRENTLY a_n;
VACUUM FULL a;
CREATE PROCEDURE fill() LANGUAGE plpgsql AS 'BEGIN INSERT INTO a VALUES (1); COMMIT; PERFORM pg_sleep(0.3); END';
CALL fill();
BEGIN;
LOCK TABLE a IN EXCLUSIVE MODE;
UPDATE a SET n = 1;
COMMIT;
CREATE TABLE own (id int);
CREATE INDEX CONCURRENTLY own_id ON own (id);
ALTER TABLE own ADD COLUMN x int;
",
    );
    expect![[r#"
        exit 0
        --- stdout
        would apply 002_alone (outside a transaction)
            statement 2: ShareUpdateExclusiveLock on public.a, scanned: no one waits (N ms)
            statement 3: ShareUpdateExclusiveLock on public.a, scanned: no one waits (N ms)
            statement 3: ShareUpdateExclusiveLock on public.a_n, rewritten: no one waits (N ms)
            statement 4: ShareUpdateExclusiveLock on public.a, scanned: no one waits (N ms)
            statement 4: ShareUpdateExclusiveLock on public.a_pkey, rewritten: no one waits (N ms)
            statement 5: ShareUpdateExclusiveLock on public.a: no one waits (N ms)
            statement 6: AccessExclusiveLock on public.a, rewritten: reads and writes wait (N ms)
            statement 10: ExclusiveLock on public.a: writes wait (N ms)
            statement 11: ExclusiveLock still held on public.a, scanned: writes wait (N ms)
        plan digest: CHECKSUM
        --- stderr
        warning: db/migrations/002_alone.sql: missing `-- migrate:down`: dbmate rejects the file [M052]; help: add `-- migrate:down`; an empty down block says that the migration cannot be rolled back
        warning: db/migrations/002_alone.sql:2:1: this changes `search_path` for this file only [M035]; help: write the schema before each name: dbmate would look for its own table in the new path
        warning: db/migrations/002_alone.sql:3:1: dbmate sends this block as one message, in which `CREATE INDEX CONCURRENTLY` fails next to other statements [M053]; help: move it to its own migration
        seen on an empty copy of the schema on PostgreSQL X with real data, the same locks are held longer
    "#]].assert_eq(&project.trace(&[]));
}

#[test]
fn a_partition_is_locked_at_the_end_of_its_concurrent_detachment() {
    let project = Project::with_base();
    if project.query("SELECT current_setting('server_version_num')::int >= 140000") == "f\n" {
        eprintln!("not run, because this server has no DETACH PARTITION CONCURRENTLY: the locks of it");
        return;
    }
    let detach = "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;";
    project
        .file("migrations/002_alone.sql", &format!("-- migrate:up transaction:false\n{detach}\n\n-- migrate:down\n"));
    expect![[r#"
        exit 0
        --- stdout
        would apply 002_alone (outside a transaction)
            statement 1: ShareUpdateExclusiveLock on public.p: no one waits (N ms)
            statement 1: AccessExclusiveLock on public.p1: reads and writes wait (N ms)
        plan digest: CHECKSUM
        --- stderr
        seen on an empty copy of the schema on PostgreSQL X with real data, the same locks are held longer
    "#]]
    .assert_eq(&project.trace(&[]));
}

#[test]
fn what_looks_alike_is_told_apart() {
    let project = Project::with_base();
    project
        .migration("002_swap", "ALTER TABLE a RENAME TO old;\nCREATE TABLE a (id int, c varchar(50));\nDROP TABLE old CASCADE;\nCREATE INDEX a_c ON a (c);", "")
        .migration("003_widen", "ALTER TABLE a ALTER COLUMN c TYPE varchar(100);", "")
        .migration("004_truncate", "TRUNCATE a;", "")
        .migration("005_all_rows", "UPDATE a SET id = 1;\nDELETE FROM a;\nINSERT INTO a VALUES (1);", "")
        .migration("006_move", "CREATE SCHEMA elsewhere;\nALTER TABLE a SET SCHEMA elsewhere;", "")
        .migration("007_moved", "DROP INDEX elsewhere.a_c;", "");
    expect![[r#"
        exit 0
        --- stdout
        would apply 002_swap
            statement 1: AccessExclusiveLock on public.a: reads and writes wait (N ms)
            statement 3: AccessExclusiveLock still held on public.a, dropped: reads and writes wait (N ms)
            statement 3: AccessExclusiveLock on public.a_pkey, dropped: reads and writes wait (N ms)
            statement 3: AccessExclusiveLock on public.a_n, dropped: reads and writes wait (N ms)
            statement 3: AccessExclusiveLock on public.vw, dropped: reads and writes wait (N ms)
        would apply 003_widen
            statement 1: AccessExclusiveLock on public.a: reads and writes wait (N ms)
            statement 1: AccessExclusiveLock on public.a_c: reads and writes wait (N ms)
        would apply 004_truncate
            statement 1: AccessExclusiveLock on public.a, rewritten: reads and writes wait (N ms)
            statement 1: AccessExclusiveLock on public.a_c, rewritten: reads and writes wait (N ms)
        would apply 005_all_rows
            statement 1: RowExclusiveLock on public.a, scanned: writes to the same rows wait (N ms)
            statement 2: RowExclusiveLock still held on public.a, scanned: writes to the same rows wait (N ms)
        would apply 006_move
            statement 2: AccessExclusiveLock on public.a: reads and writes wait (N ms)
        would apply 007_moved
            statement 1: AccessExclusiveLock on elsewhere.a: reads and writes wait (N ms)
            statement 1: AccessExclusiveLock on elsewhere.a_c, dropped: reads and writes wait (N ms)
        plan digest: CHECKSUM
        --- stderr
        seen on an empty copy of the schema on PostgreSQL X with real data, the same locks are held longer
    "#]]
    .assert_eq(&project.trace(&[]));
}

#[test]
fn what_is_put_off_to_the_end_of_the_transaction_is_seen() {
    let project = Project::with_base();
    let function = "CREATE FUNCTION lock_p() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN LOCK TABLE p IN SHARE MODE; RETURN NULL; END';";
    let trigger = "CREATE CONSTRAINT TRIGGER later AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lock_p();";
    project.migration("002_trigger", &format!("{function}\n{trigger}"), "").migration(
        "003_insert",
        "INSERT INTO a VALUES (1);",
        "",
    );
    expect![[r#"
        exit 0
        --- stdout
        would apply 002_trigger
            statement 2: ShareRowExclusiveLock on public.a: writes wait (N ms)
        would apply 003_insert
            statement 1: ShareLock on public.p: writes wait (N ms)
            statement 1: ShareLock on public.p1: writes wait (N ms)
        plan digest: CHECKSUM
        --- stderr
        seen on an empty copy of the schema on PostgreSQL X with real data, the same locks are held longer
    "#]]
    .assert_eq(&project.trace(&[]));
}

#[test]
fn a_role_that_may_not_use_the_schema_does_not_stop_the_tracer() {
    let project = Project::with_base();
    let function = "CREATE FUNCTION widen() RETURNS void SECURITY DEFINER LANGUAGE sql AS 'ALTER TABLE hidden.t ALTER COLUMN x TYPE bigint';";
    project
        .migration(
            "002_hidden",
            &format!(
                "CREATE SCHEMA hidden;\nCREATE TABLE hidden.t (x int);\nCREATE INDEX t_x ON hidden.t (x);\n{function}"
            ),
            "",
        )
        .migration("003_role", "SET LOCAL ROLE pg_read_all_settings;\nSELECT public.widen();", "");
    expect![[r#"
        exit 0
        --- stdout
        would apply 002_hidden
            no one waits for an existing relation
        would apply 003_role
            statement 2: AccessExclusiveLock on hidden.t, rewritten, scanned: reads and writes wait (N ms)
            statement 2: AccessExclusiveLock on hidden.t_x, rewritten: reads and writes wait (N ms)
        plan digest: CHECKSUM
        --- stderr
        warning: db/migrations/003_role.sql:2:1: after this `SET ROLE`, dbmate records the migration as that role [M055]; help: end the block with `RESET ROLE` or `RESET SESSION AUTHORIZATION`
        seen on an empty copy of the schema on PostgreSQL X with real data, the same locks are held longer
    "#]].assert_eq(&project.trace(&[]));
}
