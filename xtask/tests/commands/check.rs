//! `check`.

use std::fs;

use expect_test::expect;
use xshell::cmd;

use crate::workspace::Workspace;

#[test]
fn check_finds_nothing_in_a_clean_workspace_and_says_what_it_could_not_see() {
    let workspace = Workspace::new();
    workspace.check(
        &mut workspace.xtask("check"),
        expect![[r#"
        exit 0
        --- stdout
        not checked: append-only, as this is no git repository

        nothing found
    "#]],
    );
    let workspace = workspace.with_git();
    workspace.check(
        &mut workspace.xtask("check --json"),
        expect![[r#"
        exit 0
        --- stdout
        {"findings":[],"ok":true,"skipped":["append-only, as `origin/main` does not exist; name a base with --base"]}
    "#]],
    );
    workspace.check(
        &mut workspace.xtask("check --base nowhere"),
        expect![[r#"
        exit 9
        --- stderr
        error: the base `nowhere` is no commit of this repository
        help: `git fetch`, or name another
    "#]],
    );
}

#[test]
fn check_shows_every_problem_of_the_files() {
    let workspace = Workspace::new();
    workspace.write("db/migrations/1_twice.sql", "SELECT 1;\n");
    workspace.check(
        &mut workspace.xtask("check"),
        expect![[r#"
            exit 1
            --- stdout
            error[M006]: `001` and `1` are the same version: `db/migrations/001_init.sql` and `db/migrations/1_twice.sql`
            --> db/migrations/1_twice.sql
             = help: give the one that has not been applied anywhere the next version: rename `1_twice.sql` to `2_twice.sql`

            error[M010]: there is no `-- migrate:up`
            --> db/migrations/1_twice.sql
             = help: add `-- migrate:up` above the statements, and `-- migrate:down` above those that take them back

            not checked: append-only, as this is no git repository

            2 errors, 0 warnings
        "#]],
    );
}

#[test]
fn check_holds_the_migrations_of_the_base_branch() {
    let workspace = Workspace::new();
    for (name, up) in [("002_a", "SELECT 2;"), ("003_b", "SELECT 3;"), ("004_c", "SELECT 4;")] {
        workspace.migration(name, up);
    }
    let workspace = workspace.with_git();
    let shell = &workspace.shell;
    cmd!(shell, "git switch --quiet --create feature").quiet().run().unwrap();
    workspace.migration("001_init", "-- only a comment\nCREATE   TABLE users (id bigint);");
    workspace.migration("002_a", "SELECT 22;");
    fs::rename(workspace.path("db/migrations/003_b.sql"), workspace.path("db/migrations/003_z.sql")).unwrap();
    fs::remove_file(workspace.path("db/migrations/004_c.sql")).unwrap();
    workspace.migration("005_new", "SELECT 5;");
    let findings = |line: &str| {
        let output = workspace.xtask(line).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let messages = report["findings"].as_array().unwrap().iter().filter(|found| found["check"] == "append-only");
        let messages: Vec<_> = messages.map(|found| found["message"].as_str().unwrap().to_owned()).collect();
        (output.status.code(), messages.join("\n"))
    };
    let expected = expect![[r#"
        `002_a.sql` is in `origin/main` and what its up block executes was changed
        `003_b.sql` is in `origin/main` and was renamed to `003_z.sql`
        `004_c.sql` is in `origin/main` and was deleted"#]];
    cmd!(shell, "git update-ref refs/remotes/origin/main main").quiet().run().unwrap();
    let (code, text) = findings("check --json");
    assert_eq!(code, Some(1));
    expected.assert_eq(&text);
    workspace.commit();
    assert_eq!(findings("check --json").1, text, "a commit on the branch changes nothing");
    assert_eq!(findings("check --base HEAD --json").1, "", "and is the history of what comes behind it");
    let status = cmd!(shell, "git status --porcelain").quiet().read().unwrap();
    assert_eq!(status, "", "the user's index is left alone");
}

#[test]
fn check_proves_that_the_backend_has_no_engine() {
    let workspace = Workspace::new();
    workspace.write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"migrator\", \"backend\", \"store\", \"shop-tests\"]\n",
    );
    let engine = "migrator-engine = { path = \"../migrator-engine\" }\n";
    workspace.package("migrator-engine", "");
    workspace
        .package("store", "[dependencies]\nmigrator-engine = { path = \"../migrator-engine\", optional = true }\n");
    workspace.package(
        "backend",
        &format!("[dependencies]\nstore = {{ path = \"../store\" }}\n[dev-dependencies]\n{engine}"),
    );
    workspace.package("shop-tests", &format!("[dependencies]\n{engine}"));
    workspace.check(&mut workspace.xtask("check"), expect![[r#"
        exit 1
        --- stdout
        error[separation]: `backend` depends on `migrator-engine`: backend -> store -> migrator-engine
         = help: take `migrator-engine` out of the dependencies of `store`: only the package `migrator` and packages called `...-tests` may depend on the engine; tests of others may do so through dev-dependencies

        error[separation]: `store` depends on `migrator-engine`: store -> migrator-engine
         = help: take `migrator-engine` out of the dependencies of `store`: only the package `migrator` and packages called `...-tests` may depend on the engine; tests of others may do so through dev-dependencies

        not checked: append-only, as this is no git repository

        2 errors, 0 warnings
    "#]]);
}
