//! Rules that this repository keeps for itself.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::workspace::{repository, tracked};

mod modules;

/// Every tracked file whose name ends so, with its text; none where git cannot read this tree.
fn sources(end: &str) -> BTreeMap<String, String> {
    let named = tracked().unwrap_or_default().into_iter().filter(|path| path.ends_with(end));
    named.filter_map(|path| Some((path.clone(), fs::read_to_string(repository().join(path)).ok()?))).collect()
}

#[test]
fn every_snapshot_can_be_rewritten() {
    // UPDATE_EXPECT=1 panics where the literal is not on the line of its macro.
    let alone = concat!("expect!", "[");
    for (path, text) in sources(".rs") {
        let lines = text.lines().enumerate().filter(|(_, line)| line.trim_end().ends_with(alone));
        let lines: Vec<usize> = lines.map(|(index, _)| index + 1).collect();
        assert_eq!(lines, Vec::<usize>::new(), "{path}: `{alone}` ends these lines; begin the text on the same line");
    }
}

/// The tables of a manifest that begin so, one `name = value` a line.
fn dependencies(manifest: &str, table: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(repository().join(manifest)).unwrap();
    let (_, rest) = text.split_once(&format!("\n[{table}]\n")).unwrap();
    let entries = rest.lines().take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once('='));
    entries
        .filter(|(name, _)| !name.starts_with('#'))
        .map(|(name, value)| {
            // Both forms say the same.
            let name = name.trim();
            let (name, value) =
                name.strip_suffix(".workspace").map_or((name, value), |name| (name, "{ workspace = true }"));
            (name.to_owned(), value.trim().replace(", optional = true", ""))
        })
        .collect()
}

#[test]
fn the_tests_engine_has_the_dependencies_of_the_one_that_ships() {
    for table in ["dependencies", "dev-dependencies"] {
        let (ships, tested) = ("migrator/engine/Cargo.toml", "tests/engine/Cargo.toml");
        assert_eq!(dependencies(ships, table), dependencies(tested, table), "[{table}] of {ships} and of {tested}");
    }
}

/// The source of a file without its tests, which may use what they like.
fn without_tests(text: &str) -> &str {
    text.split("\nmod tests").next().unwrap_or_default()
}

#[test]
fn no_program_names_the_folder_of_its_build() {
    // Two releases of one commit are the same bytes, and on another machine a folder of that name is anybody's.
    let folder = concat!("env!(\"CARGO_", "MANIFEST_DIR\")");
    let of_programs = |path: &str| {
        ["migrator/", "xtask/", "db/"].iter().any(|start| path.starts_with(start)) && !path.contains("/tests/")
    };
    for (path, text) in sources(".rs").iter().filter(|(path, _)| of_programs(path)) {
        let code =
            without_tests(text).lines().filter(|line| !line.trim_start().starts_with("//") && line.contains(folder));
        let allowed: &[&str] = if path == "xtask/src/author/init/source.rs" {
            &["None => Some(env!(\"CARGO_MANIFEST_DIR\")),"]
        } else {
            &[]
        };
        assert_eq!(code.map(str::trim).collect::<Vec<_>>(), allowed, "{path}");
    }
}

/// The names that follow each `prefix` in a text.
fn names_after<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    text.split(prefix).skip(1).map(|rest| rest.split(ends).next().unwrap_or_default()).collect()
}

#[test]
fn the_files_of_the_hazard_rules_are_formatted() {
    // A macro declares these modules, and `cargo fmt` looks into no macro.
    let rules: Vec<String> =
        sources(".rs").into_keys().filter(|path| path.starts_with("migrator/lint/src/rules/")).collect();
    if rules.is_empty() {
        return;
    }
    let mut rustfmt = Command::new("rustfmt");
    let output =
        rustfmt.args(["--check", "--edition", "2024"]).args(&rules).current_dir(repository()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "run `rustfmt --edition 2024 migrator/lint/src/rules/*.rs`:\n{said}");
}

/// The manifests of the packages that others depend on.
fn libraries() -> BTreeMap<String, String> {
    let is_library =
        |manifest: &str| manifest.contains("\nname = \"migrator-") && !manifest.contains("\npublish = false");
    sources("Cargo.toml").into_iter().filter(|(_, manifest)| is_library(manifest)).collect()
}

#[test]
fn every_library_can_be_published() {
    let libraries = libraries();
    assert!(libraries.len() >= 5 || tracked().is_none(), "{:?}", libraries.keys());
    for (path, manifest) in libraries {
        let folder = repository().join(&path).parent().unwrap().to_owned();
        for field in ["version", "edition", "rust-version", "license", "repository", "categories", "include"] {
            assert!(
                manifest.contains(&format!("\n{field}.workspace = true\n")),
                "{path}: add `{field}.workspace = true`"
            );
        }
        for field in ["description", "keywords", "readme"] {
            assert!(manifest.contains(&format!("\n{field} = ")), "{path}: add `{field}`");
        }
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(
                folder.join(file).is_file(),
                "{path}: there is no {file} beside it; a licence is a link to the root's"
            );
        }
    }
}

#[test]
fn our_libraries_ask_each_other_for_their_very_version() {
    let manifest = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    let version = manifest.split("[workspace.package]").nth(1).unwrap().split("version = \"").nth(1).unwrap();
    let version = version.split('"').next().unwrap();
    let own: Vec<&str> =
        manifest.lines().filter(|line| line.starts_with("migrator-") && line.contains("path = ")).collect();
    assert!(own.len() >= 5, "{own:?}");
    for line in own {
        assert!(
            line.contains(&format!("version = \"={version}\"")),
            "Cargo.toml: `{line}`: write `version = \"={version}\"`"
        );
    }
    for (path, manifest) in libraries() {
        let direct = manifest.lines().find(|line| line.starts_with("migrator-") && line.contains("path = "));
        assert_eq!(direct, None, "{path}: take it from the workspace");
    }
}
