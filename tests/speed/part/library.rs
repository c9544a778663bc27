//! What the libraries cost without a database: the benches of `tests/benches/library.rs`, over the libraries that ship.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Bench;
use crate::figures::Figures;
use crate::workspace;

pub(crate) fn run(_: &Bench, figures: &mut Figures) -> Result<()> {
    workspace::add_library_benches()?;
    let results = workspace::folder().join("cargo/criterion");
    // What an earlier release of the benches measured is not ours.
    let _ = fs::remove_dir_all(&results);
    let mut cargo = workspace::cargo();
    cargo.args(["bench", "--quiet", "--package", "library", "--bench", "library", "--", "--noplot", "--quiet"]);
    ensure!(cargo.status().context("cargo")?.success(), "the benches of the libraries fail");
    for (case, folder) in folders(&results)? {
        for (number, folder) in folders(&folder)? {
            let path = folder.join("new/estimates.json");
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let estimates: Value = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
            let nanoseconds = estimates["median"]["point_estimate"].as_f64().context("no median")?;
            figures.add(&case, &number, "ms", nanoseconds / 1e6);
        }
    }
    ensure!(!figures.figures.is_empty(), "criterion has left no figures in {}", results.display());
    Ok(())
}

/// Names and paths, numbers in their order.
fn folders(parent: &Path) -> Result<Vec<(String, std::path::PathBuf)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(parent).with_context(|| parent.display().to_string())? {
        let entry = entry?;
        if entry.path().is_dir() {
            all.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
        }
    }
    all.sort_by_key(|(name, _)| (name.parse::<u64>().unwrap_or_default(), name.clone()));
    Ok(all)
}
