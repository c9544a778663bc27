//! An `init` that was killed: the next one goes on where it was.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::workspace::{files, repository};

/// What it says, without the difference.
fn init(root: &Path) -> String {
    let mut init = Command::new(env!("CARGO_BIN_EXE_xtask"));
    init.args(["init", "--yes", "--path"]).arg(repository()).current_dir(root).env("RUST_BACKTRACE", "0");
    let output = init.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

/// The files that it writes, in the order in which it says that it wrote them.
fn written(said: &str) -> Vec<String> {
    let list = said.lines().find_map(|line| line.strip_prefix("wrote into `")?.split_once("`: "));
    let (_, list) = list.unwrap_or_else(|| panic!("{said}"));
    list.split(", ").map(str::to_owned).collect()
}

#[track_caller]
fn goes_on(before: &[(&str, &str)]) {
    // Outside of this repository, whose workspace would be found. In one folder: the way to the libraries is the same from each.
    let folder = tempfile::tempdir().unwrap();
    let new = |name: &str| {
        let root = folder.path().join(name);
        for (path, text) in before {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), text).unwrap();
        }
        fs::create_dir_all(&root).unwrap();
        root
    };
    let whole = new("whole");
    let order = written(&init(&whole));
    assert_eq!(order.last().map(String::as_str), Some("Cargo.toml"));
    let expected = files(&whole);
    for killed_after in 1..order.len() {
        let root = new(&format!("killed-{killed_after}"));
        for path in &order[..killed_after] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::copy(whole.join(path), root.join(path)).unwrap();
        }
        assert_eq!(written(&init(&root)), order[killed_after..], "{killed_after}");
        assert!(files(&root) == expected, "{killed_after}");
        assert!(init(&root).contains("nothing to change"));
    }
}

#[test]
fn a_new_workspace_that_is_half_done_is_completed() {
    goes_on(&[]);
}

#[test]
fn a_workspace_that_is_half_done_is_completed() {
    goes_on(&[("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = []\n")]);
}
