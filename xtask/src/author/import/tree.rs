//! The imported directory: what is in it, read on demand, no link followed, nothing waited for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use migrator_diagnostic::printable;

use super::draft::Found;
use super::text::{self, Decoded};
use crate::workspace::shown;

/// More than any tool's migrations; the wrong directory was named.
const MOST_FILES: usize = 200_000;
const DEEPEST: usize = 16;

/// What is in a directory.
#[derive(Debug)]
pub(crate) struct Tree {
    root: PathBuf,
    /// Plain files by their path below the root, with `/`, that no reader has taken yet.
    files: BTreeSet<String>,
    /// What `--skip` names, and whether that is there.
    skips: BTreeMap<String, bool>,
}

/// A file's bytes, and its text.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    pub(crate) text: String,
    pub(crate) notes: Vec<String>,
}

/// A path as it is printed: from the current directory on, and on one line whatever is in its names.
pub(crate) fn one_line(path: &Path) -> String {
    printable::line(&shown(path).to_string_lossy()).into_owned()
}

impl Tree {
    /// Lists a directory. What is not a plain file is reported.
    ///
    /// # Errors
    /// The directory cannot be read, or is too large.
    pub(crate) fn list(root: &Path, skips: &[String], found: &mut Found) -> Result<Tree> {
        let clean = |skip: &String| skip.trim_start_matches("./").trim_end_matches('/').to_owned();
        let skips = skips.iter().map(|skip| (clean(skip), false)).collect();
        let mut tree = Tree { root: root.to_owned(), files: BTreeSet::new(), skips };
        tree.walk("", 0, found)?;
        Ok(tree)
    }

    fn walk(&mut self, below: &str, depth: usize, found: &mut Found) -> Result<()> {
        let directory = self.root.join(below);
        let failed = || format!("failed to read the directory `{}`", one_line(&directory));
        let mut entries: Vec<fs::DirEntry> =
            fs::read_dir(&directory).and_then(Iterator::collect).with_context(failed)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let shown = name.to_string_lossy();
            let path = if below.is_empty() { shown.to_string() } else { format!("{below}/{shown}") };
            let kind = entry.file_type().with_context(|| format!("failed to read `{}`", printable::line(&path)))?;
            if self.is_skipped(&path) {
                found.leave(&path, "by --skip");
            } else if shown.starts_with('.') {
                found.leave(&path, "hidden");
            } else if name.to_str().is_none() || printable::line(&shown) != shown {
                found.refuse(&path, 0, "its name is not plain text: rename it");
            } else if kind.is_dir() && depth < DEEPEST {
                self.walk(&path, depth + 1, found)?;
            } else if kind.is_file() {
                self.files.insert(path);
            } else {
                let what =
                    if kind.is_symlink() { "a symbolic link, which is not followed" } else { "not a plain file" };
                found.refuse(&path, 0, format!("it is {what}"));
            }
            if self.files.len() > MOST_FILES {
                bail!(
                    "`{}` has more than {MOST_FILES} files\nhelp: name the directory of the migrations",
                    one_line(&self.root)
                );
            }
        }
        Ok(())
    }

    /// True for what `--skip` names: a file, a directory, or `file::id::author`.
    pub(crate) fn is_skipped(&mut self, path: &str) -> bool {
        self.skips.get_mut(path).map(|seen| *seen = true).is_some()
    }

    /// What `--skip` names and is not there.
    pub(crate) fn unused_skips(&self) -> impl Iterator<Item = &str> {
        self.skips.iter().filter(|(_, seen)| !**seen).map(|(path, _)| path.as_str())
    }

    /// The files that no reader has taken, ascending.
    pub(crate) fn files(&self) -> Vec<String> {
        self.files.iter().cloned().collect()
    }

    /// Those of them in the directory itself.
    pub(crate) fn top(&self) -> Vec<String> {
        self.files.iter().filter(|path| !path.contains('/')).cloned().collect()
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.contains(path)
    }

    /// Says that a file was dealt with.
    pub(crate) fn take(&mut self, path: &str) {
        self.files.remove(path);
    }

    /// Takes a file and reads it; a file that cannot be read is reported.
    pub(crate) fn read(&mut self, path: &str, found: &mut Found) -> Option<Content> {
        self.take(path);
        let bytes = match migrator_build::read_file(&self.root.join(path)) {
            Ok(bytes) => bytes,
            Err(error) => {
                found.refuse(path, 0, error.to_string());
                return None;
            }
        };
        match text::decode(&bytes) {
            Ok(Decoded { text, notes }) => Some(Content { bytes, text, notes }),
            Err((line, message)) => {
                found.refuse(path, line, message);
                None
            }
        }
    }
}
