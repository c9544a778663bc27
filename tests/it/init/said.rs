//! What `init` says of a workspace: where it is, what stays as it is, and what is left to do.

use std::fs;
use std::process::Stdio;

use expect_test::expect;
use serde_json::Value;

use super::place::{BACKEND, Place, without_diff};
use crate::support::finish_json;
use crate::workspace::repository;

/// The lines that `init` says, without those that name what it writes.
fn said(output: &str) -> String {
    let lines = without_diff(output);
    lines.lines().filter(|line| !line.starts_with("wrote into")).map(|line| format!("{line}\n")).collect()
}

/// The last object of `init --json`, which goes well.
fn json(place: &Place, line: &str) -> Value {
    let mut init = place.workspace.program(env!("CARGO_BIN_EXE_xtask"));
    init.arg("init").args(line.split_whitespace()).arg("--json").arg("--path").arg(repository());
    init.current_dir(place.path("")).env_remove("CARGO").stdout(Stdio::piped()).stderr(Stdio::piped());
    let (code, mut lines) = finish_json(init.spawn().unwrap());
    assert_eq!(code, 0, "{lines:#?}");
    lines.pop().unwrap()
}

#[test]
fn a_folder_of_a_workspace_says_which_workspace_it_is_of() {
    let place = Place::new(
        "init_said",
        &[
            ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"backend\"]\n"),
            ("backend/Cargo.toml", BACKEND),
            ("backend/src/lib.rs", ""),
        ],
    );
    let dry = place.init("backend --dry-run --yes");
    assert!(dry.starts_with("exit 0") && !place.path("db").exists(), "{dry}");
    let told = json(&place, "backend --dry-run");
    let would_be = told["files"].as_array().unwrap();
    assert!(told["dry_run"] == true && would_be.iter().any(|file| file == "xtask/src/main.rs"), "{told}");
    let output = place.init("backend --yes");
    assert!(output.contains("\nwrote into `<root>`: db/README.md, "), "{output}");
    let is_there = |file: &Value| place.path(file.as_str().unwrap()).is_file();
    assert!(would_be.iter().all(is_there), "{told}");
    // What is missing is written, and nothing else.
    fs::remove_file(place.path("db/README.md")).unwrap();
    let told = json(&place, "backend --yes");
    assert_eq!((&told["files"], &told["dry_run"]), (&serde_json::json!(["db/README.md"]), &false.into()));
    let again = place.init("backend --yes");
    assert!(again.contains("nothing to change in `<root>`"), "{again}");
    // The dependencies that are there are not those that are asked for.
    let mut init = place.workspace.program(env!("CARGO_BIN_EXE_xtask"));
    init.args(["init", "--yes", "--git", "https://example.com/m.git", "--tag", "v1"]);
    expect![[r#"
        exit 0
        --- stderr
        the dependencies stay as they are: `migrator-engine` in `migrator/Cargo.toml` is in `<repository>`, `migrator-build` in `migrator/Cargo.toml` is in `<repository>`, `migrator-xtask` in `xtask/Cargo.toml` is in `<repository>`
        help: to change them, edit these manifests
        nothing to change in `<root>`
    "#]].assert_eq(&place.workspace.run(&mut init));
}

#[test]
fn what_is_next_is_said_only_where_it_works() {
    let place = Place::new(
        "init_next",
        &[
            ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = []\n"),
            (".cargo/config.toml", "[alias]\nxtask = \"run -p tasks --\"\n"),
        ],
    );
    expect![[r#"
        exit 0
        --- stderr
        `cargo xtask` runs `run -p tasks --`, and `tasks` is not a package of this workspace
        help: make the alias `run --package xtask --` in `.cargo/config.toml`, and run this again
    "#]]
    .assert_eq(&said(&place.init("--yes")));
    let xtask = BACKEND.replace("backend", "tasks");
    place.workspace.write("tasks/Cargo.toml", xtask);
    place.workspace.write("tasks/src/main.rs", "entry!(main);\n");
    fs::write(place.path("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"tasks\", \"migrator\"]\n")
        .unwrap();
    expect![[r#"
        exit 0
        --- stderr
        `tasks/src/main.rs` has no `fn main()` that could be edited
        help: add these lines where your program starts:
              if let Some(code) = migrator_xtask::intercept(&[]) {
                  std::process::exit(code);
              }
        `cargo xtask check` lets only `migrator`, `xtask`, `...-xtask` and `...-tests` depend on the engine: rename `tasks`
    "#]].assert_eq(&said(&place.init("--yes")));
}
