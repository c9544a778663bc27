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

/// The names that follow each `prefix` in a text.
fn names_after<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    text.split(prefix).skip(1).map(|rest| rest.split(ends).next().unwrap_or_default()).collect()
}

/// The modules of migrator-lint, each above all that it may use.
const LINT: &[&str] = &[
    "lib", "testing", "search", "linter", "allow", "hazard", "names", "marker", "rules", "rule", "held", "site",
    "lock", "known", "types", "steady",
];

/// The modules of migrator-sql, each above all that it may use.
const SQL: &[&str] = &[
    "lib",
    "classify",
    "needs",
    "role",
    "sql",
    "drop",
    "create",
    "alter_table",
    "element",
    "setting",
    "rows",
    "object_kind",
    "name",
    "lock_mode",
    "flags",
    "parse",
    "dialect",
    "shapes",
    "wording",
    "statements",
    "words",
    "lexer",
];

/// The modules of xtask, each above all that it may use.
const XTASK: &[&str] = &[
    "lib",
    "cli",
    "release",
    "database",
    "prove",
    "check",
    "author",
    "base",
    "maintenance",
    "developer",
    "migrator",
    "workspace",
    "building",
    "child",
    "environment",
    "usage",
    "output",
];

/// Folders of sources whose modules are in order, each with its order and the constant that has it.
const LAYERED: &[(&str, &[&str], &str)] =
    &[("migrator/lint/src/", LINT, "LINT"), ("migrator/sql/src/", SQL, "SQL"), ("xtask/src/", XTASK, "XTASK")];

/// The product sources of a folder, by their path in it.
fn product_sources(folder: &str) -> BTreeMap<String, String> {
    let inside = |(path, text): (String, String)| Some((path.strip_prefix(folder)?.to_owned(), text));
    let all = sources(".rs").into_iter().filter_map(inside);
    all.filter(|(path, _)| path != "main.rs" && !path.ends_with("/tests.rs")).collect()
}

#[test]
fn no_module_uses_one_above_it() {
    for (folder, order, constant) in LAYERED {
        let rank = |name: &str| order.iter().position(|known| *known == name);
        for (path, text) in product_sources(folder) {
            let module = path.split(['/', '.']).next().unwrap();
            let own = rank(module).unwrap_or_else(|| panic!("{folder}{path}: tell `{constant}` where the module is"));
            for used in names_after(without_tests(&text), "crate::") {
                let used_rank =
                    rank(used).unwrap_or_else(|| panic!("{folder}{path} uses `{used}`: tell `{constant}` where it is"));
                assert!(used_rank >= own, "{folder}{path}: `{module}` uses `{used}`, which is above it");
            }
        }
    }
}

#[test]
fn no_module_uses_its_parent() {
    for (folder, ..) in LAYERED {
        let all = product_sources(folder);
        for (path, text) in &all {
            let beside = path.rsplit_once('/').map_or(String::new(), |(beside, _)| format!("{beside}/"));
            for used in names_after(without_tests(text), "super::") {
                assert!(all.contains_key(&format!("{beside}{used}.rs")), "{folder}{path} uses `{used}` of its parent");
            }
        }
    }
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
    let own: Vec<&str> = manifest.lines().filter(|line| line.starts_with("migrator-")).collect();
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
