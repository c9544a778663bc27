//! What a build of this repository gives: the migrator that ships, however the build is called.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::{Workspace, files, repository, tracked};

/// This repository in a folder of its own: what git tracks, or all files where git cannot say.
fn copy() -> Workspace {
    let read = |path: &String| Some((PathBuf::from(path), fs::read(repository().join(path)).ok()?));
    let files = match tracked() {
        Some(tracked) => tracked.iter().filter_map(read).collect(),
        None => files(&repository()),
    };
    Workspace::of("repository", &files)
}

fn holds(binary: &Path, text: &str) -> bool {
    fs::read(binary).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_plain_build_gives_the_migrator_that_ships() {
    let workspace = copy();
    let built = |line: &str| {
        let output = workspace.output(&mut workspace.cargo(line));
        assert_eq!(output.code, "0", "{line}: {}", output.stderr);
        let messages = workspace.output(&mut workspace.cargo(&format!("{line} --message-format json")));
        let messages = messages.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let own =
            |message: &serde_json::Value| message["target"]["name"] == "migrator" && message["executable"].is_string();
        let executable = messages.filter(own).find_map(|message| message["executable"].as_str().map(str::to_owned));
        PathBuf::from(executable.unwrap().replace("<home>", concat!(env!("CARGO_TARGET_TMPDIR"), "/foreign")))
    };
    for line in ["build --offline", "build --offline --workspace"] {
        let migrator = built(line);
        for text in ["DROP DATABASE", "MIGRATOR_PLANTED_BUG"] {
            assert!(!holds(&migrator, text), "`cargo {line}` gives a migrator with `{text}` inside");
        }
        let drop = workspace.output(workspace.program(&migrator).args(["drop", "--yes"]));
        assert_eq!(drop.code, "2", "{line}: {}", drop.stderr);
        assert!(drop.stderr.contains("unrecognized command `drop`"), "{line}: {}", drop.stderr);
        // The search finds what is there.
        assert!(holds(&migrator, "schema_migrations"));
    }
    let tested = Path::new(env!("CARGO_BIN_EXE_dir-migrator"));
    assert!(holds(tested, "DROP DATABASE") && holds(tested, "MIGRATOR_PLANTED_BUG"));
}

/// Features as cargo unites them when it builds everything, with the tests: a release of that has to be sound too.
#[test]
fn no_package_of_the_workspace_switches_on_what_must_not_ship() {
    let tree = |arguments: &[&str]| {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args([
            "tree",
            "--offline",
            "--workspace",
            "--edges",
            "normal,build,dev",
            "--prefix",
            "none",
            "--format",
            "{p} [{f}]",
        ]);
        let output = cargo.args(arguments).current_dir(repository()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let mut engines: Vec<String> = text
            .lines()
            .filter(|line| line.starts_with("migrator-engine "))
            .map(|line| line.rsplit_once('[').unwrap().1.split(']').next().unwrap().to_owned())
            .collect();
        engines.sort();
        engines.dedup();
        engines
    };
    assert_eq!(tree(&[]), [""], "the features of the engine in `cargo build --workspace --all-targets`");
    assert_eq!(tree(&["--all-features"]), [""], "and with every feature that there is");
}
