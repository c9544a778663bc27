//! The command `cargo xtask check` over the files of each change.

use std::fs;

use super::BASE;
use crate::workspace::Workspace;

/// Nothing is found in any of them, and something is found where something is wrong. `written`: of each change its files, name and text.
pub(super) fn check(written: &[(&str, Vec<(String, String)>)]) {
    let base = format!("-- migrate:up\n{BASE}\n-- migrate:down\nDROP SCHEMA core CASCADE;\n");
    let files = [
        ("Cargo.toml", "[workspace]\n\n[package]\nname = \"app\"\nedition = \"2024\"\n"),
        ("src/lib.rs", ""),
        ("db/migrator.toml", ""),
        ("db/migrations/001_base.sql", &base),
    ];
    let files: Vec<_> = files.map(|(path, text)| (path.into(), text.as_bytes().to_vec())).into();
    let workspace = Workspace::of("online-checked", &files);
    let check = || workspace.run(workspace.program(env!("CARGO_BIN_EXE_xtask")).args(["check"]));
    let nothing = check();
    assert!(nothing.starts_with("exit 0"), "{nothing}");
    let mut found = String::new();
    for (name, files) in written {
        for (file, text) in files {
            workspace.write(format!("db/migrations/{file}"), text);
        }
        let said = check();
        if !said.starts_with("exit 0") {
            found.push_str(&format!("==== {name}\n{said}\n"));
        }
        for (file, _) in files {
            fs::remove_file(workspace.path(format!("db/migrations/{file}"))).unwrap();
        }
    }
    assert!(found.is_empty(), "{found}");
    let hazard = "-- migrate:up\nCREATE INDEX late ON core.users (age);\n\n-- migrate:down\nDROP INDEX core.late;\n";
    workspace.write("db/migrations/002_hazard.sql", hazard);
    let said = check();
    assert!(said.starts_with("exit 1"), "{said}");
}
