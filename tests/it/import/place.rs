//! Where an import may write, and what is there afterwards.

use std::fs;

use expect_test::expect;

use super::{Import, tree};

const FILES: &[(&str, &str)] =
    &[("1_a.up.sql", "CREATE TABLE a (id int);\n"), ("1_a.down.sql", "DROP TABLE a;\n"), ("README.md", "x")];

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let import = Import::of(FILES);
    let dry = import.run("sqlx", &["--dry-run"]);
    assert!(tree(&import.project.db()).is_empty());
    let wet = import.run("sqlx", &[]);
    let (dry, next) = dry.split_at(dry.find("this was a dry run").unwrap());
    assert_eq!(next, "this was a dry run: nothing was written\n");
    assert_eq!(Some(dry.replace("would import", "imported").as_str()), wet.split("next: ").next());
}

#[test]
fn a_directory_with_migrations_is_not_added_to() {
    let import = Import::of(FILES);
    import.project.migration("001_x", "SELECT 1;", "SELECT 1;");
    let before = tree(&import.project.db());
    expect![[r#"
        exit 9
        --- stderr
        error: `db/migrations` has migrations already, such as `001_x.sql`
        help: import into an empty one: what is imported comes before everything else
    "#]]
    .assert_eq(&import.run("sqlx", &[]));
    assert_eq!(tree(&import.project.db()), before);
}

#[test]
fn nothing_is_overwritten() {
    let import =
        Import::of(&[("V1__a.sql", "SELECT 1;\n"), ("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS a;\n")]);
    import.project.file("repeatable/v.sql", "SELECT 2;\n");
    let before = tree(&import.project.db());
    expect![[r#"
        exit 9
        --- stderr
        error: `db/repeatable/v.sql` exists already
        help: move it away
    "#]]
    .assert_eq(&import.run("flyway", &[]));
    assert_eq!(tree(&import.project.db()), before);
    import.project.remove("repeatable/v.sql").file("imported.toml", "tool = \"sqlx\"\n");
    expect![[r#"
        exit 9
        --- stderr
        error: `db/imported.toml` exists already
        help: move it away
    "#]]
    .assert_eq(&import.run("flyway", &[]));
}

#[test]
fn settings_keep_all_but_the_two_values() {
    let import = Import::of(&[("1_a.up.sql", "CREATE TABLE a (id int);\n")]);
    let settings = "# ours\n[history]\n# table = \"schema_migrations\"\n\n[check] # strict\nrequired_headers = [\"Purpose\", \"Owner\"]\ndbmate = \"allow\"\n";
    import.project.file("migrator.toml", settings).file("migrations/README.md", "here");
    let files = import.files("golang-migrate", &[]);
    expect![[r##"
        # ours
        [history]
        # table = "schema_migrations"
        table = "migrator_migrations"

        [check] # strict
        start_after = "1"
        required_headers = ["Purpose", "Owner"]
        dbmate = "allow"
    "##]]
    .assert_eq(&files["migrator.toml"]);
    expect![[r#"
        -- Purpose: a
        -- Owner: a
        -- Imported from golang-migrate: 1_a.up.sql
        -- migrate:up
        CREATE TABLE a (id int);

        -- migrate:down
        -- There is no down migration.
    "#]]
    .assert_eq(&files["migrations/1_a.sql"]);
    assert_eq!(files["migrations/README.md"], "here");
    // In a form that is not changed, nothing is.
    let import = Import::of(FILES);
    import.project.file("migrator.toml", "check = { dbmate = \"allow\" }\n");
    let before = tree(&import.project.db());
    expect![[r#"
        exit 9
        --- stderr
        error: `db/migrator.toml` has `check` or `history` in a form that is not changed here
        help: write them as tables, `[check]` and `[history]`
    "#]]
    .assert_eq(&import.run("sqlx", &[]));
    assert_eq!(tree(&import.project.db()), before);
}

#[test]
fn what_is_in_migrations_already_moves_aside() {
    let import = Import::with_database(&[]);
    for (path, text) in FILES {
        import.project.file(&format!("migrations/{path}"), text);
    }
    expect![[r#"
        exit 0
        --- stdout
        migrations/1_a.sql <- 1_a.up.sql, 1_a.down.sql
        left out: README.md: not SQL
        imported 1 migration of sqlx; versions kept
        --- stderr
        db/migrator.toml: `[check] start_after = "1"`: hazards are looked for in later migrations only
        what was in db/migrations moved to `db/imported-from-sqlx`: delete it once you need it no longer
        next: `cargo xtask verify`; then `migrator adopt sqlx` on every database that sqlx has migrated
    "#]]
    .assert_eq(&import.from(&import.project.db().join("migrations"), "sqlx", &[]));
    let files = tree(&import.project.db());
    expect![[r#"
        imported-from-sqlx/1_a.down.sql
        imported-from-sqlx/1_a.up.sql
        imported-from-sqlx/README.md
        imported.toml
        migrations/1_a.sql
        migrator.toml
    "#]]
    .assert_eq(&files.keys().map(|path| format!("{path}\n")).collect::<String>());
    assert_eq!(files["imported-from-sqlx/1_a.up.sql"], FILES[0].1);
    expect![[r#"
        exit 9
        --- stderr
        error: `db/migrations` holds what was imported already, as `db/imported.toml` says
        help: to import it again, remove both, and name the directory of the original files
    "#]]
    .assert_eq(&import.from(&import.project.db().join("migrations"), "sqlx", &[]));
    assert_eq!(tree(&import.project.db()), files);
    assert!(import.project.run(&["up", "--quiet"]).starts_with("exit 0"));
}

#[test]
fn an_import_that_was_killed_is_finished_by_the_same_command() {
    // Killed between the two renames of db/migrations.
    let import = Import::of(&[]);
    let stage = ".import-abcdef";
    for (path, text) in FILES {
        import.project.file(&format!("imported-from-sqlx/{path}"), text);
    }
    import.project.file("imported-from-sqlx/.gitkeep", "").file("imported.toml", "tool = \"sqlx\"\n");
    import.project.file("migrator.toml", "[check]\nstart_after = \"1\"\n");
    import.project.file(&format!("{stage}/plan.json"), "{\"tool\":\"sqlx\",\"in_place\":true}");
    import.project.file(&format!("{stage}/db/migrations/1_a.sql"), "-- migrate:up\nSELECT 1;\n");
    fs::remove_dir(import.project.db().join("migrations")).unwrap_or_default();
    let before = tree(&import.project.db());
    let directory = import.project.db().join("migrations");
    expect![[r#"
        exit 9
        --- stderr
        error: `db/.import-abcdef` is of an import that was killed
        help: run this without `--dry-run`, which finishes it
    "#]]
    .assert_eq(&import.from(&directory, "sqlx", &["--dry-run"]));
    assert_eq!(tree(&import.project.db()), before);
    expect![[r#"
        exit 0
        --- stderr
        finished the import from sqlx that was killed; next: `cargo xtask verify`
    "#]]
    .assert_eq(&import.from(&directory, "sqlx", &[]));
    let paths: Vec<String> = tree(&import.project.db()).into_keys().collect();
    assert_eq!(
        paths,
        [
            "imported-from-sqlx/1_a.down.sql",
            "imported-from-sqlx/1_a.up.sql",
            "imported-from-sqlx/README.md",
            "imported.toml",
            "migrations/.gitkeep",
            "migrations/1_a.sql",
            "migrator.toml",
        ]
    );
}

#[test]
fn what_no_import_needs_any_more_is_removed_by_the_next() {
    let import = Import::of(FILES);
    import.project.file(".import-abcdef/db/migrations/1_a.sql", "SELECT 1;\n").file("migrations/.gitkeep", "");
    let said = import.run("sqlx", &[]);
    assert!(said.contains("\nremoved `db/.import-abcdef`, which an import that was killed has left\n"), "{said}");
    let paths: Vec<String> = tree(&import.project.db()).into_keys().collect();
    assert_eq!(paths, ["imported.toml", "migrations/.gitkeep", "migrations/1_a.sql", "migrator.toml"]);
}

#[test]
fn unknown_tools_and_directories() {
    let import = Import::of(FILES);
    let said = import.run("sqitch", &[]);
    assert!(said.starts_with("exit 2") && said.contains("golang-migrate"), "{said}");
    expect![[r#"
        exit 2
        --- stderr
        error: `DIR` has no migrations of Diesel
        help: Diesel reads <version>_<name>/up.sql
    "#]]
    .assert_eq(&import.run("diesel", &[]));
    fs::create_dir(import.source.path().join("migrations")).unwrap();
    expect![[r#"
        exit 2
        --- stderr
        error: `DIR` has no migrations of Diesel
        help: name its directory: `DIR/migrations`
    "#]]
    .assert_eq(&import.run("diesel", &[]));
    expect![[r#"
        exit 2
        --- stderr
        error: `DIR` is not a directory
        help: name the directory of the migrations
    "#]]
    .assert_eq(&import.from(&import.source.path().join("1_a.up.sql"), "sqlx", &[]));
    let gone = import.from(&import.source.path().join("gone"), "sqlx", &[]);
    assert!(gone.starts_with("exit 9") && gone.contains("failed to read"), "{gone}");
}

#[test]
fn what_the_build_recognises_is_imported_by_the_command_that_it_names() {
    const SQL: &str = "SELECT 1;\n";
    let layouts: &[(&str, &[(&str, &str)])] = &[
        ("sqlx", &[("20230101000000_a.up.sql", SQL), ("20230101000000_a.down.sql", SQL)]),
        ("sqlx", &[("20230101000000_a.sql", SQL), ("20230102000000_b.sql", SQL)]),
        ("golang-migrate", &[("000001_a.up.sql", SQL)]),
        ("refinery", &[("V1__a.sql", SQL)]),
        ("flyway", &[("V1.1__a.sql", SQL), ("R__b.sql", SQL)]),
        ("liquibase", &[("a.sql", "--liquibase formatted sql\n--changeset a:1\nSELECT 1;\n")]),
        ("diesel", &[("2022-04-26-153628_a/up.sql", SQL), ("2022-04-26-153628_a/down.sql", SQL)]),
        ("goose", &[("1_a.sql", "-- +goose Up\nSELECT 1;\n")]),
        ("tern", &[("001_a.sql", "select 1;\n---- create above / drop below ----\nselect 1;\n")]),
        (
            "graphile-migrate",
            &[("committed/000001.sql", "--! Previous: -\n--! Hash: sha1:a\n\nSELECT 1;\n"), ("current.sql", "")],
        ),
        ("node-pg-migrate", &[("1600000000000_a.sql", "-- Up Migration\nSELECT 1;\n-- Down Migration\n")]),
        ("sql-migrate", &[("1_a.sql", "-- +migrate Up\nSELECT 1;\n")]),
        ("prisma", &[("2020_a/migration.sql", SQL), ("migration_lock.toml", "provider = \"postgresql\"\n")]),
        ("alembic", &[("up.sql", "-- Running upgrade  -> a1\n\nSELECT 1;\n")]),
    ];
    for (tool, files) in layouts {
        let import = Import::of(&[]);
        for (path, text) in *files {
            import.project.file(&format!("migrations/{path}"), text);
        }
        let problems = migrator_build::load(&import.project.db()).unwrap_err().0;
        let [problem] = problems.as_slice() else { panic!("{tool}: {problems:#?}") };
        assert_eq!(problem.code.as_str(), "M008");
        let command = format!("run `cargo xtask import {tool} db/migrations`");
        assert!(problem.help.starts_with(&command), "{problem}");
        let said = import.from(&import.project.db().join("migrations"), tool, &[]);
        assert!(said.starts_with("exit 0"), "{said}");
        assert!(migrator_build::load(&import.project.db()).is_ok(), "{tool}");
    }
}
