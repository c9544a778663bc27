//! docs/: what the pages show is what happens, and what they list is what there is.

mod console;
mod evidence;
mod incident;
mod page;
mod reader;
mod reference;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use crate::support::{major, not_tested};
use crate::workspace::{repository, tracked};
use reader::Reader;

/// The pages of a folder of docs/ that show something.
fn pages(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join("docs").join(folder)).unwrap();
    let mut pages: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|end| end == "md") && !path.ends_with("README.md"));
    pages.sort();
    pages
}

/// Follows each page of a folder, each with a database of its own.
fn follow(folder: &str) {
    let mut pages = pages(folder);
    assert!(!pages.is_empty(), "docs/{folder} has no such page");
    if major() < 14 && pages.iter().any(|page| page.ends_with("partitions.md")) {
        not_tested("docs/guide/partitions.md: PostgreSQL 13 detaches no partition concurrently");
        pages.retain(|page| !page.ends_with("partitions.md"));
    }
    // A few at a time: they wait for servers more than they work.
    for some in pages.chunks(4) {
        thread::scope(|scope| {
            let followed: Vec<_> =
                some.iter().map(|page| scope.spawn(|| page::follow(page, &mut Reader::new()))).collect();
            let failed = followed.into_iter().filter_map(|page| page.join().err()).count();
            assert_eq!(failed, 0, "pages of docs/{folder} show something else than what happens: see above");
        });
    }
}

#[test]
fn every_drill_of_the_runbook_goes_as_its_page_shows() {
    follow("runbook");
}

#[test]
fn every_page_of_the_guide_shows_what_happens() {
    follow("guide");
}

/// The tasks in this repository.
fn docs(arguments: &[&str]) -> (Option<i32>, String) {
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    xtask.arg("docs").args(arguments).current_dir(repository()).env("CARGO", "cargo").env("MDBOOK", "no-such-mdbook");
    let output = xtask.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said.into_owned())
}

#[test]
fn every_link_of_every_page_leads_somewhere() {
    if tracked().is_none() {
        return not_tested("the links of the pages: git cannot read this tree");
    }
    let (code, said) = docs(&["--check"]);
    assert_eq!(code, Some(0), "{said}");
    // Without mdBook it says how to come by it.
    let folder = tempfile::TempDir::new().unwrap();
    let (code, said) = docs(&["--out", folder.path().to_str().unwrap()]);
    assert_eq!(code, Some(9), "{said}");
    assert!(said.contains("failed to run `no-such-mdbook`") && said.contains("cargo install mdbook"), "{said}");
}
