//! `bench`.

use expect_test::expect;

use crate::workspace::Workspace;

/// Says what it was told.
const STAND_IN: &str = r#"
#[test]
fn figures() {
    let told = ["", "_ONLY", "_PEERS"].map(|name| std::env::var(format!("MIGRATOR_BENCH{name}")).unwrap());
    eprintln!("TOLD {}", told.join(" "));
    assert_ne!(told[1], "fails");
}
"#;

#[test]
fn bench_runs_what_measures_and_fails_with_it() {
    let workspace = Workspace::new();
    workspace.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"migrator\", \"proofs\"]\n");
    workspace.package("proofs", "");
    workspace.write("proofs/tests/speed.rs", STAND_IN);
    let run = |line: &str| {
        let output = workspace.xtask(line).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let told = said.lines().find(|line| line.starts_with("TOLD")).unwrap_or_else(|| panic!("{said}")).to_owned();
        (output.status.code(), told)
    };
    assert_eq!(run("bench --quick --only many counts"), (Some(0), "TOLD quick many,counts 0".to_owned()));
    assert_eq!(run("bench --peers"), (Some(0), "TOLD full  1".to_owned()));
    assert_eq!(run("bench --only fails").0, Some(9));
}

#[test]
fn bench_needs_a_workspace_that_has_the_measurement() {
    let workspace = Workspace::new();
    workspace.check(
        &mut workspace.xtask("bench"),
        expect![[r#"
            exit 9
            --- stderr
            error: no package of the workspace has a test target `speed`
            help: the benchmark is part of migrator's own workspace; run it in a checkout of migrator
        "#]],
    );
}
