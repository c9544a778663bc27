//! The committed files: how they compare with a dump, how they are written, and what they were when they were written last.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::make::Dump;
use super::names::{SCHEMA, facts, locks};
use super::text;
use crate::workspace::Workspace;

/// The content of a file; `None`: there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read `{}`", path.display())),
    }
}

/// Writes those that are not as they should be; returns which, as paths in the workspace.
pub(super) fn write(db: &Path, files: &[(String, &[u8])]) -> Result<Vec<String>> {
    let mut written = Vec::new();
    for (name, new) in files {
        if read(&db.join(name))?.as_deref() != Some(*new) {
            replace(&db.join(name), new).with_context(|| format!("failed to write `db/{name}`"))?;
            written.push(format!("db/{name}"));
        }
    }
    Ok(written)
}

/// No process that reads the file meanwhile, or writes it too, sees half of one.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let directory = path.parent().unwrap_or(Path::new("."));
    // In the same directory: a file cannot be renamed into another file system. The umask decides who can read it.
    let permissions = fs::Permissions::from_mode(0o666);
    let mut temporary =
        tempfile::Builder::new().prefix(&format!(".{name}.")).permissions(permissions).tempfile_in(directory)?;
    temporary.write_all(bytes)?;
    temporary.persist(path)?;
    Ok(())
}

/// How the committed files differ from a dump.
pub(crate) struct Comparison {
    /// What differs, a text of several lines for each file.
    pub(crate) stale: Vec<String>,
    /// What cannot be compared, and why.
    pub(crate) skipped: Vec<String>,
    /// The files that are as they should be.
    pub(crate) same: Vec<String>,
}

/// Compares the files of this server's release.
pub(crate) fn compare(db: &Path, dump: &Dump) -> Result<Comparison> {
    let others = of_other_releases(db, dump)?;
    let mut comparison = Comparison { stale: Vec::new(), skipped: Vec::new(), same: Vec::new() };
    for (name, new) in dump.files() {
        let old = read(&db.join(&name))?;
        // Another release writes views, and sometimes more, in other words: that says nothing about the migrations.
        let of_other = match &old {
            Some(old) if name == SCHEMA => text::major_of_schema(old).is_some_and(|major| major != dump.major),
            Some(_) => false,
            None => name != SCHEMA && !others.is_empty(),
        };
        if of_other {
            comparison.skipped.push(format!(
                "db/{name}: this server is PostgreSQL {}, the committed files are of another release",
                dump.major
            ));
        } else if old.as_deref() == Some(new) {
            comparison.same.push(format!("db/{name}"));
        } else {
            comparison.stale.push(text::difference(&format!("db/{name}"), old.as_deref(), new));
        }
    }
    Ok(comparison)
}

/// Facts of releases that are not this server's.
pub(super) fn of_other_releases(db: &Path, dump: &Dump) -> Result<Vec<String>> {
    let own = facts(&dump.major);
    let mut names = Vec::new();
    for entry in fs::read_dir(db).with_context(|| format!("failed to read `{}`", db.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with("schema.facts.") && name != own {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Whether the files are still what they were when they were made from this very SQL by this release of PostgreSQL.
pub(super) fn is_remembered(workspace: &Workspace, digest: &str, major: &str) -> Result<bool> {
    // Unreadable is as good as forgotten.
    let remembered = fs::read(memory(workspace)).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    Ok(remembered == Some(state(&workspace.db(), digest, major)?))
}

/// Remembers that the files are what this SQL gives.
pub(super) fn remember(workspace: &Workspace, digest: &str, major: &str) -> Result<()> {
    let path = memory(workspace);
    let state = state(&workspace.db(), digest, major)?.to_string();
    let write = || -> std::io::Result<()> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
            // In a workspace whose .gitignore does not know the directory, it hides itself.
            fs::write(directory.join(".gitignore"), "*\n")?;
        }
        replace(&path, state.as_bytes())
    };
    write().with_context(|| format!("failed to write `{}`", path.display()))
}

/// Beside the development server, not in target/: that may be shared by several workspaces.
fn memory(workspace: &Workspace) -> PathBuf {
    workspace.root.join(".dev/schema.json")
}

fn state(db: &Path, digest: &str, major: &str) -> Result<Value> {
    let of = |name: &str| -> Result<Option<String>> {
        let hash = |bytes: Vec<u8>| hex::encode(Sha256::digest(bytes));
        Ok(read(&db.join(name))?.map(hash))
    };
    let (facts, locks) = (facts(major), locks(major));
    // Another release of this library may write the same in other words.
    let release = env!("CARGO_PKG_VERSION");
    Ok(
        json!({ "release": release, "digest": digest, SCHEMA: of(SCHEMA)?, facts.as_str(): of(&facts)?, locks.as_str(): of(&locks)? }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_in_place_of_the_file_is_replaced_and_not_followed() {
        let db = tempfile::tempdir().unwrap();
        let (victim, path) = (db.path().join("victim"), db.path().join("schema.sql"));
        fs::write(&victim, "old").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!((fs::read(&victim).unwrap(), fs::read(&path).unwrap()), (b"old".to_vec(), b"new".to_vec()));
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    fn a_new_file_has_the_mode_that_the_umask_leaves() {
        let db = tempfile::tempdir().unwrap();
        let (usual, replaced) = (db.path().join("usual"), db.path().join("replaced"));
        fs::write(&usual, "").unwrap();
        replace(&replaced, b"new").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&replaced), mode(&usual));
    }

    #[test]
    fn a_file_is_replaced_and_never_written_into() {
        let db = tempfile::tempdir().unwrap();
        fs::write(db.path().join("a"), "old").unwrap();
        fs::write(db.path().join("b"), "same").unwrap();
        // A process that has the file open goes on reading the old one.
        fs::hard_link(db.path().join("a"), db.path().join("opened")).unwrap();
        let files = [("a".to_owned(), b"new".as_slice()), ("b".to_owned(), b"same".as_slice())];
        assert_eq!(write(db.path(), &files).unwrap(), ["db/a"]);
        assert_eq!(fs::read_to_string(db.path().join("opened")).unwrap(), "old");
        assert_eq!(fs::read_to_string(db.path().join("a")).unwrap(), "new");
        assert_eq!(fs::read_dir(db.path()).unwrap().count(), 3, "nothing is left behind");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named_and_nothing_is_left_behind() {
        let db = tempfile::tempdir().unwrap();
        fs::create_dir(db.path().join("a")).unwrap();
        fs::write(db.path().join("a/b"), "").unwrap();
        let error = replace(&db.path().join("a"), b"new").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IsADirectory);
        let error = write(&db.path().join("missing"), &[("c".to_owned(), b"new".as_slice())]).unwrap_err();
        assert!(format!("{error:#}").starts_with("failed to write `db/c`: "), "{error:#}");
        assert_eq!(fs::read_dir(db.path()).unwrap().count(), 1);
    }
}
