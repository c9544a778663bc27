//! `ci` and `dist`.

use expect_test::expect;
use xshell::cmd;

use crate::workspace::{STAND_IN, Workspace};

#[test]
fn dist_builds_without_dev_names_the_commit_and_writes_the_sums() {
    let workspace = Workspace::new().with_git();
    let shell = &workspace.shell;
    workspace.check(
        &mut workspace.xtask("dist"),
        expect![[r#"
        exit 0
        --- stdout
        target/dist/migrator
        target/dist/SHA256SUMS
    "#]],
    );
    let run = || {
        let dist = workspace.path("target/dist");
        let _directory = shell.push_dir(&dist);
        cmd!(shell, "sha256sum --check --quiet SHA256SUMS").quiet().run().unwrap();
        cmd!(shell, "./migrator x").env_remove("DATABASE_URL").env_remove("PGHOST").quiet().read().unwrap()
    };
    let commit = cmd!(shell, "git rev-parse HEAD").quiet().read().unwrap();
    assert_eq!(run(), format!("x | - | - | - | release | {commit}"));
    workspace.write("db/seeds/test.sql", "SELECT 1;\n");
    assert!(workspace.xtask("dist").output().unwrap().status.success());
    assert_eq!(run(), format!("x | - | - | - | release | {commit}-dirty"));
}

#[test]
fn dist_refuses_a_binary_that_can_drop_a_database() {
    let workspace = Workspace::new();
    workspace.write("migrator/src/main.rs", &STAND_IN.replace("COMMAND", "drop"));
    workspace.check(
        &mut workspace.xtask("dist"),
        expect![[r#"
        exit 9
        --- stderr
        no git commit here: the binary names none
        help: set MIGRATOR_COMMIT
        error: the release binary has the command `drop`, which must not ship
    "#]],
    );
    assert!(!workspace.path("target/dist").exists());
}

#[test]
fn dist_refuses_a_binary_that_holds_what_only_tests_and_developers_need() {
    for (name, what) in [
        ("MIGRATOR_WORKSPACE_DATA_DIRECTORY", "the development commands"),
        ("MIGRATOR_PLANTED_BUG", "the planted defects of the tests"),
    ] {
        let workspace = Workspace::new();
        workspace.write("migrator/src/main.rs", &STAND_IN.replace("-\" };", &format!("{name}\" }};")));
        let output = workspace.xtask("dist").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let expected = format!("error: the release binary contains {what}, which must not ship: it reads `{name}`\n");
        assert_eq!(output.status.code(), Some(9));
        assert!(said.contains(&expected), "{said}");
        assert!(!workspace.path("target/dist").exists());
    }
}

#[test]
fn ci_stops_at_the_first_failure() {
    let workspace = Workspace::new();
    workspace.write("migrator/src/lib.rs", "pub   fn f() {}\n");
    let output = workspace.xtask("ci").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(9));
    assert!(said.starts_with("fmt ...\n") && !said.contains("clippy"), "{said}");
    assert!(said.ends_with("error: `cargo fmt --all --check` failed (exit status: 1)\n"), "{said}");
}
