//! What a run on scratch databases makes beside them, where all databases of a server see it: it is the run's own, and gone afterwards.

use migrator_postgres::TemporaryServer;

use crate::support::{Project, query_at, query_on, server};

/// Everything that databases share, as one text; what holds by default is the same whether it is said or not.
const SHARED: &str = "SELECT 'role', r.rolname, to_jsonb(r) - 'oid' || jsonb_build_object('rolvaliduntil', coalesce(rolvaliduntil, 'infinity')) FROM pg_authid r \
    UNION ALL SELECT 'setting', setrole::regrole || ' ' || setdatabase, to_jsonb(setconfig) FROM pg_db_role_setting \
    UNION ALL SELECT 'member', roleid::regrole || ' ' || member::regrole, to_jsonb(admin_option) FROM pg_auth_members \
    UNION ALL SELECT 'comment', classoid::regclass || ' ' || objoid, to_jsonb(description) FROM pg_shdescription WHERE objoid >= 16384 \
    UNION ALL SELECT 'tablespace', spcname, to_jsonb(coalesce(spcacl, acldefault('t', spcowner))) FROM pg_tablespace \
    UNION ALL SELECT 'database', datname, (SELECT jsonb_agg(x ORDER BY x.grantee, x.privilege_type) FROM aclexplode(coalesce(datacl, acldefault('d', datdba))) x) FROM pg_database \
    UNION ALL SELECT 'slot', slot_name, NULL FROM pg_replication_slots \
    UNION ALL SELECT 'origin', roname, NULL FROM pg_replication_origin \
    UNION ALL SELECT 'subscription', subname, NULL FROM pg_subscription \
    UNION ALL SELECT 'file', name, to_jsonb(setting) FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf' \
    ORDER BY 1, 2, 3";

/// Runs `verify` on a server of its own and asserts that all holds and that what databases share is as before.
#[track_caller]
fn check(server: &TemporaryServer, project: &Project) {
    let url = server.url("postgres");
    let before = query_at(&url, SHARED);
    let output = project.run_with(&["verify"], &[("DATABASE_URL", &url)]);
    assert!(
        output.starts_with("exit 0\n") && output.contains("\neverything else passed; not checked: release, schema\n"),
        "{output}"
    );
    assert!(!output.contains("left behind"), "{output}");
    let after = query_at(&url, SHARED);
    let only = |these: &str, others: &str| -> Vec<String> {
        these.lines().filter(|line| !others.lines().any(|other| other == *line)).map(str::to_owned).collect()
    };
    assert_eq!((only(&before, &after), only(&after, &before)), (Vec::new(), Vec::new()), "{output}");
}

#[test]
fn roles_that_a_migration_makes_are_the_runs_own_and_gone_afterwards() {
    let server = TemporaryServer::start().unwrap();
    let project = Project::new();
    project
        .tables(20)
        .migration("021_plain", "CREATE ROLE plain;\nCOMMENT ON ROLE plain IS 'reads';", "DROP ROLE plain;")
        .migration("022_kept", "CREATE ROLE kept LOGIN;\nGRANT SELECT ON t1 TO kept;\nALTER ROLE kept SET work_mem = '5MB';", "")
        .migration(
            "023_guarded",
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'guarded') THEN CREATE ROLE guarded; END IF; END $$;\n\
             GRANT kept TO guarded WITH ADMIN OPTION;\nALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO guarded;",
            "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM guarded;\nREVOKE kept FROM guarded;",
        )
        .migration("024_owner", "CREATE SCHEMA o AUTHORIZATION guarded;\nCREATE TABLE o.t ();\nALTER TABLE o.t OWNER TO guarded;", "DROP SCHEMA o CASCADE;")
        .file("seeds/test.sql", "INSERT INTO t1 SELECT 1 WHERE pg_has_role('guarded', 'kept', 'MEMBER');\n");
    check(&server, &project);
}

#[test]
fn what_a_migration_changes_beside_its_database_is_as_it_was() {
    let server = TemporaryServer::start().unwrap();
    let url = server.url("postgres");
    query_at(
        &url,
        "CREATE ROLE app PASSWORD 'old' CONNECTION LIMIT 3; ALTER ROLE app SET search_path = a, \"B c\"; COMMENT ON ROLE app IS 'old';\
         CREATE ROLE legacy NOINHERIT PASSWORD 'gone'; ALTER ROLE legacy SET my.list = 'x, y'; CREATE ROLE team; GRANT team TO app, legacy",
    );
    let project = Project::new();
    project
        .migration(
            "001_roles",
            "ALTER ROLE app PASSWORD 'new' LOGIN VALID UNTIL '2030-01-01';\nALTER ROLE app SET search_path = z;\nALTER ROLE app SET jit = off;\n\
             COMMENT ON ROLE app IS 'new';\nDROP ROLE IF EXISTS legacy;\nREVOKE team FROM app;\nGRANT pg_read_all_data TO app;\n\
             ALTER ROLE ALL SET geqo = off;\nGRANT CREATE ON TABLESPACE pg_default TO app;\nGRANT SET ON PARAMETER log_duration TO app;\n\
             REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;\nALTER DATABASE postgres SET enable_sort = off;\n\
             SELECT pg_replication_origin_create('upstream') WHERE NOT EXISTS (SELECT FROM pg_replication_origin);",
            "",
        )
        .file(
            "migrations/002_alone.sql",
            "-- migrate:up transaction:false\nALTER SYSTEM SET work_mem = '7MB';\n-- migrate:down transaction:false\nALTER SYSTEM RESET work_mem;\n",
        )
        .file(
            "migrations/003_more.sql",
            "-- migrate:up transaction:false\nCREATE DATABASE other;\nSET allow_in_place_tablespaces = on;\nCREATE TABLESPACE fast LOCATION '';\n\
             -- migrate:down transaction:false\nDROP TABLESPACE fast;\nDROP DATABASE other;\n",
        );
    check(&server, &project);
}

#[test]
fn what_keeps_a_database_from_being_dropped_is_ended() {
    let server = TemporaryServer::builder().setting("wal_level", "logical").start().unwrap();
    let project = Project::new();
    project
        .tables(2)
        .migration(
            "003_s",
            "CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false);",
            "ALTER SUBSCRIPTION s SET (slot_name = NONE);\nDROP SUBSCRIPTION s;",
        )
        .migration(
            "004_t",
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I IS_TEMPLATE true', current_database()); END $$;",
            "",
        )
        .file(
            "migrations/005_slot.sql",
            "-- migrate:up transaction:false\nSELECT pg_create_logical_replication_slot('feed', 'test_decoding');\n\
             -- migrate:down transaction:false\nSELECT pg_drop_replication_slot('feed');\n",
        );
    check(&server, &project);
}

#[test]
fn a_role_that_others_make_meanwhile_is_not_taken_for_the_runs_own() {
    let server = TemporaryServer::start().unwrap();
    let url = server.url("postgres");
    let project = Project::new();
    // Somebody else works on the server: played by a migration whose text does not say the name.
    let other = "DO $$ BEGIN EXECUTE 'CREATE ROLE some' || 'body' || (SELECT count(*) FROM pg_roles); END $$;";
    project.migration("001_other", other, "").migration("002_own", "CREATE ROLE own_role;", "");
    let output = project.run_with(&["verify"], &[("DATABASE_URL", &url)]);
    assert!(output.starts_with("exit 0\n"), "{output}");
    let left = "SELECT count(*) FILTER (WHERE rolname = 'own_role'), count(*) > 0 FROM pg_roles WHERE oid >= 16384 AND rolname ~ '^(own|some)'";
    assert_eq!(query_at(&url, left), "0|t\n");
    // On a server that is there for the run alone, everything that is new is the run's own.
    query_at(
        &url,
        "DO $$ DECLARE r text; BEGIN FOR r IN SELECT rolname FROM pg_roles WHERE rolname ~ '^some' LOOP EXECUTE 'DROP ROLE ' || r; END LOOP; END $$",
    );
    let directory = server.data_directory().display().to_string();
    let variables = [("DATABASE_URL", url.as_str()), ("DIR_MIGRATOR_OWN_DATA_DIRECTORY", &directory)];
    let output = project.run_with(&["verify"], &variables);
    assert!(output.starts_with("exit 0\n"), "{output}");
    assert_eq!(query_at(&url, "SELECT count(*) FROM pg_roles WHERE oid >= 16384"), "0\n");
}

#[test]
fn a_role_of_a_question_that_fails_is_not_in_the_way_of_the_next() {
    let server = TemporaryServer::start().unwrap();
    let project = Project::new();
    project.migration("001_role", "CREATE ROLE early;", "").migration("002_broken", "SELECT 1 / 0;", "");
    let output = project.run_with(&["verify"], &[("DATABASE_URL", &server.url("postgres"))]);
    assert!(output.contains("division by zero") && !output.contains("already exists"), "{output}");
    assert_eq!(query_at(&server.url("postgres"), "SELECT count(*) FROM pg_roles WHERE rolname = 'early'"), "0\n");
}

#[test]
fn roles_of_the_copy_that_locks_are_traced_on_are_gone_afterwards() {
    let project = Project::new();
    let role = format!("{}_reader", project.database());
    project.tables(1).run(&["up"]);
    project.migration("002_role", &format!("CREATE ROLE {role};\nGRANT SELECT ON t1 TO {role};"), "");
    let scratch = server().url("postgres");
    for _ in 0..2 {
        let output = project.run(&["plan", "--locks", "--scratch-url", &scratch]);
        assert!(output.starts_with("exit 0\n") && output.contains("would apply 002_role"), "{output}");
    }
    assert_eq!(query_on("postgres", &format!("SELECT count(*) FROM pg_roles WHERE rolname = '{role}'")), "0\n");
}

/// Plants, in a schema that is first in everybody's path, every operator on the types that a catalog question compares, casts or joins,
/// and types and relations of the names that it uses; whoever calls one of them fails.
const PLANTED: &str = "CREATE SCHEMA evil; GRANT ALL ON SCHEMA evil TO PUBLIC;
    DO $$ DECLARE l text; r text; o text; n int := 0; result text; BEGIN
        FOREACH l IN ARRAY ARRAY['oid', 'name', 'text', '\"char\"', 'int4', 'int8', 'xid', 'regclass', 'varchar', 'jsonb', 'regnamespace', 'float8'] LOOP
            FOREACH r IN ARRAY ARRAY['oid', 'name', 'text', '\"char\"', 'int4', 'int8', 'xid', 'regclass', 'varchar', 'jsonb', 'regnamespace', 'float8'] LOOP
                FOREACH o IN ARRAY ARRAY['=', '<>', '<', '>', '<=', '>=', '||', '~', '!~', '+', '-', '*', '/', '&', '->>', '~~', '?'] LOOP
                    n := n + 1;
                    result := CASE WHEN o IN ('||', '->>') THEN 'text' WHEN o IN ('+', '-', '*', '/', '&') THEN 'int8' ELSE 'bool' END;
                    EXECUTE format('CREATE FUNCTION evil.f%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION USING MESSAGE = %L; END $f$',
                        n, l, r, result, concat_ws(' ', 'planted', l, o, r));
                    EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.f%s)', o, l, r, n);
                END LOOP;
            END LOOP;
        END LOOP;
    END $$;
    CREATE DOMAIN evil.text AS pg_catalog.text CHECK (false); CREATE DOMAIN evil.oid AS pg_catalog.oid CHECK (false);
    CREATE DOMAIN evil.regclass AS pg_catalog.regclass CHECK (false); CREATE DOMAIN evil.name AS pg_catalog.name CHECK (false);
    CREATE TABLE evil.pg_class (oid int); CREATE TABLE evil.pg_roles (oid int); CREATE TABLE evil.pg_database (oid int)";

#[test]
fn no_question_of_verify_or_of_the_tracer_depends_on_the_search_path() {
    let server = TemporaryServer::start().unwrap();
    let url = server.url("postgres");
    // Every scratch database is a copy of it, and the sessions beside them are in the other one.
    query_at(&server.url("template1"), PLANTED);
    query_at(&url, PLANTED);
    query_at(
        &url,
        "CREATE ROLE planted SUPERUSER LOGIN; ALTER ROLE planted SET search_path = evil, public, pg_catalog",
    );
    let project = Project::new();
    project
        .tables(20)
        .migration(
            "021_more",
            "ALTER TABLE t1 ADD COLUMN more int NOT NULL DEFAULT 1;\nALTER TABLE t1 ALTER COLUMN id TYPE bigint;\n\
             CREATE INDEX t1_id ON t1 (id);\nCREATE ROLE made;",
            "ALTER TABLE t1 DROP COLUMN more, ALTER COLUMN id TYPE int;\nDROP INDEX t1_id;\nDROP ROLE made;",
        )
        .file(
            "migrations/022_index.sql",
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY t2_id ON t2 (id);\nREINDEX INDEX CONCURRENTLY t2_id;\n\n\
             -- migrate:down transaction:false\nDROP INDEX CONCURRENTLY t2_id;\n",
        )
        .migration("023_broken", "CREATE TABLE b ();", "ALTER TABLE b RENAME TO c;");
    let planted = url.replace("postgres@", "planted@").replace("postgres:", "planted:");
    assert_eq!(query_at(&planted, "SHOW search_path"), "evil, public, pg_catalog\n");
    let output = project.run_with(&["verify"], &[("DATABASE_URL", &planted)]);
    assert!(output.contains("22 of 23 rollbacks restore the schema exactly"), "{output}");
    assert!(output.contains("2 of 13 checks failed") && !output.contains("planted "), "{output}");
}
