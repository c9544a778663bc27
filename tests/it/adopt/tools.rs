//! Every tool's own table, as it creates it, with the rows that it writes.

use expect_test::{Expect, expect};

use super::{ends, is_adopted, migrated};
use crate::support::Project;

/// A tool, its table, what it calls three migrations of which it has applied all, and a row that is not in order with what is said of it.
struct Case {
    tool: &'static str,
    sources: [&'static str; 3],
    table: &'static str,
    rows: &'static str,
    spoilt: (&'static str, u8, &'static str),
}

const FLYWAY: &str = "CREATE TABLE flyway_schema_history (installed_rank integer PRIMARY KEY, version varchar(50), description varchar(200) NOT NULL, \
    type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum integer, installed_by varchar(100) NOT NULL, \
    installed_on timestamp NOT NULL DEFAULT now(), execution_time integer NOT NULL, success boolean NOT NULL)";

const CASES: &[Case] = &[
    Case {
        tool: "sqlx",
        sources: ["10", "20", "30"],
        table: "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, installed_on timestamptz NOT NULL DEFAULT now(), \
                success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL)",
        rows: "INSERT INTO _sqlx_migrations VALUES (10, 'a', now(), true, '\\x11', 1), (20, 'b', now(), true, '\\x22', 1), (30, 'c', now(), true, '\\x33', 1)",
        spoilt: ("UPDATE _sqlx_migrations SET success = false WHERE version = 30", 8, "`30` (c) was not finished"),
    },
    Case {
        tool: "refinery",
        sources: ["1", "2", "3"],
        table: "CREATE TABLE refinery_schema_history (version int4 PRIMARY KEY, name varchar(255), applied_on varchar(255), checksum varchar(255))",
        rows: "INSERT INTO refinery_schema_history VALUES (1, 'a', '', '11'), (2, 'b', '', '22'), (3, 'c', '', '33')",
        spoilt: (
            "UPDATE refinery_schema_history SET checksum = '-1' WHERE version = 2",
            4,
            "`2.sql` is not what refinery has applied as `2` (b): the checksum in its history is `-1`, that of the file `22`",
        ),
    },
    Case {
        tool: "flyway",
        sources: ["1", "1.1", "2"],
        table: FLYWAY,
        rows: "INSERT INTO flyway_schema_history VALUES (0, NULL, '<< Flyway Schema Creation >>', 'SCHEMA', 'x', NULL, 'me', now(), 0, true), \
               (1, '1', 'a', 'SQL', 'V1__a.sql', 11, 'me', now(), 1, true), (2, '1.1', 'b', 'SQL', 'V1.1__b.sql', 22, 'me', now(), 1, true), \
               (3, '2', 'c', 'SQL', 'V2__c.sql', 33, 'me', now(), 1, true)",
        spoilt: ("UPDATE flyway_schema_history SET success = false WHERE version = '2'", 8, "`2` (c) has failed"),
    },
    Case {
        tool: "liquibase",
        sources: ["a.sql::1::me", "b.sql::1::me", "b.sql::2::you"],
        table: "CREATE TABLE databasechangelog (id varchar(255) NOT NULL, author varchar(255) NOT NULL, filename varchar(255) NOT NULL, \
                dateexecuted timestamp NOT NULL, orderexecuted integer NOT NULL, exectype varchar(10) NOT NULL, md5sum varchar(35), \
                description varchar(255), comments varchar(255), tag varchar(255), liquibase varchar(20), contexts varchar(255), labels varchar(255), \
                deployment_id varchar(10)); CREATE TABLE databasechangeloglock (id integer PRIMARY KEY, locked boolean NOT NULL, \
                lockgranted timestamp, lockedby varchar(255))",
        rows: "INSERT INTO databasechangelog VALUES ('1', 'me', 'db/a.sql', now(), 1, 'EXECUTED', '9:x'), \
               ('1', 'me', 'db/b.sql', now(), 2, 'MARK_RAN', '9:x'), ('2', 'you', 'db/b.sql', now(), 3, 'RERAN', '9:x')",
        spoilt: (
            "UPDATE databasechangelog SET exectype = 'FAILED' WHERE orderexecuted = 2",
            8,
            "`db/b.sql::1::me` has failed",
        ),
    },
    Case {
        tool: "diesel",
        sources: ["00000000000000", "20220101000000", "20220102000000"],
        table: "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, run_on timestamp NOT NULL DEFAULT now())",
        rows: "INSERT INTO __diesel_schema_migrations VALUES ('00000000000000'), ('20220101000000'), ('20220102000000')",
        spoilt: ("INSERT INTO __diesel_schema_migrations VALUES ('7')", 4, "no migration explains `7`"),
    },
    Case {
        tool: "goose",
        sources: ["1", "2", "3"],
        table: "CREATE TABLE goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL, is_applied boolean NOT NULL, tstamp timestamp NULL DEFAULT now())",
        rows: "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true), (2, false), (2, true), (3, true)",
        spoilt: (
            "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9, true)",
            4,
            "no migration explains `9`",
        ),
    },
    Case {
        tool: "tern",
        sources: ["1", "2", "3"],
        table: "CREATE TABLE schema_version (version int4 NOT NULL)",
        rows: "INSERT INTO schema_version VALUES (3)",
        spoilt: ("INSERT INTO schema_version VALUES (2)", 8, "has 2 rows instead of one"),
    },
    Case {
        tool: "graphile-migrate",
        sources: ["000001.sql", "000002-b.sql", "000003.sql"],
        table: "CREATE SCHEMA graphile_migrate; CREATE TABLE graphile_migrate.migrations (hash text PRIMARY KEY, \
                previous_hash text REFERENCES graphile_migrate.migrations, filename text NOT NULL, date timestamptz NOT NULL DEFAULT now()); \
                CREATE TABLE graphile_migrate.current (filename text PRIMARY KEY DEFAULT 'current.sql', content text NOT NULL, date timestamptz NOT NULL DEFAULT now())",
        rows: "INSERT INTO graphile_migrate.migrations VALUES ('11', NULL, '000001.sql'), ('22', '11', '000002-b.sql'), ('33', '22', '000003.sql')",
        spoilt: (
            "UPDATE graphile_migrate.migrations SET hash = 'sha1:x' WHERE hash = '33'",
            4,
            "the checksum in its history is `sha1:x`, that of the file `33`",
        ),
    },
    Case {
        tool: "node-pg-migrate",
        sources: ["1700000000000_a", "1700000000001_b", "1700000000002_c"],
        table: "CREATE TABLE pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL)",
        rows: "INSERT INTO pgmigrations (name, run_on) VALUES ('1700000000000_a', now()), ('1700000000001_b', now()), ('1700000000002_c', now())",
        spoilt: ("UPDATE pgmigrations SET name = 'x' WHERE id = 3", 4, "no migration explains `x`"),
    },
    Case {
        tool: "sql-migrate",
        sources: ["1_a.sql", "2_b.sql", "3_c.sql"],
        table: "CREATE TABLE gorp_migrations (id text PRIMARY KEY, applied_at timestamptz)",
        rows: "INSERT INTO gorp_migrations VALUES ('1_a.sql', now()), ('2_b.sql', now()), ('3_c.sql', now())",
        spoilt: (
            "UPDATE gorp_migrations SET id = '3_x.sql' WHERE id = '3_c.sql'",
            4,
            "no migration explains `3_x.sql`",
        ),
    },
    Case {
        tool: "prisma",
        sources: ["2020_a", "2021_b", "2022_c"],
        table: "CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz, \
                migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(), \
                applied_steps_count integer NOT NULL DEFAULT 0)",
        rows: "INSERT INTO _prisma_migrations VALUES ('1', '11', now(), '2020_a', NULL, NULL, '2026-01-01', 1), \
               ('2', '22', NULL, '2021_b', 'error', now(), '2026-01-02', 0), ('3', '22', now(), '2021_b', NULL, NULL, '2026-01-03', 1), \
               ('4', '33', now(), '2022_c', NULL, NULL, '2026-01-04', 1)",
        spoilt: ("UPDATE _prisma_migrations SET finished_at = NULL WHERE id = '4'", 8, "`2022_c` was not finished"),
    },
    Case {
        tool: "supabase",
        sources: ["20220101000000", "20220102000000", "20220103000000"],
        table: "CREATE SCHEMA supabase_migrations; CREATE TABLE supabase_migrations.schema_migrations (version text PRIMARY KEY, statements text[], name text); \
                CREATE TABLE supabase_migrations.seed_files (path text PRIMARY KEY, hash text NOT NULL)",
        rows: "INSERT INTO supabase_migrations.schema_migrations VALUES ('20220101000000', '{}', 'a'), ('20220102000000', '{}', 'b'), ('20220103000000', '{}', 'c')",
        spoilt: (
            "INSERT INTO supabase_migrations.schema_migrations VALUES ('20990101000000', '{}', 'z')",
            4,
            "no migration explains `20990101000000`",
        ),
    },
    Case {
        tool: "alembic",
        sources: ["ae1027a6acf", "1975ea83b712", "b4c5d6"],
        table: "CREATE TABLE alembic_version (version_num varchar(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY)",
        rows: "INSERT INTO alembic_version VALUES ('b4c5d6')",
        spoilt: ("INSERT INTO alembic_version VALUES ('1975ea83b712')", 8, "has 2 rows instead of one"),
    },
];

#[test]
fn every_tool_is_adopted_and_what_is_not_in_order_is_refused() {
    for Case { tool, sources, table, rows, spoilt: (change, code, said) } in CASES {
        // A copy of the database that is in order, for its facts.
        let project = Project::new();
        project.tables(3);
        ends(&project, "up", 0);
        let facts = project.command(&["drift", "--facts"]).output().unwrap().stdout;
        let project = migrated(tool, sources, &format!("{table}; {rows}"));
        project.file(&format!("schema.facts.{}", crate::dump::major()), &String::from_utf8(facts).unwrap());

        let refused = migrated(tool, sources, &format!("{table}; {rows}; {change}"));
        let output = ends(&refused, &format!("adopt {tool}"), *code);
        assert!(output.contains(said) && output.contains("= help: "), "{tool}: {output}");
        assert_eq!(refused.query("SELECT to_regclass('schema_migrations') IS NULL"), "t\n", "{tool}");

        // `up` says what to do, before anything is run twice.
        let output = ends(&project, "up", 4);
        assert!(output.contains(&format!("`migrator adopt {tool}`")), "{tool}: {output}");
        let output = ends(&project, &format!("adopt {tool} --verify"), 0);
        assert!(output.contains("3 without running: 001_t1, 002_t2, 003_t3\n"), "{tool}: {output}");
        is_adopted(&project, tool);
        assert!(ends(&project, "drift", 0).contains("no drift"), "{tool}");
        // What is added later is ours alone.
        project.migration("004_t4", "CREATE TABLE t4 (id int);", "DROP TABLE t4;");
        assert!(ends(&project, "up", 0).contains("applied 1 migration in"), "{tool}");
        is_adopted(&project, tool);
        assert!(ends(&project, "down --steps 2 --yes", 0).contains("rolled back 003_t3"), "{tool}");
    }
}

#[track_caller]
fn says(tool: &str, sources: &[&str], history: &str, expected: Expect) {
    expected.assert_eq(&migrated(tool, sources, history).run(&["adopt", tool]));
}

#[test]
fn flyway_begins_with_a_baseline_and_has_repeatables() {
    let project = migrated(
        "flyway",
        &["1", "2", "3"],
        &format!(
            "{FLYWAY}; INSERT INTO flyway_schema_history VALUES (1, '2', '<< Flyway Baseline >>', 'BASELINE', '<< Flyway Baseline >>', NULL, 'me', now(), 0, true), \
             (2, NULL, 'old views', 'SQL', 'R__old_views.sql', 5, 'me', now(), 1, true), (3, NULL, 'my views', 'SQL', 'R__my_views.sql', 7, 'me', now(), 1, true)"
        ),
    );
    project.file("repeatable/my_views.sql", "CREATE OR REPLACE VIEW mine AS SELECT id FROM t1;\n");
    project.file("repeatable/old.sql", "CREATE OR REPLACE VIEW older AS SELECT id FROM t1;\n");
    let map = std::fs::read_to_string(project.db().join("imported.toml")).unwrap();
    let mut map = super::Map(map);
    map.repeatable("my_views", "my views", "R__my_views.sql", "7").repeatable(
        "old",
        "old views",
        "R__old_views.sql",
        "6",
    );
    map.write(&project);
    expect![[r#"
        exit 0
        --- stdout
        would adopt from `public.flyway_schema_history` of Flyway: 2 without running: 001_t1, 002_t2; the repeatable my_views
        1 checksum agrees with the imported file
        `up` will apply repeatables that Flyway has applied with another content: old
        pending: 003_t3
    "#]].assert_eq(&project.run(&["adopt", "flyway", "--dry-run"]));
    expect![[r#"
        exit 0
        --- stdout
        adopted from `public.flyway_schema_history` of Flyway: 2 without running: 001_t1, 002_t2; the repeatable my_views
        1 checksum agrees with the imported file
        `up` will apply repeatables that Flyway has applied with another content: old
        pending: 003_t3
        `public.flyway_schema_history` was left as it is; to go back: DROP TABLE "public"."schema_migrations", "public"."schema_migration_events";
        Next: `migrator drift` compares the schema with the compiled one.
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]].assert_eq(&project.run(&["adopt", "flyway"]));
    expect![[r#"
        exit 0
        --- stdout
        nothing to adopt: our history has all 2 of `public.flyway_schema_history` already
        `up` will apply repeatables that Flyway has applied with another content: old
        pending: 003_t3
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["adopt", "flyway"]));
    expect![[r#"
        exit 0
        --- stdout
        would apply 003_t3
        would apply repeatable my_views
        would apply repeatable old
        plan digest: CHECKSUM
    "#]]
    .assert_eq(&project.run(&["plan"]));
}

#[test]
fn what_was_left_out_stays_out_of_order() {
    let rows = "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, run_on timestamp NOT NULL DEFAULT now()); \
                INSERT INTO __diesel_schema_migrations VALUES ('1'), ('3')";
    says(
        "diesel",
        &["1", "2", "3"],
        rows,
        expect![[r#"
            exit 0
            --- stdout
            adopted from `public.__diesel_schema_migrations` of diesel: 2 without running: 001_t1, 003_t3
            out of order: 002_t2 (not applied by diesel, which has applied later ones: run `up --allow-out-of-order`, or record with `stamp` what is in the database)
            `public.__diesel_schema_migrations` was left as it is; to go back: DROP TABLE "public"."schema_migrations", "public"."schema_migration_events";
            Next: `migrator drift` compares the schema with the compiled one.
            --- stderr
            SERVER · database DB · user postgres · PostgreSQL X
        "#]],
    );
}

#[test]
fn without_a_map_equal_versions_are_the_same() {
    let project = Project::new();
    project.tables(2).query(
        "CREATE TABLE goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL, is_applied boolean NOT NULL); \
         INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true)",
    );
    expect![[r#"
        exit 0
        --- stdout
        adopted from `public.goose_db_version` of goose: 2 without running: 001_t1, 002_t2
        `public.goose_db_version` was left as it is; to go back: DROP TABLE "public"."schema_migrations", "public"."schema_migration_events";
        Next: `migrator drift` compares the schema with the compiled one.
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]].assert_eq(&project.run(&["adopt", "goose"]));
    is_adopted(&project, "goose");
    project.query("CREATE TABLE gorp_migrations (id text PRIMARY KEY, applied_at timestamptz)");
    expect![[r#"
        exit 2
        --- stderr
        error: sql-migrate does not record versions, and this binary does not know what it calls these migrations
          = help: run `cargo xtask import sql-migrate`, which writes db/imported.toml, and build
    "#]]
    .assert_eq(&project.run(&["adopt", "sql-migrate"]));
    expect![[r#"
        exit 2
        --- stderr
        error: invalid value 'plain' for '<TOOL>'
          [possible values: dbmate, sqlx, refinery, flyway, liquibase, diesel, golang-migrate, goose, tern, graphile-migrate, node-pg-migrate, sql-migrate, prisma, supabase, alembic]

        For more information, try '--help'.
    "#]]
    .assert_eq(&project.run(&["adopt", "plain"]));
    expect![[r#"
        exit 2
        --- stderr
        error: invalid value 'sqlix' for '<TOOL>'
          [possible values: dbmate, sqlx, refinery, flyway, liquibase, diesel, golang-migrate, goose, tern, graphile-migrate, node-pg-migrate, sql-migrate, prisma, supabase, alembic]

          tip: a similar value exists: 'sqlx'

        For more information, try '--help'.
    "#]].assert_eq(&project.run(&["adopt", "sqlix"]));
}

#[test]
fn several_obstacles_are_named_together() {
    let rows = format!(
        "{FLYWAY}; INSERT INTO flyway_schema_history VALUES (1, '1', 'a', 'SQL', 'V1__a.sql', 1, 'me', now(), 1, true), \
         (2, '2', 'b', 'SQL', 'V2__b.sql', 2, 'me', now(), 1, true), (3, '9', 'code', 'JDBC', 'db.migration.V9', NULL, 'me', now(), 1, true)"
    );
    says(
        "flyway",
        &["1", "2", "3"],
        &rows,
        expect![[r#"
        exit 4
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: cannot adopt `public.flyway_schema_history`: 3 rows are in the way
          = note: `1.sql` is not what Flyway has applied as `1` (a): the checksum in its history is `1`, that of the file `11`
          = note: `2.sql` is not what Flyway has applied as `2` (b): the checksum in its history is `2`, that of the file `22`
          = note: no migration explains `9` (code) in the history of Flyway
          = help: restore the file that was applied and import it; if the difference changes nothing, add the history's checksum to `checksums` in db/imported.toml, and build
          = help: import the newest files of Flyway with `cargo xtask import flyway`; what was code and not SQL, write as a migration and add it to db/imported.toml
    "#]],
    );
}
