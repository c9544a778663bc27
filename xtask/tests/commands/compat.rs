//! `compat`: the release is read from git, its queries from what it has there.

use std::process::Command;

use expect_test::{Expect, expect};
use xshell::cmd;

use crate::workspace::{Workspace, last_line};

const STORE: &str = r#"
pub async fn user(client: &tokio_postgres::Client, id: i64) {
    let _ = client
        .query_one("SELECT id, name FROM users WHERE id = $1", &[&id])
        .await;
}
"#;

/// A backend that asks in Rust and in a file, at `v1.21`; what follows renames a column.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"migrator\", \"shop\"]\n");
    workspace.package("shop", "[dependencies]\ntokio-postgres = \"0.7\"\n");
    workspace.write("shop/src/lib.rs", STORE);
    workspace.write("shop/queries/users.sql", "--! all_users\nSELECT id FROM users;\n");
    workspace.migration("002_name", "ALTER TABLE users ADD COLUMN name text;");
    let workspace = workspace.with_git();
    cmd!(workspace.shell, "git tag v1.21").run().unwrap();
    workspace.migration("003_full_name", "ALTER TABLE users RENAME name TO full_name;");
    workspace.write("shop/src/lib.rs", &STORE.replace("name", "full_name"));
    workspace.commit();
    workspace
}

#[track_caller]
fn check(workspace: &Workspace, command: &mut Command, expected: Expect) {
    let output = command.output().unwrap();
    let text = [&output.stdout, &output.stderr].map(|part| String::from_utf8_lossy(part).into_owned()).concat();
    let timed =
        |line: &str| line.rsplit_once(" (").filter(|_| line.ends_with("s)")).map_or(line, |(rest, _)| rest).to_owned();
    let text: String = text.lines().map(|line| timed(line) + "\n").collect();
    expected.assert_eq(&format!("exit {}\n{text}", output.status.code().unwrap()));
    let status = cmd!(workspace.shell, "git status --porcelain").read().unwrap();
    assert_eq!(status, "");
}

#[test]
fn the_newest_tag_is_the_release_that_runs() {
    let workspace = workspace();
    check(
        &workspace,
        &mut workspace.xtask("compat"),
        expect![[r#"
            exit 1
            FAILED  1 of 2 queries of `v1.21` breaks on the new schema
                    shop/src/lib.rs:4 since 003_full_name: column "name" does not exist [42703]
                        SELECT id, name FROM users WHERE id = $1
                    no order works: the migrations break the running release, and the new one needs them; what fails on the schema of `v1.21`:
                        shop/src/lib.rs:4: column "full_name" does not exist [42703]
                    db/migrations/003_full_name.sql:3 renaming-column: breaks 1 query of `v1.21`
            the release that runs is `v1.21`: the newest tag, with 2 migrations
        "#]],
    );
    check(
        &workspace,
        &mut workspace.xtask("compat --release HEAD"),
        expect![[r#"
            exit 0
            ok      none of 2 queries of `HEAD` breaks on the new schema
                    either order works: the queries of the working tree run on the schema of `HEAD` too
            the release that runs is `HEAD`: named, with 3 migrations
        "#]],
    );
    let output = workspace.xtask("verify --json").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let report = last_line(&output.stdout);
    let release = report["findings"].as_array().unwrap().iter().find(|answer| answer["name"] == "release").unwrap();
    assert_eq!(release["verdict"], "failed", "{release}");
    assert_eq!(release["lines"][0], "1 of 2 queries of `v1.21` breaks on the new schema");
}

#[test]
fn without_a_release_there_is_nothing_to_judge() {
    let workspace = Workspace::new();
    let output = workspace.xtask("compat").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(9), "{said}");
    assert!(said.contains("error: no release to compare with: this is not a git repository\nhelp: "), "{said}");
}
