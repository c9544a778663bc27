//! What cannot be imported without a guess: named with file and line, and nothing is written.

use expect_test::{Expect, expect};

use super::{Import, tree};

#[track_caller]
pub(super) fn check(tool: &str, files: &[(&str, &str)], expect: Expect) {
    let import = Import::of(files);
    let said = import.run(tool, &[]);
    expect.assert_eq(&said);
    assert!(tree(&import.project.db()).is_empty());
}

#[test]
fn placeholders_templates_and_variables() {
    check(
        "flyway",
        &[
            ("V1__a.sql", "-- ${comment}\nCREATE ROLE ${role};\nSELECT '${x}', $${y}$$;\n"),
            ("R__b.sql", "SELECT ${b};\n"),
        ],
        expect![[r#"
            exit 1
            --- stderr
            error: R__b.sql:1: Flyway replaces `${b}` before it runs the file: say what it stands for with `--value b=...`
            error: V1__a.sql:2: Flyway replaces `${role}` before it runs the file: say what it stands for with `--value role=...`
            error: V1__a.sql:3: Flyway replaces `${x}` before it runs the file: say what it stands for with `--value x=...`; Flyway replaces `${y}` before it runs the file: say what it stands for with `--value y=...`
            error: nothing was imported: 3 errors
            help: change these files, or leave them out with `--skip FILE`
        "#]],
    );
    check(
        "tern",
        &[
            ("001_a.sql", "create table a (id int);\n{{ template \"shared/f.sql\" . }}\n"),
            ("shared/f.sql", "select 1;\n"),
        ],
        expect![[r#"
            exit 1
            --- stderr
            error: 001_a.sql:2: tern replaces `{{ template "shared/f.sql" . }}` before it runs the file: put there what it stands for
            error: nothing was imported: 1 error
            help: change these files, or leave them out with `--skip FILE`
        "#]],
    );
    check(
        "goose",
        &[("1_a.sql", "-- +goose Up\n-- +goose ENVSUB ON\nCREATE ROLE ${ROLE};\n-- +goose ENVSUB OFF\nSELECT '$x';\n")],
        expect![[r#"
            exit 1
            --- stderr
            error: 1_a.sql:3: goose puts variables of the environment into this line: write what they stand for
            error: nothing was imported: 1 error
            help: change these files, or leave them out with `--skip FILE`
        "#]],
    );
    check(
        "graphile-migrate",
        &[(
            "committed/000001.sql",
            "--! Previous: -\n--! Hash: sha1:aa\n\nGRANT CONNECT ON DATABASE :DATABASE_NAME TO \":DATABASE_OWNER\";\nSELECT 1::TEXT;\n",
        )],
        expect![[r#"
            exit 1
            --- stderr
            error: committed/000001.sql:4: Graphile Migrate replaces `:DATABASE_NAME` before it runs the file: say what it stands for with `--value DATABASE_NAME=...`; Graphile Migrate replaces `:DATABASE_OWNER` before it runs the file: say what it stands for with `--value DATABASE_OWNER=...`
            error: nothing was imported: 1 error
            help: change these files, or leave them out with `--skip FILE`
        "#]],
    );
    check(
        "liquibase",
        &[("a.sql", "--liquibase formatted sql\n--changeset a:1\nSELECT ${a};\n")],
        expect![[r#"
            exit 1
            --- stderr
            error: a.sql:3: Liquibase replaces `${a}` before it runs the file: say what it stands for with `--value a=...`
            error: nothing was imported: 1 error
            help: change these files, or leave them out with `--skip FILE`
        "#]],
    );
}

#[test]
fn a_placeholder_has_the_value_that_is_given() {
    let import = Import::of(&[
        ("V1__a.sql", "CREATE ROLE ${role};\nGRANT ${role} TO ${other};\n"),
        ("R__b.sql", "GRANT USAGE ON SCHEMA public TO ${role};\n"),
    ]);
    expect![[r#"
        exit 1
        --- stderr
        error: V1__a.sql:2: Flyway replaces `${other}` before it runs the file: say what it stands for with `--value other=...`
        error: nothing was imported: 1 error
        help: change these files, or leave them out with `--skip FILE`
    "#]].assert_eq(&import.run("flyway", &["--value", "role=app"]));
    expect![[r#"
        exit 2
        --- stderr
        error: `--value x=...`: no file has a placeholder `x`
    "#]]
    .assert_eq(&import.run("flyway", &["--value", "role=app", "--value", "other=\"me\"", "--value", "x=1"]));
    let files = import.files("flyway", &["--value", "role=app", "--value", "other=\"me\""]);
    expect![[r#"
        -- Imported from Flyway: V1__a.sql
        -- migrate:up
        CREATE ROLE app;
        GRANT app TO "me";

        -- migrate:down
        -- There is no down migration.
    "#]]
    .assert_eq(&files["migrations/1_a.sql"]);
    expect![[r#"
        -- Imported from Flyway: R__b.sql
        GRANT USAGE ON SCHEMA public TO app;
    "#]]
    .assert_eq(&files["repeatable/b.sql"]);
    // The checksum of the file, and that of what Flyway makes of it.
    assert_eq!(files["imported.toml"].matches(", \"").count(), 1, "{}", files["imported.toml"]);
    // What stands for itself stays.
    let import = Import::of(&[("001_a.sql", "create table {{.name}} (a text default '{{ .other }}');\n")]);
    let files = import.files("tern", &["--value", "name=t", "--value", "other={{ .other }}"]);
    assert!(files["migrations/001_a.sql"].contains("create table t (a text default '{{ .other }}');"));
}

#[test]
fn programs_callbacks_and_configurations() {
    check(
        "goose",
        &[("1_a.sql", "-- +goose Up\nSELECT 1;\n"), ("2_b.go", "package x")],
        expect![[r#"
        exit 1
        --- stderr
        error: 2_b.go: a migration of goose that is a program: write what it does as SQL, or leave it out with --skip
        error: nothing was imported: 1 error
        help: change these files, or leave them out with `--skip FILE`
    "#]],
    );
    check(
        "node-pg-migrate",
        &[("1_a.sql", "SELECT 1;\n"), ("2_b.js", ""), ("helper.js", "")],
        expect![[r#"
        exit 1
        --- stderr
        error: 2_b.js: a migration of node-pg-migrate that is a program: write what it does as SQL, or leave it out with --skip
        error: nothing was imported: 1 error
        help: change these files, or leave them out with `--skip FILE`
    "#]],
    );
    check(
        "flyway",
        &[
            ("V1__a.sql", "SELECT 1;\n"),
            ("V2__B.java", ""),
            ("beforeMigrate.sql", "SELECT 1;\n"),
            ("V1__a.sql.conf", "placeholderReplacement=false\n"),
        ],
        expect![[r#"
            exit 1
            --- stderr
            error: V1__a.sql.conf:1: `placeholderReplacement=false` changes how Flyway runs the file: leave the file out with --skip, or write what it says
            error: V2__B.java: a migration of Flyway that is a program: write what it does as SQL, or leave it out with --skip
            error: beforeMigrate.sql: Flyway runs it around its migrations, and nothing here does: put what it does into a migration or into repeatable/, then leave it out with --skip
            error: nothing was imported: 3 errors
            help: change these files, or leave them out with `--skip FILE`
        "#]],
    );
    check(
        "alembic",
        &[("ae10_a.py", ""), ("__init__.py", "")],
        expect![[r#"
            exit 1
            --- stderr
            error: ae10_a.py: a migration of Alembic that is a program: write what it does as SQL, or leave it out with --skip
            error: nothing was imported: 1 error
            help: change these files, or leave them out with `--skip FILE`
        "#]],
    );
}

#[test]
fn what_is_not_for_postgresql_or_is_not_there() {
    check(
        "prisma",
        &[
            ("1_a/migration.sql", "SELECT 1;\n"),
            ("migration_lock.toml", "\nprovider = \"mysql\"\n"),
            ("2_b/down.sql", ""),
        ],
        expect![[r#"
            exit 1
            --- stderr
            error: 2_b/: there is no `migration.sql` in it, which Prisma runs
            error: migration_lock.toml:2: these migrations are not for PostgreSQL
            error: nothing was imported: 2 errors
            help: change these files, or leave them out with `--skip FILE`
        "#]],
    );
    check(
        "liquibase",
        &[
            (
                "master.xml",
                "<databaseChangeLog>\n<include file=\"a.sql\"/>\n<include file=\"gone.sql\"/>\n<changeSet id=\"1\" author=\"a\"/>\n</databaseChangeLog>",
            ),
            ("a.sql", "--liquibase formatted sql\n--changeset a:1\nSELECT 1;\n"),
        ],
        expect![[r#"
            exit 1
            --- stderr
            error: master.xml:3: it includes `gone.sql`, which is not in this directory
            error: master.xml:4: a changeset that is not formatted SQL: put what it does into an SQL file
            error: nothing was imported: 2 errors
            help: change these files, or leave them out with `--skip FILE`
        "#]],
    );
}

#[test]
fn transactions_that_no_block_can_hold() {
    check(
        "golang-migrate",
        &[
            ("1_a.up.sql", "CREATE TABLE a (id int);\nROLLBACK;\n"),
            ("2_b.up.sql", "BEGIN;\nSELECT 1;\n"),
            ("3_c.up.sql", "LOCK a; BEGIN; SELECT 1; COMMIT;\n"),
        ],
        expect![[r#"
            exit 1
            --- stderr
            error: 1_a.up.sql:2: `ROLLBACK`: no block of ours can hold it
            error: 2_b.up.sql:1: `BEGIN`: it has no counterpart, or leaves statements that need a transaction outside of one
            error: 3_c.up.sql:1: `BEGIN`: it has no counterpart, or leaves statements that need a transaction outside of one
            error: nothing was imported: 3 errors
            help: change these files, or leave them out with `--skip FILE`
        "#]],
    );
}

#[test]
fn what_only_psql_understands() {
    check(
        "plain",
        &[
            (
                "1_dump.sql",
                "\\connect shop\nSET search_path = public;\nCREATE TABLE a (id int);\nCOPY a FROM stdin;\n1\n\\.\n",
            ),
            ("2_set.sql", "\\set n 1\nSELECT :n;\n"),
            ("seed.sql", "SELECT 1;\n"),
            ("old/3_x.sql", "SELECT 1;\n"),
        ],
        expect![[r#"
            exit 1
            --- stderr
            error: 1_dump.sql:1: `\connect` is a psql command, not SQL [M022]; help: write it as SQL, or remove it: the server does not know psql commands
            error: 1_dump.sql:4: `COPY ... FROM stdin` needs psql to send its data [M023]; help: write `INSERT` statements, or load the data with `psql`
            error: 2_set.sql:1: `\set` is a psql command, not SQL [M022]; help: write it as SQL, or remove it: the server does not know psql commands
            error: old/3_x.sql: it is in a sub-folder: nothing says when it runs; rename it, or leave it out with --skip
            error: seed.sql: no number says when it runs; rename it, or leave it out with --skip
            error: nothing was imported: 5 errors
            help: change these files, or leave them out with `--skip FILE`
        "#]],
    );
}

#[test]
fn what_the_tool_itself_would_refuse() {
    check(
        "sqlx",
        &[("1_a.sql", "SELECT 1;\n"), ("01_b.sql", "SELECT 1;\n"), ("2_c.sql", "SELECT 'a;\n")],
        expect![[r#"
            exit 1
            --- stderr
            error: 1_a.sql: the same version to sqlx as `01_b.sql`: `1`
            error: 2_c.sql:1: unterminated string [M021]; help: close it: the rest of the file is read as part of it
            error: nothing was imported: 2 errors
            help: change these files, or leave them out with `--skip FILE`
        "#]],
    );
    check(
        "goose",
        &[
            ("1_a.sql", "SELECT 1;\n"),
            ("2_b.sql", "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n-- +goose Down\n"),
        ],
        expect![[r#"
            exit 1
            --- stderr
            error: 1_a.sql: no line marks where it begins: goose refuses it too
            error: 2_b.sql:2: `StatementBegin` without its `StatementEnd`
            error: nothing was imported: 2 errors
            help: change these files, or leave them out with `--skip FILE`
        "#]],
    );
    check(
        "dbmate",
        &[("1_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:up\nSELECT 2;\n")],
        expect![[r#"
            exit 1
            --- stderr
            error: 1_a.sql:3: a second `-- migrate:up`: dbmate runs the two one by one, or refuses them
            error: nothing was imported: 1 error
            help: change these files, or leave them out with `--skip FILE`
        "#]],
    );
    check(
        "flyway",
        &[("V1__a.sql", "SELECT 1;\n"), ("V1.0__b.sql", "SELECT 1;\n")],
        expect![[r#"
        exit 1
        --- stderr
        error: V1__a.sql: the same version to Flyway as `V1.0__b.sql`: `1`
        error: nothing was imported: 1 error
        help: change these files, or leave them out with `--skip FILE`
    "#]],
    );
}

#[test]
fn files_of_another_tool_than_the_one_that_is_named() {
    let goose = "-- +goose Up\nCREATE TABLE a (id int);\n-- +goose Down\nDROP TABLE a;\n";
    check(
        "sqlx",
        &[("1_a.sql", goose)],
        expect![[r#"
        exit 1
        --- stderr
        error: 1_a.sql:3: `-- +goose Down` divides files of goose, and sqlx runs what follows it: import with `goose`, or remove the line if it did run
        error: nothing was imported: 1 error
        help: change these files, or leave them out with `--skip FILE`
    "#]],
    );
    let ours = "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n";
    check(
        "plain",
        &[("1_a.sql", ours)],
        expect![[r#"
        exit 1
        --- stderr
        error: 1_a.sql:3: `-- migrate:down` divides files of dbmate, and plain SQL runs what follows it: import with `dbmate`, or remove the line if it did run
        error: nothing was imported: 1 error
        help: change these files, or leave them out with `--skip FILE`
    "#]],
    );
    check(
        "goose",
        &[("1_a.sql", ours)],
        expect![[r#"
            exit 1
            --- stderr
            error: 1_a.sql: no line marks where it begins: goose refuses it too
            error: nothing was imported: 1 error
            help: change these files, or leave them out with `--skip FILE`
        "#]],
    );
}

#[test]
fn files_can_be_left_out_by_name() {
    let import = Import::of(&[("1_a.sql", "-- +goose Up\nSELECT 1;\n"), ("2_b.go", "package x"), ("lib/x.sql", "")]);
    expect![[r#"
        exit 0
        --- stdout
        migrations/1_a.sql <- 1_a.sql
        left out: 2_b.go: by --skip
        left out: lib: by --skip
        would import 1 migration of goose; versions kept
        --- stderr
        db/migrator.toml: `[check] start_after = "1"`: hazards are looked for in later migrations only
        this was a dry run: nothing was written
    "#]]
    .assert_eq(&import.run("goose", &["--skip", "2_b.go", "--skip", "./lib/", "--dry-run"]));
    expect![[r#"
        exit 2
        --- stderr
        error: `--skip 3_c.go`: there is nothing of that name in `DIR`
    "#]]
    .assert_eq(&import.run("goose", &["--skip", "3_c.go"]));
}
