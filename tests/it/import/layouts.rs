//! A small directory of every tool, with what is odd in it: what becomes of it, word for word.

use expect_test::{ExpectFile, expect_file};

use super::Import;

/// What is said, and every file of the db directory.
#[track_caller]
fn check(tool: &str, files: &[(&str, &str)], expect: ExpectFile) {
    let import = Import::with_database(files);
    let mut shown = import.run(tool, &[]);
    assert!(shown.starts_with("exit 0"), "{shown}");
    for (path, text) in super::tree(&import.project.db()) {
        shown.push_str(&format!("=== {path}\n{text}"));
    }
    let read = migrator_build::load(&import.project.db());
    assert!(read.is_ok(), "{}", read.unwrap_err());
    expect.assert_eq(&shown);
    let up = import.project.run(&["up", "--quiet"]);
    assert!(up.starts_with("exit 0"), "{up}");
}

const A: &str = "CREATE TABLE a (id int);\n";
const DROP_A: &str = "DROP TABLE a;\n";
const INDEX: &str = "CREATE INDEX CONCURRENTLY a_id ON a (id);\n";

#[test]
fn sqlx_with_pairs_single_files_and_one_without_a_transaction() {
    check(
        "sqlx",
        &[
            ("1_create_a.up.sql", A),
            ("1_create_a.down.sql", DROP_A),
            ("2_index.sql", &format!("-- no-transaction\n{INDEX}")),
            ("10_add.sql", "BEGIN;\nALTER TABLE a ADD b int;\nCOMMIT;\n"),
            ("3_lonely.down.sql", "SELECT 1;\n"),
            ("notes.sql", "SELECT 1;\n"),
            ("sub/1_x.sql", "SELECT 1;\n"),
            ("README.md", "x"),
        ],
        expect_file!["layouts/sqlx.txt"],
    );
}

#[test]
fn dbmate_with_options_that_it_passes_over() {
    check(
        "dbmate",
        &[
            (
                "2_b.sql",
                "-- the second\n-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n-- migrate:down\nDROP INDEX a_id;\n",
            ),
            (
                "10_a.sql",
                "SELECT 'never run';\n\n--migrate:up transaction:FALSE\nCREATE TABLE a (id int);\n-- Migrate:Down\n",
            ),
        ],
        expect_file!["layouts/dbmate.txt"],
    );
}

#[test]
fn refinery_in_folders() {
    check(
        "refinery",
        &[
            ("V1__create_a.sql", A),
            ("more/V10__drop_a.sql", DROP_A),
            ("V2__index.sql", "ALTER TABLE a ADD b int;"),
            ("mod.rs", ""),
        ],
        expect_file!["layouts/refinery.txt"],
    );
}

#[test]
fn flyway_with_undo_repeatables_and_script_configurations() {
    check(
        "flyway",
        &[
            ("V1__create_a.sql", A),
            ("V1.10__b.sql", "CREATE TABLE b (id int);\n"),
            ("V1_9__c.sql", "CREATE TABLE c (id int);\n"),
            ("U1.10__b.sql", "DROP TABLE b;\n"),
            ("sub/V2__index.sql", INDEX),
            ("sub/V2__index.sql.conf", "executeInTransaction=false\n"),
            ("R__z view.sql", "CREATE OR REPLACE VIEW z AS SELECT 1 AS a; -- ${unused}\n"),
            ("R__A_view.sql", "CREATE OR REPLACE VIEW y AS SELECT 1 AS a;\n"),
        ],
        expect_file!["layouts/flyway.txt"],
    );
}

#[test]
fn a_baseline_of_flyway_replaces_what_comes_before_it() {
    check(
        "flyway",
        &[
            ("V1__a.sql", A),
            ("V2__b.sql", "SELECT 2;\n"),
            ("B2__base.sql", A),
            ("V3__c.sql", "ALTER TABLE a ADD b int;\n"),
        ],
        expect_file!["layouts/flyway-baseline.txt"],
    );
}

#[test]
fn diesel_with_dashes_and_metadata() {
    check(
        "diesel",
        &[
            ("00000000000000_diesel_initial_setup/up.sql", "SELECT 1;\n"),
            ("00000000000000_diesel_initial_setup/down.sql", ""),
            ("2022-04-26-153628_create-a/up.sql", A),
            ("2022-04-26-153628_create-a/down.sql", DROP_A),
            ("2022-04-27-000000_index/up.sql", INDEX),
            ("2022-04-27-000000_index/metadata.toml", "# why\nrun_in_transaction = false\n"),
            ("2022-04-27-000000_index/notes.sql", "SELECT 1;\n"),
            (".diesel_lock", ""),
        ],
        expect_file!["layouts/diesel.txt"],
    );
}

#[test]
fn golang_migrate_with_gaps_and_without_downs() {
    check(
        "golang-migrate",
        &[
            ("000001_create_a.up.sql", A),
            ("000001_create_a.down.sql", "DROP TABLE IF EXISTS a\n"),
            ("000005_index.up.sql", INDEX),
            (
                "000007_two.up.sql",
                "BEGIN;\nALTER TABLE a ADD b int;\nCOMMIT;\nBEGIN;\nALTER TABLE a ADD c int;\nCOMMIT;\n",
            ),
            ("000007_two.down.sql", "BEGIN;\nALTER TABLE a DROP b, DROP c;\nROLLBACK;\n"),
        ],
        expect_file!["layouts/golang-migrate.txt"],
    );
}

#[test]
fn goose_with_statements_and_without_a_transaction() {
    check(
        "goose",
        &[
            (
                "00001_a.sql",
                "-- +goose Up\n-- +goose StatementBegin\nCREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1;\nEND\n$$\n\
                 -- +goose StatementEnd\nCREATE TABLE a (id int);\n\n-- +goose Down\nDROP TABLE a;\nDROP FUNCTION f;\n",
            ),
            (
                "00002_b.sql",
                "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n-- +goose Down\nDROP INDEX CONCURRENTLY a_id;\n",
            ),
            (
                "00003_c.sql",
                "-- +goose ENVSUB ON\n-- +goose up\nALTER TABLE a ADD b int; -- migrate:down is what dbmate says\n",
            ),
            ("migrations.go", "package migrations"),
            ("00003_c_test.go", "package migrations"),
        ],
        expect_file!["layouts/goose.txt"],
    );
}

#[test]
fn tern_with_its_dividers() {
    check(
        "tern",
        &[
            ("001_a.sql", "create table a (id int);\n---- create above / drop below ----\ndrop table a;\n"),
            (
                "002_b.sql",
                "---- tern: disable-tx ----\ncreate index concurrently a_id on a (id);\n---- create above / drop below ----\ndrop index a_id;\n",
            ),
            ("tern.conf", "[database]"),
        ],
        expect_file!["layouts/tern.txt"],
    );
}

#[test]
fn graphile_migrate_with_its_chain() {
    let committed =
        |previous: &str, hash: &str, more: &str| format!("--! Previous: {previous}\n--! Hash: sha1:{hash}\n{more}");
    check(
        "graphile-migrate",
        &[
            ("committed/000001.sql", &committed("-", "aa", "\n-- Enter migration here\ncreate table a (id int);\n")),
            (
                "committed/000002-add-b.sql",
                &committed("sha1:aa", "bb", "--! Message: add b\n\n--! split: 1.sql\nalter table a add b int;\n"),
            ),
            (
                "committed/000003.sql",
                &committed("sha1:bb", "cc", "\n--! no-transaction\ncreate index concurrently a_id on a (id);\n"),
            ),
            ("current.sql", "-- Enter migration here\n"),
            ("fixtures/f.sql", "select 1;\n"),
        ],
        expect_file!["layouts/graphile-migrate.txt"],
    );
}

#[test]
fn node_pg_migrate_by_moments() {
    check(
        "node-pg-migrate",
        &[
            (
                "1589353644505_b.sql",
                "-- Up Migration\nALTER TABLE a ADD b int;\n\n-- Down Migration\nALTER TABLE a DROP b;\n",
            ),
            ("20200513070724504_a.sql", "CREATE TABLE a (id int);\n"),
            (
                "1600000000000_c.sql",
                "---- down migration\nALTER TABLE a DROP c;\n--up migration\nALTER TABLE a ADD c int;\n",
            ),
        ],
        expect_file!["layouts/node-pg-migrate.txt"],
    );
}

#[test]
fn sql_migrate_by_number_and_then_by_name() {
    check(
        "sql-migrate",
        &[
            (
                "10_b.sql",
                "-- +migrate Up notransaction\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n-- +migrate Down notransaction\nDROP INDEX CONCURRENTLY a_id;\n",
            ),
            (
                "2_a.sql",
                "-- +migrate Up\nCREATE TABLE a (id int);\n-- +migrate StatementBegin\nDO $$ BEGIN NULL; END $$;\n-- +migrate StatementEnd\n-- +migrate Down\nDROP TABLE a;\n",
            ),
            ("last.sql", "-- +migrate Up\nALTER TABLE a ADD b int;\n-- +migrate Up\nALTER TABLE a ADD c int;\n"),
        ],
        expect_file!["layouts/sql-migrate.txt"],
    );
}

#[test]
fn prisma_with_its_lock_file() {
    check(
        "prisma",
        &[
            ("20200101000000_init/migration.sql", "-- CreateTable\nCREATE TABLE \"A\" (\"id\" int);\r\n"),
            ("20200102000000_more/migration.sql", "ALTER TABLE \"A\" ADD b int;\n"),
            ("20200102000000_more/down.sql", "ALTER TABLE \"A\" DROP b;\n"),
            ("migration_lock.toml", "provider = \"postgresql\"\n"),
        ],
        expect_file!["layouts/prisma.txt"],
    );
}

#[test]
fn supabase_by_name() {
    check(
        "supabase",
        &[
            ("20230101000000_remote_schema.sql", "SET statement_timeout = 0;\nCREATE TABLE public.a (id int);\n"),
            ("20230102000000_b.sql", "ALTER TABLE public.a ADD b int;\n"),
        ],
        expect_file!["layouts/supabase.txt"],
    );
}

#[test]
fn alembic_with_up_and_down_in_two_files() {
    check(
        "alembic",
        &[
            (
                "upgrade.sql",
                "BEGIN;\n\nCREATE TABLE alembic_version (\n    version_num VARCHAR(32) NOT NULL, \n    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)\n);\n\n\
                 -- Running upgrade  -> ae1027a6acf\n\nCREATE TABLE a (\n    id INTEGER\n);\n\nINSERT INTO alembic_version (version_num) VALUES ('ae1027a6acf') RETURNING alembic_version.version_num;\n\n\
                 -- Running upgrade ae1027a6acf -> 27c6a30d7c24\n\nALTER TABLE a ADD COLUMN b INTEGER;\n\nCOMMIT;\n\nCREATE INDEX CONCURRENTLY a_b ON a (b);\n\nBEGIN;\n\n\
                 UPDATE alembic_version SET version_num='27c6a30d7c24' WHERE alembic_version.version_num = 'ae1027a6acf';\n\nCOMMIT;\n\n",
            ),
            (
                "downgrade.sql",
                "BEGIN;\n\n-- Running downgrade 27c6a30d7c24 -> ae1027a6acf\n\nALTER TABLE a DROP COLUMN b;\n\nUPDATE alembic_version SET version_num='ae1027a6acf' WHERE \
                 alembic_version.version_num = '27c6a30d7c24';\n\n-- Running downgrade ae1027a6acf -> \n\nDROP TABLE a;\n\nDELETE FROM alembic_version WHERE alembic_version.version_num = 'ae1027a6acf';\n\n\
                 DROP TABLE alembic_version;\n\nCOMMIT;\n",
            ),
            ("versions/__init__.py", ""),
            ("env.py", ""),
        ],
        expect_file!["layouts/alembic.txt"],
    );
}

#[test]
fn plain_files_by_number() {
    check(
        "plain",
        &[
            ("1.0.0-init.sql", "\u{feff}CREATE TABLE a (id int);\n"),
            ("1.0.10.sql", "ALTER TABLE a ADD c int;\n"),
            ("v1.0.2 add b.sql", "ALTER TABLE a ADD b int;\n"),
            ("v1.0.2 add b.rollback.sql", "ALTER TABLE a DROP b;\n"),
        ],
        expect_file!["layouts/plain.txt"],
    );
}

#[test]
fn liquibase_by_its_changelog() {
    check(
        "liquibase",
        &[
            (
                "db.changelog-master.yaml",
                "databaseChangeLog:\n  - include:\n      file: db/changelog/b.sql\n  - includeAll:\n      path: more\n      relativeToChangelogFile: true\n",
            ),
            (
                "b.sql",
                "--liquibase formatted sql\n\n-- the first one\n--changeset alice:1 labels:x context:\"a or b\"\n--comment: it begins\n\
                 --preconditions onFail:MARK_RAN\n--precondition-sql-check expectedResult:0 SELECT count(*) FROM pg_class WHERE relname = 'a'\n\
                 CREATE TABLE a (id int);\n--rollback DROP TABLE a;\n\n--changeset bob:\"add index\" runInTransaction:false\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n\
                 /* liquibase rollback\nDROP INDEX a_id;\n*/\n\n--changeset bob:mysql dbms:mysql\nSELECT 1;\n",
            ),
            (
                "more/c.sql",
                "-- liquibase formatted sql logicalFilePath:old/c.sql\n-- changeset carol:f splitStatements:false endDelimiter:/ runOnChange:true\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'\n/\n--rollback empty\n",
            ),
            ("unused.sql", "--liquibase formatted sql\n--changeset x:1\nSELECT 1;\n"),
        ],
        expect_file!["layouts/liquibase.txt"],
    );
}

#[test]
fn alembic_in_files_whose_names_give_no_order() {
    let step = |from: &str, to: &str, sql: &str| {
        format!(
            "BEGIN;\n\n-- Running upgrade {from} -> {to}\n\n{sql}\n\nUPDATE alembic_version_app SET version_num='{to}';\n\nCOMMIT;\n"
        )
    };
    let (third, second) = (step("b2", "c3", "DROP TABLE b;"), step("a1", "b2", "CREATE TABLE b (id int);"));
    let first = format!(
        "CREATE TABLE alembic_version_app (version_num VARCHAR(32) NOT NULL);\n{}",
        step("", "a1", "SELECT 1;")
    );
    let import = Import::of(&[("add.sql", &third), ("base.sql", &second), ("init.sql", &first)]);
    let said = import.run("alembic", &[]);
    let order: Vec<&str> = said.lines().filter(|line| line.contains(" <- ")).collect();
    assert_eq!(
        order,
        ["migrations/001_a1.sql <- init.sql", "migrations/002_b2.sql <- base.sql", "migrations/003_c3.sql <- add.sql"]
    );
    assert!(
        !import.text("migrations/001_a1.sql").contains("alembic_version"),
        "{}",
        import.text("migrations/001_a1.sql")
    );
    let import = Import::of(&[("1.sql", &second), ("2.sql", &third)]);
    let said = import.run("alembic", &[]);
    assert!(said.contains("error: 1.sql:3: it upgrades from a1, which nothing here upgrades to\n"), "{said}");
}
