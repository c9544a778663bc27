//! What `init` does not touch.

use std::fs;
use std::os::unix::fs::symlink;

use expect_test::{Expect, expect};

use super::place::{BACKEND, Place, without_diff};
use crate::support::not_tested;
use crate::workspace::repository;

#[track_caller]
fn refused(place: &Place, expected: Expect) {
    let before = place.all();
    expected.assert_eq(&place.init("--yes"));
    assert!(before == place.all(), "nothing was written");
}

#[test]
fn what_stands_in_the_way_is_named_and_nothing_is_written() {
    let place = Place::new(
        "init_refused",
        &[
            ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"migrator\"]\n"),
            ("migrator/Cargo.toml", &BACKEND.replace("backend", "migrator")),
            ("migrator/src/lib.rs", ""),
        ],
    );
    refused(
        &place,
        expect![[r#"
        exit 9
        --- stderr
        error: the workspace has a package `migrator`, `migrator/Cargo.toml`, that is not ours: the tasks build the package of this name
        help: rename that package, and run this again
    "#]],
    );
    fs::write(place.path("Cargo.toml"), "[workspace]\nmembers = []\n").unwrap();
    fs::remove_dir_all(place.path("migrator")).unwrap();
    fs::write(place.path("migrator"), "").unwrap();
    refused(
        &place,
        expect![[r#"
        exit 9
        --- stderr
        error: `<root>/migrator` is not a directory
        help: rename it, and run this again
    "#]],
    );
    fs::remove_file(place.path("migrator")).unwrap();
    let outside = tempfile::tempdir().unwrap();
    symlink(outside.path(), place.path("db")).unwrap();
    let said = place.init("--yes").replace(&fs::canonicalize(&outside).unwrap().display().to_string(), "<outside>");
    expect![[r#"
        exit 9
        --- stderr
        error: `<root>/db` is a link to `<outside>`, outside of `<root>`: nothing is written through it
        help: replace it with a directory, and run this again
    "#]]
    .assert_eq(&said);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    fs::remove_file(place.path("db")).unwrap();
    fs::write(place.path("Cargo.toml"), "[workspace\n").unwrap();
    let said = place.init("--yes");
    assert!(said.contains("error: cargo cannot read `<root>/Cargo.toml`: unclosed table"), "{said}");
    fs::remove_file(place.path("Cargo.toml")).unwrap();
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let place = Place::new("init_readonly", &[("Cargo.toml", "[workspace]\nmembers = []\n")]);
    // Root writes everywhere but into what is mounted read-only.
    let script = "mount --bind \"$1\" \"$1\" && mount -o remount,ro,bind \"$1\" && cd \"$1\" && exec \"$0\" init --yes --path \"$2\"";
    let mut unshare = place.workspace.program("unshare");
    unshare.args(["--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_xtask")]).arg(place.path("")).arg(repository());
    if !unshare.output().is_ok_and(|output| output.status.code() == Some(9)) {
        not_tested("a read-only directory: this user may not mount one");
        return;
    }
    expect![[r#"
        exit 9
        --- stderr
        error: failed to write `db/README.md`: Read-only file system (os error 30)
          nothing was written
        help: make way for it, and run this again: it goes on with what is missing
    "#]]
    .assert_eq(&without_diff(&place.workspace.run(&mut unshare)));
    assert_eq!(place.read("Cargo.toml"), "[workspace]\nmembers = []\n");
}
