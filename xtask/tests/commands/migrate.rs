//! `migrate`, its short forms and `db`.

use std::fs;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use expect_test::expect;
use migrator_postgres::{Cluster, Installation};

use crate::workspace::{Workspace, without_cargo};

#[test]
fn migrate_passes_arguments_environment_and_exit_code_through() {
    let workspace = Workspace::new();
    workspace.write(".env", "DATABASE_URL=postgresql://from/env\nPGHOST=elsewhere\n");
    workspace.write(".env.test", "DATABASE_URL=postgresql://from/test\n");
    workspace.check(
        &mut workspace.xtask("migrate status --check --json"),
        expect![[r#"
            exit 0
            --- stdout
            status --check --json | postgresql://from/env | elsewhere | dev
        "#]],
    );
    workspace.check(
        &mut workspace.xtask("up --to 3 --env test"),
        expect![[r#"
            exit 0
            --- stdout
            up --to 3 | postgresql://from/test | elsewhere | dev
        "#]],
    );
    workspace.check(
        workspace.xtask("up").env("DATABASE_URL", "postgresql://real"),
        expect![[r#"
            exit 0
            --- stdout
            up | postgresql://real | elsewhere | dev
        "#]],
    );
    workspace.check(
        &mut workspace.xtask("migrate show 7"),
        expect![[r#"
            exit 7
        "#]],
    );
}

#[test]
fn migrate_refuses_a_binary_with_other_sql_than_the_directorys() {
    let workspace = Workspace::new();
    workspace.write("digest", "stale");
    let digest = migrator_build::load(&workspace.path("db")).unwrap().set.digest;
    let output = workspace.xtask("migrate version").output().unwrap();
    let said = without_cargo(&String::from_utf8(output.stderr).unwrap()).replace(&*digest, "<digest>");
    assert_eq!(output.status.code(), Some(9));
    expect![[r#"
        error: the SQL in the migrator differs from `<root>/db` (digest stale, expected <digest>)
        help: the package `migrator` needs a build.rs with `migrator_build::embed("../db")`; if it has one, `cargo clean --package migrator`
    "#]]
    .assert_eq(&said.replace(fs::canonicalize(workspace.folder.path()).unwrap().to_str().unwrap(), "<root>"));
}

#[test]
fn migrate_builds_again_when_a_changed_file_looks_old() {
    let workspace = Workspace::new();
    let run = || workspace.xtask("migrate version").output().unwrap();
    assert!(run().status.success());
    workspace.migration("001_init", "CREATE TABLE users (id text);");
    workspace.embed();
    for path in ["db/migrations/001_init.sql", "db/migrations", "db"] {
        fs::File::open(workspace.path(path)).unwrap().set_modified(UNIX_EPOCH + Duration::from_secs(1)).unwrap();
    }
    let output = run();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn migrate_shows_a_build_failure_as_cargo_does() {
    let workspace = Workspace::new();
    workspace.write("migrator/src/main.rs", "fn main() { wrong() }");
    let output = workspace.xtask("up").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(9), "{said}");
    assert!(said.contains("error[E0425]: cannot find function `wrong` in this scope"), "{said}");
    assert!(said.contains("--> migrator/src/main.rs:1:13"), "{said}");
}

/// Destroys the workspace's cluster, also when the test fails.
struct Destroyed(Cluster);

impl Drop for Destroyed {
    fn drop(&mut self) {
        self.0.destroy().unwrap();
    }
}

#[test]
fn without_a_database_url_migrate_starts_the_workspaces_own_server_and_creates_the_database() {
    let workspace = Workspace::new();
    let cluster = Destroyed(Cluster::of_workspace(workspace.folder.path()).unwrap());
    let mut command = workspace.xtask("up --no-dump");
    let output = command.env("PGHOST", "production").env("DATABASE_URL", "").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = workspace.xtask("db url").output().unwrap();
    let url = String::from_utf8(printed.stdout).unwrap().trim().to_owned();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), format!("up | {url} | - | dev"));
    assert!(url.ends_with(&format!("/{}", cluster.0.database())), "{url}");
    let psql = Installation::find().unwrap().directory.join("psql");
    let asked = Command::new(psql).args([&url, "-XAtc", "SELECT current_database()"]).output().unwrap();
    assert_eq!(String::from_utf8(asked.stdout).unwrap().trim(), cluster.0.database());

    workspace.check(
        &mut workspace.xtask("db destroy"),
        expect![[r#"
            exit 2
            --- stderr
            error: `db destroy` asks before it deletes every database, but there is no terminal to ask
            help: pass `--yes`
        "#]],
    );
    assert!(workspace.xtask("db destroy --yes").output().unwrap().status.success());
    workspace.check(
        &mut workspace.xtask("db status"),
        expect![[r#"
            exit 0
            --- stdout
            absent: `cargo xtask db start` creates it
        "#]],
    );
    workspace.check(
        &mut workspace.xtask("db url"),
        expect![[r#"
            exit 9
            --- stderr
            error: the workspace's PostgreSQL is not running
            help: run `cargo xtask db start`
        "#]],
    );
}

#[test]
fn commands_that_do_not_connect_start_no_server() {
    let workspace = Workspace::new();
    let output = workspace.xtask("migrate list").env("PG_BIN", "/nonexistent").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = workspace.xtask("up").env("PG_BIN", "/nonexistent").output().unwrap();
    let said = without_cargo(&String::from_utf8_lossy(&output.stderr));
    assert!(said.starts_with("error: no usable PostgreSQL in PG_BIN=`/nonexistent`"), "{said}");
    assert!(said.trim_end().lines().last().unwrap().starts_with("help: install the server"), "{said}");
    let cluster = Cluster::of_workspace(workspace.folder.path()).unwrap();
    assert!(!cluster.data_directory().parent().unwrap().exists(), "a failed start leaves nothing");
}
