//! What a shell and a reader are told of the release binary: completions and man pages.
//!
//! The tasks have the command line of the engine that they were released with, which is the binary's, also where that cannot run here.

use migrator_engine::{grammar, reference};

/// The folders of the release that hold nothing else.
pub(super) const FOLDERS: [&str; 2] = ["completions", "man"];

/// Names below the release, and texts.
pub(super) fn files() -> Vec<(String, String)> {
    let scripts = reference::all_completions(&grammar(), "migrator").into_iter();
    let scripts = scripts.map(|(name, text)| (format!("{}/{name}", FOLDERS[0]), text));
    let pages = reference::pages(grammar(), "migrator").into_iter();
    let pages = pages.map(|(name, text)| (format!("{}/man1/{name}", FOLDERS[1]), text));
    scripts.chain(pages).collect()
}
