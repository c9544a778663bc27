//! The tags that HEAD descends from, from the newest on.

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

/// A tag of a release.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) commit: String,
}

/// Asks git for one tag after the other.
pub(super) struct Tags<'a> {
    shell: &'a Shell,
    options: Vec<String>,
}

impl<'a> Tags<'a> {
    /// Those that match a glob, if there is one.
    pub(super) fn of(shell: &'a Shell, pattern: Option<&str>) -> Tags<'a> {
        Tags { shell, options: pattern.map(|pattern| format!("--match={pattern}")).into_iter().collect() }
    }

    /// The next one, which git calls the nearest of those that are left.
    pub(super) fn next(&mut self) -> Result<Option<Tag>> {
        let (shell, options) = (self.shell, &self.options);
        let describe = cmd!(shell, "git describe --tags --abbrev=0 {options...} HEAD").quiet().ignore_stderr();
        let Ok(name) = describe.read() else { return Ok(None) };
        let tag = format!("refs/tags/{name}^{{commit}}");
        let commit = cmd!(shell, "git rev-parse --verify --quiet {tag}").quiet().read();
        let commit = commit.with_context(|| format!("failed to read the tag `{name}`"))?;
        // No tag has a character that means something in a glob.
        self.options.push(format!("--exclude={name}"));
        Ok(Some(Tag { name, commit }))
    }

    /// The next one that `is_it` takes.
    pub(super) fn find(&mut self, is_it: impl Fn(&Tag) -> bool) -> Result<Option<Tag>> {
        while let Some(tag) = self.next()? {
            if is_it(&tag) {
                return Ok(Some(tag));
            }
        }
        Ok(None)
    }
}
