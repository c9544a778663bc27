//! One directory per hazard, below `tests/fixtures`: `hazard_<rule>/db` shows it, `hazard_<rule>/safe/db` is the way to write it
//! that the message recommends. What is said stands in `expected.txt`.

use std::path::{Path, PathBuf};

use expect_test::{Expect, expect, expect_file};
use migrator_build::load;
use migrator_lint::{Hazard, RULES, is_rule, search};

use crate::fixtures::{name, problems};
use crate::support::Project;

mod exact;

fn fixture(rule: &str) -> PathBuf {
    let folder = format!("fixtures/hazard_{}", rule.replace('-', "_"));
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

fn hazards(db: &Path) -> Vec<Hazard> {
    let loaded = load(db).unwrap_or_else(|problems| panic!("{}: {problems}", db.display()));
    search(&loaded.set)
}

fn rendered(hazards: &[Hazard]) -> String {
    hazards.iter().map(|hazard| hazard.render(false) + "\n").collect::<Vec<_>>().join("\n")
}

/// The hazards of one up block after a table `live`, and of one that comes first where `before` is given.
#[track_caller]
fn check(before: &str, up: &str, expected: Expect) {
    let project = Project::without_database();
    project.migration("001_base", &format!("CREATE TABLE live (id bigint, a text, b text);\n{before}"), "");
    project.migration("002_x", up, "");
    let lines = hazards(&project.db()).into_iter().map(|hazard| {
        format!("{}:{}: {} [{}]; help: {}", hazard.line, hazard.column, hazard.message, hazard.rule, hazard.help)
    });
    expected.assert_eq(&lines.collect::<Vec<_>>().join("\n"));
}

/// As [`check`], but only the names of the rules.
#[track_caller]
fn rules(before: &str, up: &str, expected: &[&str]) {
    let project = Project::without_database();
    project.migration("001_base", &format!("CREATE TABLE live (id bigint, a text, b text);\n{before}"), "");
    project.migration("002_x", up, "");
    let found: Vec<&str> = hazards(&project.db()).iter().map(|hazard| hazard.rule).collect();
    assert_eq!(found, expected, "{up}");
}

/// The rule, the lock and the help of each hazard of an up block after a table `live`, whose migrations run on a server.
#[track_caller]
fn told(before: &str, up: &str) -> Vec<(String, String, String)> {
    let project = Project::new();
    project.migration("001_base", &format!("CREATE TABLE live (id bigint, a text, b text);\n{before}"), "");
    project.migration("002_x", up, "");
    let output = project.run(&["up"]);
    assert!(output.starts_with("exit 0"), "{before}\n{up}\n{output}");
    let found = hazards(&project.db()).into_iter().filter(|hazard| hazard.file.ends_with("002_x.sql"));
    found.map(|hazard| (hazard.rule.to_owned(), hazard.lock, hazard.help)).collect()
}

/// The rules that a whole file behind a table `live` breaks.
#[track_caller]
fn rules_of_file(before: &str, text: &str) -> Vec<&'static str> {
    let project = Project::without_database();
    project.migration("001_base", &format!("CREATE TABLE live (id bigint, a text, b text);\n{before}"), "");
    project.file("migrations/002_x.sql", text);
    hazards(&project.db()).iter().map(|hazard| hazard.rule).collect()
}

#[test]
fn every_rule_has_a_fixture_that_shows_it_and_no_other() {
    for rule in RULES.iter().map(|rule| rule.name) {
        let found: Vec<&str> = hazards(&fixture(rule).join("db")).iter().map(|hazard| hazard.rule).collect();
        assert_eq!(found, [rule]);
    }
}

#[test]
fn every_hazard_fixture_is_called_after_a_rule() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let names = std::fs::read_dir(root).unwrap().map(|entry| name(&entry.unwrap().path()));
    let rules: Vec<String> =
        names.filter_map(|name| name.strip_prefix("hazard_").map(|rule| rule.replace('_', "-"))).collect();
    assert_eq!(rules.len(), RULES.len());
    for rule in rules {
        assert!(is_rule(&rule), "`{rule}` is no rule");
    }
}

#[test]
fn every_hazard_is_said_as_it_stands_beside_its_fixture() {
    for rule in RULES.iter().map(|rule| rule.name) {
        let said = rendered(&hazards(&fixture(rule).join("db")));
        expect_file![fixture(rule).join("expected.txt")].assert_eq(&said);
    }
}

#[test]
fn the_safe_way_to_write_it_is_silent() {
    for rule in RULES.iter().map(|rule| rule.name) {
        assert_eq!(hazards(&fixture(rule).join("safe/db")), [], "{rule}");
    }
}

#[test]
fn a_hazard_and_its_safe_way_are_sql_that_the_server_takes() {
    for rule in RULES.iter().map(|rule| rule.name) {
        for db in ["db", "safe/db"] {
            let db = fixture(rule).join(db);
            let output = Project::of(&db).run(&["up"]);
            assert!(output.starts_with("exit 0"), "{}: {output}", db.display());
        }
    }
}

#[test]
fn the_build_says_nothing_about_hazards() {
    for rule in RULES.iter().map(|rule| rule.name) {
        assert_eq!(problems(&fixture(rule).join("db")), [], "{rule}");
        assert_eq!(problems(&fixture(rule).join("safe/db")), [], "{rule}");
    }
}

#[test]
fn every_rule_is_listed_for_people_who_write_migrations() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../db/README.md")).unwrap();
    let (_, section) = readme.split_once("\n## Hazards\n").unwrap();
    let mut listed: Vec<&str> =
        section.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with("| `")).collect();
    listed.sort_unstable();
    // The lock is that of the statement in the rule's fixture.
    let lock = |rule: &str| hazards(&fixture(rule).join("db"))[0].lock.clone();
    let mut expected: Vec<String> =
        RULES.iter().map(|rule| format!("| `{}` | {} | {} |", rule.name, lock(rule.name), rule.help)).collect();
    expected.sort_unstable();
    assert_eq!(listed, expected);
}

#[test]
fn this_repository_has_no_hazard_that_nobody_has_thought_about() {
    let found = hazards(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../db"));
    assert_eq!(rendered(&found), "");
}

#[test]
fn an_allow_silences_its_rule_for_the_statement_below() {
    rules("", "-- migrate:allow ban-drop-table nobody reads it\n-- a word more\nDROP TABLE live;", &[]);
    rules("", "-- migrate:allow ban-drop-column all gone\nALTER TABLE live\n    DROP a,\n    DROP b;", &[]);
    check(
        "",
        "-- migrate:allow ban-drop-column the one\nALTER TABLE live DROP a;\nALTER TABLE live DROP b;",
        expect![[r#"
            4:18: a column of `live` is dropped with what is in it [ban-drop-column]; help: drop it one release after the last code that names it, and allow it: `-- migrate:allow ban-drop-column <reason>` above the statement"#]],
    );
}

#[test]
fn an_allow_that_does_nothing_is_an_error() {
    check(
        "",
        "-- migrate:allow\nDROP TABLE live;",
        expect![[r#"
            2:1: `-- migrate:allow` without a rule [allow]; help: say which rule, and why: `-- migrate:allow <rule> <reason>`
            3:1: `live` is dropped with what is in it [ban-drop-table]; help: drop it one release after the last code that names it, and allow it: `-- migrate:allow ban-drop-table <reason>` above the statement"#]],
    );
    check(
        "",
        "-- migrate:allow ban-drop-tabel gone\nDROP TABLE live;",
        expect![[r#"
            2:1: unknown rule `ban-drop-tabel` [allow]; help: did you mean `ban-drop-table`?
            3:1: `live` is dropped with what is in it [ban-drop-table]; help: drop it one release after the last code that names it, and allow it: `-- migrate:allow ban-drop-table <reason>` above the statement"#]],
    );
    check(
        "",
        "-- migrate:allow everything gone\nDROP TABLE live;",
        expect![[r#"
            2:1: unknown rule `everything` [allow]; help: the list of hazards has the names of the rules, and `cargo xtask check` shows those that it finds
            3:1: `live` is dropped with what is in it [ban-drop-table]; help: drop it one release after the last code that names it, and allow it: `-- migrate:allow ban-drop-table <reason>` above the statement"#]],
    );
    check(
        "",
        "-- migrate:allow ban-drop-table\nDROP TABLE live;",
        expect![[r#"
            2:1: `-- migrate:allow ban-drop-table` without a reason [allow]; help: say after it why it is safe here: `-- migrate:allow ban-drop-table <reason>`
            3:1: `live` is dropped with what is in it [ban-drop-table]; help: drop it one release after the last code that names it, and allow it: `-- migrate:allow ban-drop-table <reason>` above the statement"#]],
    );
    check(
        "",
        "-- migrate:allow ban-drop-table gone\nSELECT 1;",
        expect![[r#"
                2:1: `-- migrate:allow ban-drop-table` silences nothing [allow]; help: remove it, or move it to the line above its statement"#]],
    );
    check(
        "",
        "DROP TABLE live; -- migrate:allow ban-drop-table gone",
        expect![[r#"
            2:1: `live` is dropped with what is in it [ban-drop-table]; help: drop it one release after the last code that names it, and allow it: `-- migrate:allow ban-drop-table <reason>` above the statement
            2:18: `-- migrate:allow ban-drop-table` silences nothing [allow]; help: put it on its own line, above its statement in the up block"#]],
    );
    check(
        "",
        "SELECT 1;\n-- migrate:allow ban-drop-table gone",
        expect![[r#"
                3:1: `-- migrate:allow ban-drop-table` silences nothing [allow]; help: put it on its own line, above its statement in the up block"#]],
    );
}

#[test]
fn an_allow_outside_of_migrations_is_an_error() {
    let project = Project::without_database();
    project.migration("001_base", "CREATE TABLE live (id bigint);", "");
    project.file("seeds/development.sql", "-- migrate:allow delete-without-where fresh data\nDELETE FROM live;\n");
    expect![[r#"
        error[allow]: `-- migrate:allow delete-without-where` silences nothing
         --> db/seeds/development.sql:1:1
          |
        1 | -- migrate:allow delete-without-where fresh data
          | ^
          |
          = help: put it on its own line, above its statement in the up block
    "#]]
    .assert_eq(&rendered(&hazards(&project.db())));
}

#[test]
fn settings_switch_rules_off_and_leave_the_past_alone() {
    let project = Project::without_database();
    project.migration("001_base", "CREATE TABLE live (id bigserial, a text);", "");
    project.migration("002_drop", "ALTER TABLE live DROP a;", "");
    project.migration("003_rename", "ALTER TABLE live RENAME TO dead;", "");
    let rules = |settings: &str| -> Vec<&str> {
        project.file("migrator.toml", settings);
        hazards(&project.db()).iter().map(|hazard| hazard.rule).collect()
    };
    assert_eq!(rules(""), ["prefer-identity", "ban-drop-column", "renaming-table"]);
    assert_eq!(rules("[check]\nallow = [\"ban-drop-column\"]"), ["prefer-identity", "renaming-table"]);
    assert_eq!(rules("[check]\nstart_after = \"2\""), ["renaming-table"]);
}

#[test]
fn what_is_created_in_the_same_file_is_in_nobodys_way() {
    rules(
        "",
        "CREATE TABLE fresh (id bigint, a text);
         CREATE INDEX fresh_a ON fresh (a);
         ALTER TABLE fresh ADD CONSTRAINT c CHECK (a <> ''), ADD PRIMARY KEY (id), ALTER a SET NOT NULL;
         ALTER TABLE fresh ALTER a TYPE varchar(20), ADD token uuid DEFAULT gen_random_uuid();
         UPDATE fresh SET a = 'x';
         TRUNCATE fresh;
         DROP INDEX fresh_a;
         DROP TABLE fresh;",
        &[],
    );
}

#[test]
fn what_changes_the_catalog_alone_is_no_hazard() {
    rules("ALTER TABLE live ADD c varchar(20), ADD d numeric(4, 1);", "ALTER TABLE live ALTER c TYPE text;", &[]);
    rules("ALTER TABLE live ADD c varchar(20);", "ALTER TABLE live ALTER c TYPE varchar(40);", &[]);
    rules(
        "ALTER TABLE live ADD c varchar(20);",
        "ALTER TABLE live ALTER c TYPE varchar(10);",
        &["changing-column-type"],
    );
    rules("", "ALTER TABLE live ADD c text DEFAULT lower('X'), ADD d date DEFAULT CURRENT_DATE;", &[]);
    rules("", "ALTER TABLE live ADD c timestamptz DEFAULT (now() + interval '1 day') NOT NULL;", &[]);
    rules("", "ALTER TABLE live ADD c bigserial;", &["adding-field-with-default", "prefer-identity"]);
    rules("", "ALTER TABLE live ADD c timestamptz DEFAULT clock_timestamp();", &["adding-field-with-default"]);
}

#[test]
fn a_nullable_column_that_refers_to_a_table_has_nothing_to_check() {
    rules("CREATE TABLE other (id bigint PRIMARY KEY);", "ALTER TABLE live ADD c bigint REFERENCES other;", &[]);
    rules(
        "CREATE TABLE other (id bigint PRIMARY KEY);",
        "ALTER TABLE live ADD c bigint DEFAULT 1 REFERENCES other;",
        &["adding-foreign-key-constraint"],
    );
}

#[test]
fn a_transaction_of_its_own_holds_no_lock_of_another() {
    let up = "ALTER TABLE live ADD c text;\nUPDATE live SET c = a WHERE a IS NOT NULL;";
    rules("", up, &["data-while-locked"]);
    let project = Project::without_database();
    project.migration("001_base", "CREATE TABLE live (id bigint, a text);", "");
    let write = |up: &str| {
        let text = format!("-- migrate:up transaction:false\n{up}\n-- migrate:down\n");
        project.file("migrations/002_x.sql", &text);
        hazards(&project.db()).iter().map(|hazard| hazard.rule).collect::<Vec<_>>()
    };
    assert_eq!(write(up), [""; 0]);
    assert_eq!(write(&format!("BEGIN;\n{up}\nCOMMIT;")), ["data-while-locked"]);
}

#[test]
fn statements_behind_with_and_inside_do_are_seen() {
    rules("", "WITH x AS (SELECT 1) UPDATE live SET a = 'x';", &["update-without-where"]);
    rules("", "WITH x AS (SELECT 1) DELETE FROM live WHERE a = 'x';", &[]);
    rules("", "DO $x$ BEGIN ALTER TABLE live ADD c text; END $x$;", &["ddl-in-do"]);
    rules("", "DO $x$ BEGIN RAISE NOTICE 'the table is large, and no index helps'; END $x$;", &[]);
}

#[test]
fn what_stands_in_comments_and_text_is_no_statement() {
    rules("", "-- DROP TABLE live;\n/* UPDATE live SET a = 1; */\nSELECT 'DROP TABLE live;', $$TRUNCATE live;$$;", &[]);
    rules(
        "",
        "INSERT INTO live (a) VALUES (E'it''s \\'; DROP TABLE live;'), ('é');\nDROP TABLE live;",
        &["ban-drop-table"],
    );
}
