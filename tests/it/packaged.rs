//! Another workspace on the libraries as they would be published: from the `.crate` files, with nothing of this repository beside them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::{Workspace, files, repository};

/// Everything that is published, ascending by name.
pub(crate) const LIBRARIES: [&str; 8] = [
    "migrator-build",
    "migrator-diagnostic",
    "migrator-engine",
    "migrator-lint",
    "migrator-model",
    "migrator-postgres",
    "migrator-sql",
    "migrator-xtask",
];

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The manifests of tests/foreign, with every library by its version instead of its path.
fn foreign() -> Vec<(PathBuf, Vec<u8>)> {
    let by_version = |line: &str| match line.split_once(" = { path = \"../../../") {
        Some((library, _)) => format!("{library} = \"={VERSION}\"\n"),
        None => format!("{line}\n"),
    };
    let mut all = files(&repository().join("tests/foreign"));
    for (path, bytes) in all.iter_mut().filter(|(path, _)| path.ends_with("Cargo.toml")) {
        let mut text: String = str::from_utf8(bytes).unwrap().lines().map(by_version).collect();
        if path == Path::new("Cargo.toml") {
            text.push_str("\n[patch.crates-io]\n");
            for library in LIBRARIES {
                text.push_str(&format!("{library} = {{ path = \"crates/{library}-{VERSION}\" }}\n"));
            }
        }
        *bytes = text.into_bytes();
    }
    all
}

/// Packs the libraries and unpacks them in the workspace.
fn unpack(workspace: &Workspace) {
    let packages: String = LIBRARIES.iter().map(|library| format!(" --package {library}")).collect();
    let mut pack = workspace.cargo(&format!("package --quiet --offline --locked --allow-dirty --no-verify{packages}"));
    let output = pack.current_dir(repository()).env("CARGO_TARGET_DIR", workspace.path("target")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for library in LIBRARIES {
        let file = workspace.path(format!("target/package/{library}-{VERSION}.crate"));
        let mut tar = workspace.program("tar");
        // With the time of now: that of a package never changes, and cargo would take what it has built of an older one for this one.
        let unpacked = tar.args(["xzmf", file.to_str().unwrap(), "-C"]).arg(workspace.path("crates")).status().unwrap();
        assert!(unpacked.success(), "{library}");
    }
}

#[test]
fn another_workspace_builds_from_the_packaged_libraries_without_a_network() {
    let mut all = foreign();
    all.push(("crates/README.md".into(), b"What is published.\n".to_vec()));
    let workspace = Workspace::of("packaged", &all);
    unpack(&workspace);
    for library in LIBRARIES {
        let packed = |name: &str| fs::metadata(workspace.path(format!("crates/{library}-{VERSION}/{name}")));
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(packed(file).is_ok_and(|file| file.is_file() && file.len() > 0), "{library}: {file}");
        }
    }
    let listed = workspace.output(&mut workspace.cargo("run --quiet --offline --package migrator -- list"));
    assert!(listed.code == "0" && listed.stdout.contains("002_create_loans"), "{}{}", listed.stdout, listed.stderr);
    let checked = workspace.output(&mut workspace.cargo("xtask check"));
    assert!(checked.code == "0" && checked.stdout.contains("nothing found"), "{}{}", checked.stdout, checked.stderr);
}
