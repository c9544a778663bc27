//! docs/: what the pages show is what happens, and what they list is what there is.

mod console;
mod incident;
mod page;
mod reader;
mod reference;

use std::fs;
use std::path::PathBuf;
use std::thread;

use crate::workspace::repository;
use reader::Reader;

/// The pages of a folder of docs/ that show something.
fn pages(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join("docs").join(folder)).unwrap();
    let mut pages: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|end| end == "md") && !path.ends_with("README.md"));
    pages.sort();
    pages
}

/// Follows each page of a folder, each with a database of its own; `MIGRATOR_TEST_PAGE` chooses one by a part of its name.
fn follow(folder: &str) {
    let chosen = std::env::var("MIGRATOR_TEST_PAGE").unwrap_or_default();
    let pages: Vec<PathBuf> = pages(folder)
        .into_iter()
        .filter(|page| page.ends_with(page) && page.to_string_lossy().contains(&chosen))
        .collect();
    assert!(!pages.is_empty(), "docs/{folder} has no such page");
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
