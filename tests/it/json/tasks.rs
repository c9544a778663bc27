//! `cargo xtask`: the tasks that a program may start.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use super::{last, of};
use crate::support::{Project, finish_json, server};
use crate::workspace::Workspace;

/// `cargo xtask` in a workspace: the exit code, and its lines.
fn xtask(workspace: &Workspace, line: &str) -> (i32, Vec<Value>) {
    let mut xtask = workspace.program(env!("CARGO_BIN_EXE_xtask"));
    xtask.args(line.split_whitespace()).arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped());
    finish_json(xtask.spawn().unwrap())
}

#[test]
fn the_tasks_that_write_files_name_them() {
    let files = [
        ("Cargo.toml", "[package]\nname = \"shop\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n[workspace]\n"),
        ("src/lib.rs", ""),
        ("db/migrator.toml", ""),
        ("db/migrations/001_init.sql", "-- migrate:up\nCREATE TABLE a (id int);\n\n-- migrate:down\nDROP TABLE a;\n"),
    ];
    let files: Vec<_> = files.map(|(path, text)| (path.into(), text.as_bytes().to_vec())).into();
    let workspace = Workspace::of("json_tasks", &files);
    let (code, lines) = xtask(&workspace, "dump");
    let written = last(&lines)["files"].as_array().unwrap_or_else(|| panic!("{lines:#?}"));
    assert!(code == 0 && written.contains(&json!("db/schema.sql")), "{lines:#?}");
    let (code, lines) = xtask(&workspace, "new add_b");
    assert_eq!((code, &last(&lines)["files"]), (0, &json!(["db/migrations/002_add_b.sql"])));
    workspace.write("db/migrations/002_add_b.sql", "-- migrate:up\nDROP TABLE a;\n-- migrate:down\nSELECT 1;\n");
    let (code, lines) = xtask(&workspace, "dump --check");
    assert_eq!((code, &last(&lines)["exit"]), (1, &json!(1)));
    assert!(last(&lines)["stale"].as_array().is_some_and(|stale| !stale.is_empty()), "{lines:#?}");
    let (code, lines) = xtask(&workspace, "check");
    let rules: Vec<&Value> = last(&lines)["findings"].as_array().unwrap().iter().map(|found| &found["rule"]).collect();
    assert_eq!((code, rules.contains(&&json!("ban-drop-table"))), (1, true), "{lines:#?}");
    let (code, lines) = xtask(&workspace, "squash --to 9");
    assert_eq!((code, last(&lines).get("error").is_some()), (2, true), "{lines:#?}");
    for (line, command) in [
        ("nonesuch", Value::Null),
        ("check --nonesuch", json!("check")),
        ("migrate create --nonesuch", json!("create")),
    ] {
        let (code, lines) = xtask(&workspace, line);
        assert_eq!(json!([code, last(&lines)["error"]["code"], last(&lines)["command"]]), json!([2, "usage", command]));
    }
}

#[test]
fn verify_tells_each_answer_and_has_all_of_them_at_the_end() {
    let project = Project::new();
    project.migration("001_a", "CREATE TABLE a (id int);", "SELECT 1;");
    let (code, lines) = project.json(&["verify"]);
    let findings = last(&lines)["findings"].as_array().unwrap();
    let told: Vec<Value> = of(&lines, "finding").iter().map(|line| json!([line["name"], line["verdict"]])).collect();
    let all: Vec<Value> = findings.iter().map(|finding| json!([finding["name"], finding["verdict"]])).collect();
    assert_eq!((code, told), (1, all), "{lines:#?}");
    let failed = findings.iter().find(|finding| finding["name"] == "round trip").unwrap();
    assert_eq!(failed["verdict"], "failed");
}

#[test]
fn a_traced_plan_has_the_locks_as_data() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    project.migration("002_b", "ALTER TABLE t1 ADD COLUMN b int;", "ALTER TABLE t1 DROP COLUMN b;");
    let (code, lines) = project.json(&["plan", "--locks", "--scratch-url", &server().url("postgres")]);
    let effect = &last(&lines)["steps"][0]["statements"][0]["effects"][0];
    assert_eq!((code, &last(&lines)["command"]), (0, &json!("plan")));
    assert_eq!(
        json!([effect["relation"], effect["lock"], effect["waits"], effect["taken"]]),
        json!(["public.t1", "AccessExclusiveLock", "reads and writes", true])
    );
    project.migration("002_b", "ALTER TABLE nope ADD COLUMN b int;", "");
    let (code, lines) = project.json(&["plan", "--locks", "--scratch-url", &server().url("postgres")]);
    let error = &last(&lines)["error"];
    assert_eq!(json!([code, error["code"], error["sqlstate"]]), json!([3, "migration_failed", "42P01"]), "{error}");
}

#[test]
fn whole_databases_and_imports_end_with_an_object() {
    let project = Project::without_database();
    project.tables(1);
    for command in [&["create"][..], &["reset", "--yes", "--database", project.database()], &["drop", "--yes"]] {
        let arguments = match command[0] {
            "drop" => [command, &["--database", project.database()]].concat(),
            _ => command.to_vec(),
        };
        let (code, lines) = project.json(&arguments);
        assert_eq!((code, &last(&lines)["command"]), (0, &json!(command[0])), "{lines:#?}");
    }
    let (code, lines) = project.json(&["drop", "--yes", "--database", "other"]);
    assert_eq!((code, last(&lines)["error"]["code"].as_str()), (2, Some("usage")), "{lines:#?}");
    let foreign = Project::without_database();
    foreign.file("sqlx/1_a.sql", "CREATE TABLE a (id int);\n");
    let directory = foreign.db().join("sqlx").display().to_string();
    let into = Project::without_database();
    let (code, lines) = into.json(&["import", "sqlx", &directory, "--dry-run"]);
    assert_eq!((code, &last(&lines)["command"]), (0, &json!("import")), "{lines:#?}");
    assert!(last(&lines)["message"].as_str().unwrap().contains("1_a.sql"), "{lines:#?}");
    let files = |lines: &[Value]| -> Vec<String> {
        let files = last(lines)["files"].as_array().unwrap_or_else(|| panic!("{lines:#?}")).iter();
        files.map(|file| file.as_str().unwrap().to_owned()).collect()
    };
    let would_be = files(&lines);
    assert_eq!((&last(&lines)["dry_run"], would_be.iter().any(|file| Path::new(file).exists())), (&json!(true), false));
    let (code, lines) = into.json(&["import", "sqlx", &directory]);
    let written = files(&lines);
    assert_eq!((code, &last(&lines)["dry_run"], &written), (0, &json!(false), &would_be), "{lines:#?}");
    let all = ["imported.toml", "migrations/1_a.sql", "migrator.toml"].map(|path| into.db().join(path));
    assert_eq!(written, all.each_ref().map(|path| path.display().to_string()));
    assert!(all.iter().all(|path| path.exists()), "{all:?}");
    // Each mistake is told, the end last.
    for name in ["2_b.sql", "3_c.sql"] {
        std::os::unix::fs::symlink("1_a.sql", foreign.db().join("sqlx").join(name)).unwrap();
    }
    let (code, lines) = Project::without_database().json(&["import", "sqlx", &directory]);
    let told: Vec<&Value> = of(&lines, "error").iter().map(|line| &line["error"]["message"]).collect();
    let expected =
        ["2_b.sql", "3_c.sql"].map(|name| json!(format!("{name}: it is a symbolic link, which is not followed")));
    assert_eq!(told, expected.each_ref(), "{lines:#?}");
    assert_eq!((code, &last(&lines)["error"]["message"]), (1, &json!("nothing was imported: 2 errors")));
}
