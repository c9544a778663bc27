//! What `init` would write: planned whole before the first file is touched.

use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use super::text;

/// A file that is created or edited.
#[derive(Debug)]
pub(super) struct Change {
    /// Where it is, through no link.
    pub(super) path: PathBuf,
    /// From the directory that people see it from.
    pub(super) shown: String,
    /// What is there; `None`: nothing.
    pub(super) old: Option<String>,
    pub(super) new: String,
}

/// Everything that would be written, in order, and what is left alone.
#[derive(Debug)]
pub(super) struct Plan {
    root: PathBuf,
    pub(super) changes: Vec<Change>,
    /// Files that are there and say something else.
    pub(super) left: Vec<String>,
    /// What the reader has to know or to do.
    pub(super) notes: Vec<String>,
}

impl Plan {
    /// An empty one for a directory, which is named without links.
    pub(super) fn new(root: PathBuf) -> Plan {
        Plan { root, changes: Vec::new(), left: Vec::new(), notes: Vec::new() }
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// A new file below the root; one that is there stays as it is.
    ///
    /// # Errors
    /// The path leads out of the root, through what is not a directory, or cannot be read.
    pub(super) fn create(&mut self, path: &str, text: &str) -> Result<()> {
        let root = self.root.clone();
        self.create_in(&root, path, path, text)
    }

    /// The same below another directory, under the name that people see.
    ///
    /// # Errors
    /// As of [`Plan::create`].
    pub(super) fn create_in(&mut self, root: &Path, path: &str, shown: &str, text: &str) -> Result<()> {
        let path = inside(root, path)?;
        match read(&path)? {
            None => self.push(path, shown, None, text.to_owned()),
            Some(old) if old == text => {}
            Some(_) => self.left.push(shown.to_owned()),
        }
        Ok(())
    }

    /// An edit of a file below the root, of an empty one where there is none.
    ///
    /// # Errors
    /// As of [`Plan::create`]; those of the edit.
    pub(super) fn edit(&mut self, path: &str, edit: impl FnOnce(&str) -> Result<String>) -> Result<()> {
        let target = inside(&self.root, path)?;
        let planned = self.changes.iter().position(|change| change.path == target);
        let old = match planned {
            Some(planned) => Some(self.changes[planned].new.clone()),
            None => read(&target)?,
        };
        let before = old.clone().unwrap_or_default();
        let new = text::edited(&before, edit).with_context(|| format!("failed to edit `{path}`"))?;
        match planned {
            Some(planned) => self.changes[planned].new = new,
            None if new != before => self.push(target, path, old, new),
            None => {}
        }
        Ok(())
    }

    /// What a file below the root holds, as it would be written or as it is.
    ///
    /// # Errors
    /// As of [`Plan::create`].
    pub(super) fn text(&self, path: &str) -> Result<Option<String>> {
        let target = inside(&self.root, path)?;
        match self.changes.iter().find(|change| change.path == target) {
            Some(change) => Ok(Some(change.new.clone())),
            None => read(&target),
        }
    }

    /// The names in a directory below the root; none where it is missing.
    ///
    /// # Errors
    /// The path leads out of the root, or cannot be read.
    pub(super) fn lists(&self, path: &str) -> Result<Vec<String>> {
        // What would be in it decides whether it is a directory.
        let target = inside(&self.root, &format!("{path}/x"))?;
        match target.parent().map(fs::read_dir) {
            Some(Ok(entries)) => {
                Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
            }
            Some(Err(error)) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("failed to read `{path}`"))
            }
            _ => Ok(Vec::new()),
        }
    }

    fn push(&mut self, path: PathBuf, shown: &str, old: Option<String>, new: String) {
        self.changes.push(Change { path, shown: shown.to_owned(), old, new });
    }
}

/// A path below a directory, with the links on the way replaced by what they lead to.
///
/// # Errors
/// One of them leads out of the directory or nowhere, or something on the way is not a directory.
fn inside(root: &Path, path: &str) -> Result<PathBuf> {
    let mut reached = root.to_owned();
    let parts: Vec<Component<'_>> = Path::new(path).components().collect();
    for (index, part) in parts.iter().enumerate() {
        let Component::Normal(name) = part else { bail!("`{path}` is not below `{}`", root.display()) };
        reached.push(name);
        let about = match fs::symlink_metadata(&reached) {
            Ok(about) => about,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                reached.extend(&parts[index + 1..]);
                return Ok(reached);
            }
            Err(error) => return Err(error).with_context(|| format!("failed to look at `{}`", reached.display())),
        };
        let mut is_directory = about.is_dir();
        if about.is_symlink() {
            let link = reached.display().to_string();
            reached = fs::canonicalize(&reached).map_err(|error| {
                anyhow!("`{link}` is a link that leads nowhere: {error}\nhelp: remove it, and run this again")
            })?;
            if !reached.starts_with(root) {
                bail!(
                    "`{link}` is a link to `{}`, outside of `{}`: nothing is written through it\nhelp: replace it \
                     with a {}, and run this again",
                    reached.display(),
                    root.display(),
                    if index + 1 < parts.len() { "directory" } else { "file" }
                );
            }
            is_directory = reached.is_dir();
        }
        if is_directory != (index + 1 < parts.len()) {
            let what = if is_directory { "is a directory" } else { "is not a directory" };
            bail!("`{}` {what}\nhelp: rename it, and run this again", reached.display());
        }
    }
    Ok(reached)
}

/// The text of a file; `None`: there is none.
fn read(path: &Path) -> Result<Option<String>> {
    match migrator_build::read_file(path) {
        Ok(bytes) => {
            let text = String::from_utf8(bytes).with_context(|| format!("`{}` is not UTF-8", path.display()))?;
            Ok(Some(text))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read `{}`", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn root() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap().join("w");
        fs::create_dir(&root).unwrap();
        (folder, root)
    }

    #[test]
    fn what_is_there_is_left_and_named_unless_it_is_the_same() {
        let (_folder, root) = root();
        fs::write(root.join("same"), "a").unwrap();
        fs::write(root.join("other"), "b").unwrap();
        let mut plan = Plan::new(root.clone());
        for path in ["same", "other", "new/file"] {
            plan.create(path, "a").unwrap();
        }
        plan.edit("same", |text| Ok(format!("{text}b"))).unwrap();
        plan.edit("same", |text| Ok(format!("{text}c"))).unwrap();
        plan.edit("other", |text| Ok(text.to_owned())).unwrap();
        let changes: Vec<_> = plan.changes.iter().map(|change| (&*change.shown, &*change.new)).collect();
        assert_eq!(changes, [("new/file", "a"), ("same", "abc")]);
        assert_eq!(plan.left, ["other"]);
        assert_eq!(plan.text("same").unwrap().as_deref(), Some("abc"));
        assert_eq!(plan.text("other").unwrap().as_deref(), Some("b"));
    }

    #[test]
    fn a_link_is_followed_within_the_workspace_only() {
        let (folder, root) = root();
        fs::create_dir(root.join("sql")).unwrap();
        fs::create_dir(folder.path().join("elsewhere")).unwrap();
        symlink("sql", root.join("db")).unwrap();
        symlink("../elsewhere", root.join("out")).unwrap();
        symlink("nowhere", root.join("broken")).unwrap();
        fs::write(root.join("file"), "").unwrap();
        assert_eq!(inside(&root, "db/README.md").unwrap(), root.join("sql/README.md"));
        let refused = |path: &str| inside(&root, path).unwrap_err().to_string();
        assert!(refused("out/a").contains("/w/out` is a link to `"), "{}", refused("out/a"));
        let help = "help: remove it, and run this again";
        assert!(refused("broken").contains("leads nowhere: No such file") && refused("broken").ends_with(help));
        assert!(refused("file/a").contains("/file` is not a directory"));
        assert!(refused("sql").contains("/sql` is a directory"));
        assert!(refused("../a").contains("is not below"));
    }
}
