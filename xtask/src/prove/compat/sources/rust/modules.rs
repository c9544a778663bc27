//! Which files are modules of tests: `#[cfg(test)] mod tests;` is in another file than what it is about.

use std::cell::RefCell;
use std::collections::HashMap;

use anyhow::Result;

use super::scan::scan;
use super::test_code;
use crate::prove::compat::sources::tree::{Content, Tree};

/// What is known of the files so far.
pub(super) struct Modules<'a, T> {
    tree: &'a T,
    known: RefCell<HashMap<String, bool>>,
}

impl<'a, T: Tree> Modules<'a, T> {
    pub(super) fn of(tree: &'a T) -> Modules<'a, T> {
        Modules { tree, known: RefCell::default() }
    }

    /// Whether a file is a module for tests only, or within one.
    ///
    /// # Errors
    /// A file exists and cannot be read.
    pub(super) fn is_test(&self, file: &str) -> Result<bool> {
        if let Some(known) = self.known.borrow().get(file) {
            return Ok(*known);
        }
        // A file that claims to be below itself is in no tests.
        self.known.borrow_mut().insert(file.to_owned(), false);
        let is_test = self.ask(file)?;
        self.known.borrow_mut().insert(file.to_owned(), is_test);
        Ok(is_test)
    }

    fn ask(&self, file: &str) -> Result<bool> {
        let Some((folder, name)) = place(file) else { return Ok(false) };
        let beside = ["mod.rs", "lib.rs", "main.rs"].map(|parent| format!("{folder}/{parent}"));
        for parent in [format!("{folder}.rs")].into_iter().chain(beside) {
            let has = self.tree.paths().binary_search(&parent).is_ok() && parent != file;
            let Content::Text(source) = (if has { self.tree.read(&parent)? } else { Content::Gone }) else { continue };
            if !source.contains(&format!("mod {name};")) {
                continue;
            }
            let is_declared = || scan(&source).is_ok_and(|tokens| test_code::modules(&tokens).contains(&name));
            return Ok(source.contains("test") && is_declared() || self.is_test(&parent)?);
        }
        Ok(false)
    }
}

/// The folder whose module declares the one in a file, and its name there.
fn place(file: &str) -> Option<(&str, &str)> {
    let stem = file.strip_suffix(".rs")?;
    stem.strip_suffix("/mod").unwrap_or(stem).rsplit_once('/')
}
