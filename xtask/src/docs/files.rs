//! The files of the repository: what a page may link to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// What makes docs/ a book.
pub(crate) const MANIFEST: &str = "docs/book.toml";

/// The paths that git knows, and the text of each page among them.
#[derive(Debug, Default)]
pub(super) struct Files {
    paths: BTreeSet<String>,
    pages: BTreeMap<String, String>,
}

impl Files {
    /// Reads what git tracks below the root, or would track next.
    ///
    /// # Errors
    /// Git cannot list the files, or a page cannot be read.
    pub(super) fn read(root: &Path) -> Result<Files> {
        let mut git = Command::new("git");
        // The tree may belong to another user.
        git.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let output = git.current_dir(root).output().context("failed to run `git ls-files`")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            bail!("git cannot list the files of this workspace: {said}");
        }
        let listed = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut files = Files::default();
        for path in listed.split('\0').filter(|path| !path.is_empty() && root.join(path).exists()) {
            let text = match path.ends_with(".md") {
                true => Some(fs::read_to_string(root.join(path)).with_context(|| format!("failed to read `{path}`"))?),
                false => None,
            };
            files.add(path, text);
        }
        Ok(files)
    }

    pub(super) fn add(&mut self, path: &str, page: Option<String>) {
        self.paths.insert(path.to_owned());
        self.pages.extend(page.map(|text| (path.to_owned(), text)));
    }

    /// The pages and their texts, by path.
    pub(super) fn pages(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pages.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub(super) fn page(&self, path: &str) -> Option<&str> {
        self.pages.get(path).map(String::as_str)
    }

    /// The file of that path, or the README of the folder.
    pub(super) fn find(&self, path: &str) -> Option<Found<'_>> {
        if let Some(file) = self.paths.get(path) {
            return Some(Found::File(file));
        }
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        match self.paths.get(&format!("{prefix}README.md")) {
            Some(readme) => Some(Found::File(readme)),
            None => self.below(&prefix).next().is_some().then_some(Found::Folder),
        }
    }

    /// What is below a folder, which ends in a slash.
    pub(super) fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.paths.range(prefix.to_owned()..).map(String::as_str).take_while(move |path| path.starts_with(prefix))
    }
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found<'a> {
    File(&'a str),
    /// A folder without a README.
    Folder,
}

/// The path that a link in a page leads to; `None`: out of the repository.
pub(super) fn resolve(page: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_resolved_from_its_page_and_never_beyond_the_root() {
        for (page, target, expected) in [
            ("docs/ci/README.md", "../../README.md", Some("README.md")),
            ("README.md", "./docs/ci/", Some("docs/ci")),
            ("docs/a.md", "..", Some("")),
            ("README.md", "../other/README.md", None),
            ("docs/a.md", "b//c.md", Some("docs/b/c.md")),
        ] {
            assert_eq!(resolve(page, target).as_deref(), expected, "{page} {target}");
        }
    }

    #[test]
    fn a_folder_is_its_readme() {
        let mut files = Files::default();
        files.add("docs/ci/README.md", Some("# x".to_owned()));
        files.add("docs/schema/up.json", None);
        assert_eq!(files.find("docs/ci"), Some(Found::File("docs/ci/README.md")));
        assert_eq!(files.find("docs/schema"), Some(Found::Folder));
        assert_eq!((files.find("docs/sch"), files.find("")), (None, Some(Found::Folder)));
    }
}
