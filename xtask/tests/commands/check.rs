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
        skipped: append-only, because this is not a git repository

        nothing found
    "#]],
    );
    let workspace = workspace.with_git();
    workspace.check(
        &mut workspace.xtask("check --json"),
        expect![[r#"
            exit 0
            --- stdout
            {"format":1,"command":"check","exit":0,"findings":[],"message":"nothing found","skipped":["append-only, because `origin/main` does not exist; name a base with `--base`"]}
        "#]],
    );
    workspace.check(
        &mut workspace.xtask("check --base nowhere"),
        expect![[r#"
        exit 9
        --- stderr
        error: unknown base `nowhere`
        help: run `git fetch`, or name another branch
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
             = help: rename the one that has not been applied anywhere, for example `1_twice.sql` to `2_twice.sql`

            error[M010]: missing `-- migrate:up`
            --> db/migrations/1_twice.sql
             = help: add `-- migrate:up` above the statements, and `-- migrate:down` above those that undo them

            skipped: hazards, because the files have errors

            skipped: append-only, because this is not a git repository

            2 errors, 0 warnings
        "#]],
    );
}

#[test]
fn check_shows_a_hazard_with_its_lock_its_reason_and_the_safe_way() {
    let workspace = Workspace::new();
    workspace.migration("002_index", "CREATE INDEX users_id_idx ON users (id);");
    workspace.check(&mut workspace.xtask("check"), expect![[r#"
        exit 1
        --- stdout
        error[require-concurrent-index-creation]: an index is built on `users` while no one can write to it
         --> db/migrations/002_index.sql:3:1
          |
        3 | CREATE INDEX users_id_idx ON users (id);
          | ^
          |
          = note: lock: Share on the table: writers wait until the index is built
          = note: reason: the whole table is read and sorted, which takes minutes on a large one
          = help: `CREATE INDEX CONCURRENTLY`, alone in a `transaction:false` block; or `-- migrate:allow require-concurrent-index-creation <reason>` above the statement

        skipped: append-only, because this is not a git repository

        1 error, 0 warnings
    "#]]);
    workspace.check(&mut workspace.xtask("check --json"), expect![[r#"
        exit 1
        --- stdout
        {"format":1,"command":"check","exit":1,"findings":[{"check":"hazard","code":null,"column":1,"file":"db/migrations/002_index.sql","help":"`CREATE INDEX CONCURRENTLY`, alone in a `transaction:false` block; or `-- migrate:allow require-concurrent-index-creation <reason>` above the statement","line":3,"lock":"Share on the table: writers wait until the index is built","message":"an index is built on `users` while no one can write to it","reason":"the whole table is read and sorted, which takes minutes on a large one","rule":"require-concurrent-index-creation","severity":"error"}],"message":"1 error, 0 warnings","skipped":["append-only, because this is not a git repository"]}
    "#]]);
    workspace.check(&mut workspace.xtask("check --format github"), expect![[r#"
        exit 1
        --- stdout
        ::error file=db/migrations/002_index.sql,line=3,col=1,title=require-concurrent-index-creation::an index is built on `users` while no one can write to it%0Alock: Share on the table: writers wait until the index is built%0Areason: the whole table is read and sorted, which takes minutes on a large one%0Ahelp: `CREATE INDEX CONCURRENTLY`, alone in a `transaction:false` block; or `-- migrate:allow require-concurrent-index-creation <reason>` above the statement
        --- stderr
        skipped: append-only, because this is not a git repository
    "#]]);
    workspace.migration(
        "002_index",
        "-- migrate:allow require-concurrent-index-creation a hundred rows\nCREATE INDEX users_id_idx ON users (id);",
    );
    workspace.check(
        &mut workspace.xtask("check"),
        expect![[r#"
        exit 0
        --- stdout
        skipped: append-only, because this is not a git repository

        nothing found
    "#]],
    );
}

#[test]
fn annotations_name_files_from_the_root_of_the_repository() {
    let outer = Workspace::new().with_git();
    for path in ["Cargo.toml", "db/migrations/001_init.sql", "migrator/Cargo.toml", "migrator/src/main.rs"] {
        outer.write(&format!("shop/{path}"), &fs::read_to_string(outer.path(path)).unwrap());
    }
    outer.write("shop/db/migrations/002_drop.sql", "-- migrate:up\nDROP TABLE users;\n-- migrate:down\n");
    let mut command = outer.xtask("check --format github");
    outer.check(command.current_dir(outer.path("shop")), expect![[r#"
        exit 1
        --- stdout
        ::error file=shop/db/migrations/002_drop.sql,line=2,col=1,title=ban-drop-table::`users` is dropped with what is in it%0Alock: AccessExclusive on the table: readers and writers wait%0Areason: the release that is still running uses it until the last machine has the new one%0Ahelp: drop it one release after the last code that names it, and allow it: `-- migrate:allow ban-drop-table <reason>` above the statement
        --- stderr
        skipped: append-only, because `origin/main` does not exist; name a base with `--base`
    "#]]);
}

#[test]
fn check_proves_that_no_other_build_script_reads_the_db_directory() {
    let workspace = Workspace::new();
    workspace
        .write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"migrator\", \"backend\", \"shop-tests\"]\n");
    let script = "fn main() {\n    println!(\"cargo::rerun-if-changed=x\");\n    std::fs::read_dir(\"../db/migrations\").unwrap();\n}\n";
    for package in ["backend", "shop-tests"] {
        workspace.package(package, "");
        workspace.write(&format!("{package}/build.rs"), script);
    }
    workspace.check(&mut workspace.xtask("check"), expect![[r#"
        exit 1
        --- stdout
        error[separation]: the build script of `backend` reads the db directory: `../db/migrations`
        --> backend/build.rs:3:1
         = help: remove it: only the package `migrator` and packages called `...-tests` may read the db directory; a backend knows the schema only through its queries

        skipped: append-only, because this is not a git repository

        1 error, 0 warnings
    "#]]);
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
fn check_finds_a_file_that_the_base_branch_has_overtaken() {
    let workspace = Workspace::new().with_git();
    let shell = &workspace.shell;
    cmd!(shell, "git switch --quiet --create feature").quiet().run().unwrap();
    workspace.migration("002_mine", "SELECT 2;");
    workspace.commit();
    cmd!(shell, "git switch --quiet main").quiet().run().unwrap();
    workspace.migration("003_theirs", "SELECT 3;");
    workspace.commit();
    cmd!(shell, "git switch --quiet feature").quiet().run().unwrap();
    workspace.check(
        &mut workspace.xtask("check --base main"),
        expect![[r#"
        exit 1
        --- stdout
        error[append-only]: `002_mine.sql` is out of order: `main` is already at `003_theirs.sql`
        --> db/migrations/002_mine.sql
         = help: a database that has the newer one refuses it: give it a higher number than `003_theirs.sql`

        1 error, 0 warnings
    "#]],
    );
}

#[test]
fn check_works_in_a_shallow_clone_or_says_what_to_fetch() {
    let workspace = Workspace::new().with_git();
    let shell = &workspace.shell;
    cmd!(shell, "git switch --quiet --create feature").quiet().run().unwrap();
    workspace.migration("002_mine", "SELECT 2;");
    workspace.commit();
    let clone = |options: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("file://{}", workspace.folder.path().display());
        let path = folder.path();
        cmd!(shell, "git clone --quiet --depth 1 --branch feature {options...} {url} {path}").quiet().run().unwrap();
        folder
    };
    let run = |folder: &tempfile::TempDir, expected| {
        let mut command = workspace.xtask("check");
        workspace.check(command.current_dir(folder.path()), expected);
    };
    // Both branches, each cut off behind its last commit.
    run(
        &clone(&["--no-single-branch"]),
        expect![[r#"
            exit 9
            --- stderr
            error: `origin/main` and HEAD have no common commit
            help: if this clone is shallow, run `git fetch --unshallow` (in CI: fetch-depth 0)
        "#]],
    );
    // What actions/checkout leaves behind: the base branch is not there.
    let folder = clone(&[]);
    run(
        &folder,
        expect![[r#"
            exit 0
            --- stdout
            skipped: append-only, because `origin/main` does not exist; name a base with `--base`; this clone is shallow: run `git fetch --unshallow origin main:refs/remotes/origin/main`

            nothing found
        "#]],
    );
    let (path, main) = (folder.path(), "main:refs/remotes/origin/main");
    cmd!(shell, "git -C {path} fetch --quiet --unshallow origin {main}").quiet().run().unwrap();
    run(
        &folder,
        expect![[r#"
        exit 0
        --- stdout
        nothing found
    "#]],
    );
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
         = help: remove `migrator-engine` from the dependencies of `store`: only the packages `migrator`, `xtask`, `...-xtask` and `...-tests` may depend on the engine; tests of others may do so through dev-dependencies

        error[separation]: `store` depends on `migrator-engine`: store -> migrator-engine
         = help: remove `migrator-engine` from the dependencies of `store`: only the packages `migrator`, `xtask`, `...-xtask` and `...-tests` may depend on the engine; tests of others may do so through dev-dependencies

        skipped: append-only, because this is not a git repository

        2 errors, 0 warnings
    "#]]);
}
