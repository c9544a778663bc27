//! Rules that this repository keeps for itself.

use std::collections::BTreeMap;
use std::fs;

use crate::workspace::{repository, tracked};

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
