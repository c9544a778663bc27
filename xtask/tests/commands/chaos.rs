//! `chaos`.

use expect_test::expect;

use crate::workspace::Workspace;

/// Passes with seed 3 only, and says what it was told.
const STAND_IN: &str = r#"
#[test]
fn sweep() {
    let [form, seed, jobs] = ["", "_SEED", "_JOBS"].map(|name| std::env::var(format!("MIGRATOR_CHAOS{name}")).unwrap());
    eprintln!("TOLD {form} {seed} {jobs}");
    assert_eq!(seed, "3");
}
"#;

#[test]
fn chaos_runs_the_whole_sweep_and_fails_with_it() {
    let workspace = Workspace::new();
    workspace.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"migrator\", \"proofs\"]\n");
    workspace.package("proofs", "");
    workspace.write("proofs/tests/chaos.rs", STAND_IN);
    let run = |line: &str| {
        let output = workspace.xtask(line).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let told = said.lines().find(|line| line.starts_with("TOLD")).unwrap_or_else(|| panic!("{said}")).to_owned();
        (output.status.code(), told, said.lines().last().unwrap().to_owned())
    };
    let (code, told, _) = run("chaos --seed 3 --jobs 5");
    assert_eq!((code, &*told), (Some(0), "TOLD full 3 5"));
    let (code, told, last) = run("chaos --jobs 1");
    assert_eq!((code, &*told), (Some(1), "TOLD full 1 1"));
    assert_eq!(
        last,
        "the output above names what failed: a point with a broken promise, or a test beside the sweep; to run the same points again: \
         cargo xtask chaos --seed 1"
    );
    workspace.write("proofs/tests/chaos.rs", "no Rust");
    let output = workspace.xtask("chaos").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(9), "{said}");
    assert!(said.ends_with("error: the tests of the package `proofs` do not compile\n"), "{said}");
}

#[test]
fn chaos_needs_a_workspace_that_has_the_tests() {
    let workspace = Workspace::new();
    workspace.check(
        &mut workspace.xtask("chaos"),
        expect![[r#"
            exit 9
            --- stderr
            error: no package of the workspace has a test target `chaos`
            help: the sweep is part of migrator's own workspace; run it in a checkout of migrator
        "#]],
    );
}
