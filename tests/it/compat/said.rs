//! What is said, and when nothing can be judged.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::{Running, asked, broken};
use crate::support::Project;

/// A project at `v1`, with a table of users.
fn project() -> Project {
    let project = Project::new();
    let up = "CREATE SCHEMA core;\nCREATE TABLE core.users (id int PRIMARY KEY, name text NOT NULL, email text);";
    project.migration("001_users", up, "DROP SCHEMA core CASCADE;");
    project
}

#[track_caller]
fn check(output: &str, expected: Expect) {
    let output: Vec<&str> = output.split(" (N ms)").collect();
    expected.assert_eq(&output.concat());
}

#[test]
fn what_breaks_is_told_with_its_place_its_migration_and_what_to_do_first() {
    let project = project();
    let mut running = Running::of(
        &project,
        &[
            "SELECT id,\n       name\nFROM core.users\nWHERE id = $1",
            "SELECT * FROM core.users",
            "SELECT id FROM core.accounts",
            "INSERT INTO core.users (id, name) VALUES ($1, $2)",
        ],
    );
    running.value["next"] = json!([asked("q04", "SELECT id, full_name FROM core.users")]);
    project.migration("002_name", "ALTER TABLE core.users RENAME name TO full_name;", "").migration(
        "003_more",
        "ALTER TABLE core.users ADD COLUMN locale text;",
        "",
    );
    check(
        &running.compat(&project, &[]),
        expect![[r#"
            exit 1
            --- stdout
            FAILED  3 of 3 queries of `v1.21` break on the new schema
                    q00, src/store.rs:7 since 002_name: column "name" does not exist [42703]
                        SELECT id, name FROM core.users WHERE id = $1
                    q01, src/store.rs:7 since 002_name: result column `name` is gone
                        SELECT * FROM core.users
                    q03, src/store.rs:7 since 002_name: column "name" of relation "users" does not exist [42703]
                        INSERT INTO core.users (id, name) VALUES ($1, $2)
                    left out: 1 query that fails on the schema of `v1.21` itself
                        1: relation "core.accounts" does not exist [42P01], in q02, src/store.rs:7
                    no order works: the migrations break the running release, and the new one needs them; what fails on the schema of `v1.21`:
                        q04, src/store.rs:7: column "full_name" does not exist [42703]
                    db/migrations/002_name.sql:2 renaming-column: breaks 3 queries of `v1.21`
        "#]],
    );
}

#[test]
fn which_of_the_two_goes_first_follows_from_both_directions() {
    let project = project();
    let mut running = Running::of(&project, &["SELECT name FROM core.users"]);
    let order = |running: &Running, project: &Project| {
        let output = running.compat(project, &[]);
        output
            .lines()
            .find(|line| line.contains("order") || line.contains("rollout"))
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    running.value["next"] = json!([asked("q", "SELECT id FROM core.users")]);
    assert!(order(&running, &project).starts_with("either order works: "), "{}", order(&running, &project));
    running.value["next"] = json!([asked("q", "SELECT locale FROM core.users")]);
    project.migration("002_locale", "ALTER TABLE core.users ADD COLUMN locale text;", "");
    assert!(order(&running, &project).starts_with("the migrations have to run before the rollout; "));
    project.migration("003_name", "ALTER TABLE core.users DROP COLUMN name;", "");
    assert!(order(&running, &project).starts_with("no order works: the migrations break the running release"));
    running.value["next"] = json!([asked("q", "SELECT id FROM core.users")]);
    assert!(order(&running, &project).starts_with("the rollout has to be complete before the migrations run: "));
    running.value["next"] = json!([asked("q", "SELECT name FROM core.users")]);
    assert!(order(&running, &project).starts_with("no order works: the working tree still has 1 query that breaks"));
}

#[test]
fn a_break_is_allowed_by_the_settings_or_by_the_migration_that_does_it() {
    let project = project();
    let running = Running::of(&project, &["SELECT name FROM core.users", "SELECT email FROM core.users"]);
    let drops = |comment: &str| format!("{comment}ALTER TABLE core.users DROP COLUMN name;");
    project.migration("002_name", &drops(""), "").migration(
        "003_email",
        "ALTER TABLE core.users DROP COLUMN email;",
        "",
    );
    project.file("migrator.toml", "[release]\nallow = [\"q01\"]\n");
    let output = running.compat(&project, &[]);
    assert!(output.starts_with("exit 1\n--- stdout\nFAILED  1 of 2 queries of `v1.21` breaks"), "{output}");
    assert!(
        output.contains("allowed: q01, src/store.rs:7 since 003_email: column \"email\" does not exist [42703]"),
        "{output}"
    );
    project.migration("002_name", &drops("-- migrate:allow breaks-release no instance of it is left\n"), "");
    project.file("migrator.toml", "[release]\nallow = [\"src/*.rs\"]\n");
    let output = running.compat(&project, &[]);
    assert!(output.starts_with("exit 0\n--- stdout\nok      none of 2 queries"), "{output}");
    assert!(
        output.contains("no instance of it is left") && output.contains("`src/*.rs` is in [release] allow"),
        "{output}"
    );
}

#[test]
fn what_cannot_be_judged_has_its_sentence() {
    let project = project();
    let running = Running::of(&project, &["SELECT 1"]);
    let nothing = Running::of(&project, &[]);
    project.file("migrator.toml", "[release]\nrole = \"nobody_has_made_it\"\n");
    check(
        &running.compat(&project, &[]),
        expect![[r#"
            exit 9
            --- stderr
            error: the role `nobody_has_made_it` of [release] in db/migrator.toml does not exist after the migrations
              = help: create it in a migration: a throwaway server has no other roles; or remove `role` from [release]
        "#]],
    );
    project.remove("migrator.toml");
    assert!(nothing.compat(&project, &[]).starts_with("exit 0\n--- stdout\nok      no queries of `v1.21` found"));
    project.migration("002_extension", "CREATE EXTENSION not_installed_anywhere;", "");
    let output = running.compat(&project, &[]);
    assert!(
        output.starts_with("exit 3") && output.contains("extension \"not_installed_anywhere\" is not available"),
        "{output}"
    );
    assert!(output.contains("= note: this happened on a database at `v1.21`"), "{output}");
    assert!(output.contains("= help: install the package of that extension"), "{output}");
    project.remove("migrations/002_extension.sql").remove("migrations/001_users.sql").tables(0);
    project.migration("002_other", "SELECT 1;", "");
    check(
        &running.compat(&project, &[]),
        expect![[r#"
            exit 4
            --- stderr
            error: `v1.21` has 001_users, which is not in the db directory
              = help: bring the file back: `up` refuses a database that has it
        "#]],
    );
}

#[test]
fn any_text_is_a_query_and_none_is_executed() {
    let project = project();
    let odd: String =
        ('\u{1}'..='\u{2ff}').filter(|c| *c != '\'').chain("\u{202e}\u{feff}\u{10ffff}\u{e000}".chars()).collect();
    let texts = [
        format!("SELECT '{odd}' AS odd"),
        "SELECT 1 -- the end".to_owned(),
        "SELECT 1; DROP TABLE core.users".to_owned(),
        "DROP TABLE core.users".to_owned(),
        "SELECT 1;".to_owned(),
        "SELECT '\0'".to_owned(),
        String::new(),
        ";".to_owned(),
        "ROLLBACK; DROP TABLE core.users; SELECT 1".to_owned(),
        "/* \u{1b}[31m */ SELECT $1::int, 'a'\n'b'".to_owned(),
        "COPY core.users FROM STDIN".to_owned(),
        "SELECT pg_terminate_backend(pg_backend_pid())".to_owned(),
        "COMMIT".to_owned(),
        "INSERT INTO core.users VALUES (1, 'x', 'y')".to_owned(),
        "SET search_path = nowhere".to_owned(),
        "TRUNCATE core.users".to_owned(),
        format!("SELECT {}", vec!["1"; 500].join("+")),
        format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000)),
    ];
    let running = Running::of(&project, &texts.each_ref().map(|text| text.as_str()));
    project.migration("002_more", "ALTER TABLE core.users ADD COLUMN locale text;", "");
    let judgement = running.json(&project);
    assert_eq!(broken(&judgement), []);
    let left_out = judgement["left_out"].as_array().into_iter().flatten();
    let left_out: Vec<_> = left_out.map(|query| (query["name"].as_str(), query["sqlstate"].as_str())).collect();
    let expected = [("q02", "42601"), ("q05", ""), ("q08", "42601"), ("q17", "42601")];
    assert_eq!(left_out, expected.map(|(name, code)| (Some(name), Some(code))));
    let output = running.compat(&project, &[]);
    assert!(!output.chars().any(|c| c == '\u{1b}' || c == '\u{202e}'), "{output}");
}

#[test]
fn a_client_that_declares_types_and_nulls_is_believed() {
    let project = Project::new();
    project.migration("001_t", "CREATE TABLE t (id int NOT NULL, x int NOT NULL, y int NOT NULL);", "");
    let mut running = Running::of(
        &project,
        &["DELETE FROM t WHERE id = $1", "SELECT x FROM t", "SELECT y AS \"y?\" FROM t", "DELETE FROM t WHERE x = $1"],
    );
    for (index, declared) in [json!([]), json!([true]), json!([false]), Value::Null].into_iter().enumerate() {
        running.value["queries"][index]["declared"] = declared;
    }
    let up = "ALTER TABLE t ALTER id TYPE bigint, ALTER x DROP NOT NULL, ALTER y DROP NOT NULL;";
    project.migration("002_t", up, "").migration("003_t", "ALTER TABLE t ALTER x TYPE bigint;", "");
    let judgement = running.json(&project);
    let found = broken(&judgement);
    let expected = [("q01", "`int8`, not `int4`"), ("q03", "parameter $1 is `int8`, not `int4`")];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((name, by, said), (expected, difference)) in found.iter().zip(expected) {
        assert!(name == expected && by == "003_t" && said.contains(difference), "{found:?}");
    }
}

#[test]
fn what_a_transaction_false_block_and_a_repeatable_do_is_found_in_them() {
    let project = Project::new();
    let up = "CREATE TABLE t (id int);\nCREATE UNIQUE INDEX t_id ON t (id);";
    project.migration("001_t", up, "").file("repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS a, 2 AS b;\n");
    let queries = ["INSERT INTO t VALUES ($1) ON CONFLICT (id) DO NOTHING", "SELECT b FROM v"];
    let running = Running::of(&project, &queries);
    project
        .file(
            "migrations/002_index.sql",
            "-- migrate:up transaction:false\nDROP INDEX CONCURRENTLY t_id;\n\n-- migrate:down\nSELECT 1;\n",
        )
        .file("repeatable/v.sql", "DROP VIEW IF EXISTS v;\nCREATE VIEW v AS SELECT 1 AS a;\n");
    let found = broken(&running.json(&project));
    let by: Vec<_> = found.iter().map(|(name, by, _)| (name.as_str(), by.as_str())).collect();
    assert_eq!(by, [("q00", "002_index"), ("q01", "repeatable v")]);
}

#[test]
fn a_query_of_an_extension_that_is_not_there_is_left_out_with_the_way_out() {
    let project = project();
    let running = Running::of(
        &project,
        &["SELECT similarity(name, $1) FROM core.users", "SELECT $1::hstore", "SELECT id FROM core.users"],
    );
    check(
        &running.compat(&project, &[]),
        expect![[r#"
            exit 0
            --- stdout
            ok      none of 1 query of `v1.21` breaks on the new schema
                    left out: 2 queries that fail on the schema of `v1.21` itself
                        1: type "hstore" does not exist [42704], in q01, src/store.rs:7
                        1: function similarity(text, unknown) does not exist [42883], in q00, src/store.rs:7
                        help: create the extension that has it in a migration: a throwaway server has no other ones
        "#]],
    );
}

/// The hazards of the new migrations as `compat` weighs them, without their place.
fn weighed(running: &Running, project: &Project) -> Vec<String> {
    let judgement = running.json(project);
    let hazards = judgement["hazards"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    hazards.map(|hazard| format!("{}: {}", text(&hazard["rule"]), text(&hazard["message"]))).collect()
}

#[test]
fn a_hazard_is_none_where_no_query_needs_what_is_taken() {
    let project = Project::new();
    let up = "CREATE TABLE t (id int, a text, b int DEFAULT 1, c int, d int);\nCREATE TABLE gone (id int);\n\
              CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.d := 1; RETURN NEW; END';";
    project.migration("001_t", up, "");
    let queries = ["SELECT id, d FROM t WHERE id = $1", "INSERT INTO t (id, b, c, d) VALUES ($1, 2, 3, 4)"];
    let running = Running::of(&project, &queries);
    project
        .migration("002_a", "ALTER TABLE t DROP COLUMN a;", "")
        .migration("003_gone", "DROP TABLE gone;", "")
        .migration("004_b", "ALTER TABLE t ALTER b DROP DEFAULT;", "")
        .migration("005_c", "ALTER TABLE t ALTER c TYPE bigint;", "")
        .migration("006_d", "-- migrate:allow renaming-column a reason\nALTER TABLE t RENAME d TO e;", "");
    let found = weighed(&running, &project);
    expect![[r#"
        ban-drop-column: no query of `v1.21` needs it (2 checked)
        ban-drop-table: no query of `v1.21` needs it (2 checked)
        ban-drop-default: no query of `v1.21` needs it (2 checked)
        changing-column-type: no query of `v1.21` is known to need it (2 checked), but the table is rewritten all the same
        renaming-column: breaks 2 queries of `v1.21`"#]].assert_eq(&found.join("\n"));
}

#[test]
fn a_hazard_stays_one_where_something_may_need_what_is_taken_and_is_not_looked_into() {
    let cases = [
        (
            "SELECT id FROM t",
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT max(a) FROM t); END';",
            "the function public.f may",
        ),
        ("SELECT to_jsonb(t) FROM t", "", "src/store.rs:7 names it"),
        ("INSERT INTO t SELECT 1", "", "src/store.rs:7 names it and works without it"),
        (
            "SELECT t.id, u.a FROM t JOIN u ON true",
            "CREATE TABLE u (a text);",
            "src/store.rs:7 names it and works without it",
        ),
        ("COPY t (id, a) FROM STDIN", "", "src/store.rs:7 names it"),
        ("SELECT to_regclass('t') IS NULL", "", "src/store.rs:7 names it"),
        ("SELECT a <-> $1 FROM t", "", "src/store.rs:7 names it"),
        ("DO $$BEGIN EXECUTE 'x'; END$$", "", "src/store.rs:7 names it"),
    ];
    for (query, before, why) in cases {
        let project = Project::new();
        project.migration("001_t", &format!("CREATE TABLE t (id int, a text);\n{before}"), "");
        let running = Running::of(&project, &[query, "SELECT 1"]);
        project.migration("002_a", "ALTER TABLE t DROP COLUMN a;", "");
        let found = weighed(&running, &project);
        assert!(found.len() == 1 && found[0].contains(why), "{query}: {found:?}");
    }
    let project = Project::new();
    project.migration("001_t", "CREATE TABLE t (id int, a int DEFAULT 1);", "");
    let running = Running::of(&project, &["INSERT INTO t (id) VALUES ($1)"]);
    project.migration("002_a", "ALTER TABLE t ALTER a DROP DEFAULT;", "");
    let found = weighed(&running, &project);
    assert!(found.len() == 1 && found[0].ends_with("but 1 query writes NULL now"), "{found:?}");
    let running = Running::of(&project, &[]);
    project.migration("003_b", "ALTER TABLE t DROP a;", "");
    let found = weighed(&running, &project);
    assert_eq!(found, ["ban-drop-column: no queries of the release were found"]);
}

#[test]
fn the_page_of_verify_has_what_breaks() {
    let project = project();
    let running = Running::of(&project, &["SELECT name FROM core.users", "SELECT id FROM core.users"]);
    let rename =
        ("ALTER TABLE core.users RENAME name TO full_name;", "ALTER TABLE core.users RENAME full_name TO name;");
    project.migration("002_name", rename.0, rename.1);
    let page = project.db().with_file_name("report.html");
    let output = running.verify(&project, &["--html", page.to_str().unwrap()]);
    assert!(output.contains("FAILED  release: 1 of 2 queries of `v1.21` breaks on the new schema"), "{output}");
    let text = std::fs::read_to_string(&page).unwrap();
    for part in [
        "The release that runs: v1.21",
        "q00 <code>src/store.rs:7</code>",
        "<code>42703</code>",
        "002_name",
        "SELECT name FROM core.users",
        "renaming-column: breaks 1 query of `v1.21`",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}
