//! `verify`.

use std::process::Command;

use xshell::cmd;

use crate::workspace::Workspace;

#[test]
fn verify_runs_the_migrator_on_a_server_of_its_own() {
    let workspace = Workspace::new();
    workspace.write(".env", "DATABASE_URL=postgresql://somebody/elses\n");
    let output = workspace.xtask("verify --json").env("DATABASE_URL", "postgresql://somebody/elses").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (arguments, rest) = said.split_once(" | ").unwrap();
    let url = rest.split(" | ").next().unwrap();
    let handed_over = arguments.strip_prefix("verify --schema ").and_then(|rest| rest.strip_suffix(" --json")).unwrap();
    let (schema, base) = handed_over.split_once(" --base ").unwrap();
    assert!(schema.contains("there is no db/schema.sql"), "{schema}");
    // What was started for it is gone.
    let socket = url.strip_prefix("postgresql://postgres@%2F").and_then(|rest| rest.strip_suffix(":5432/postgres"));
    let socket = format!("/{}", socket.unwrap_or_else(|| panic!("{url}")).replace("%2F", "/"));
    assert!(!std::path::Path::new(&socket).exists(), "{socket}");
    assert_eq!(base, r#"{"unknown":"this is not a git repository"}"#);
}

/// What the migrator is told of the base branch; what its file was called.
#[track_caller]
fn base(command: &mut Command) -> serde_json::Value {
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let arguments = said.split(" | ").next().unwrap();
    serde_json::from_str(arguments.split_once(" --base ").unwrap().1).unwrap()
}

#[test]
fn verify_begins_at_the_base_branch_with_its_repeatables() {
    let workspace = Workspace::new();
    workspace.migration("002_more", "SELECT 1;");
    workspace.write("db/repeatable/w.sql", "SELECT 1;\r\nSELECT 'x';\r\n");
    workspace.write("db/repeatable/v.sql", "SELECT 2;\n");
    std::os::unix::fs::symlink("/etc/passwd", workspace.path("db/repeatable/x.sql")).unwrap();
    let workspace = workspace.with_git();
    let shell = &workspace.shell;
    std::fs::remove_file(workspace.path("db/repeatable/x.sql")).unwrap();
    // No branch is called so yet.
    workspace.embed();
    let unknown = serde_json::json!({ "unknown": "`origin/main` does not exist; name a base with `--base`" });
    assert_eq!(base(&mut workspace.xtask("verify")), unknown);
    cmd!(shell, "git update-ref refs/remotes/origin/main HEAD").run().unwrap();
    cmd!(shell, "git tag v1").run().unwrap();
    workspace.write("db/repeatable/v.sql", "SELECT 3;\n");
    workspace.migration("003_new", "SELECT 1;");
    workspace.commit();
    workspace.write("db/repeatable/w.sql", "SELECT 4;\n");
    workspace.embed();
    let repeatables = serde_json::json!([
        { "name": "v", "text": "SELECT 2;\n", "starts": [0] },
        { "name": "w", "text": "SELECT 1;\nSELECT 'x';\n", "starts": [0, 10] },
    ]);
    let known = |name: &str| {
        let known = serde_json::json!({ "name": name, "versions": ["001", "002"], "repeatables": repeatables });
        serde_json::json!({ "known": known })
    };
    assert_eq!(base(&mut workspace.xtask("verify")), known("origin/main"));
    assert_eq!(base(&mut workspace.xtask("verify --base v1")), known("v1"));
    let head = base(&mut workspace.xtask("verify --base HEAD"));
    assert_eq!(head["known"]["versions"], serde_json::json!(["001", "002", "003"]));
    assert_eq!(head["known"]["repeatables"][0]["text"], "SELECT 3;\n");
    workspace.check(
        &mut workspace.xtask("verify --base nowhere"),
        expect_test::expect![[r#"
            exit 9
            --- stderr
            error: unknown base `nowhere`
            help: run `git fetch`, or name another branch
        "#]],
    );
    // It does not matter where in the repository the workspace is, and the working tree is as it was.
    let status = cmd!(shell, "git status --porcelain").read().unwrap();
    assert_eq!(status.trim(), "M db/repeatable/w.sql\n M digest");
}
