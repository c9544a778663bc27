//! The files of the working tree: what git tracks or would track, or without git all that is not built.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use super::tree::{Content, LARGEST, Tree, names};

/// The files below the root of a workspace as they are now.
pub(crate) struct WorkingTree {
    root: PathBuf,
    paths: Vec<String>,
    unnamed: Vec<String>,
}

impl WorkingTree {
    /// Lists the files below the shell's folder, without those that git ignores.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub(crate) fn open(shell: &Shell) -> Result<WorkingTree> {
        let root = shell.current_dir();
        let list = cmd!(shell, "git ls-files -z --cached --others --exclude-standard").quiet().ignore_stderr();
        let listed = match list.output() {
            Ok(listed) => listed.stdout.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect(),
            Err(_) => walk(&root)?,
        };
        let (paths, unnamed) = names(listed.iter().map(Vec::as_slice));
        Ok(WorkingTree { root, paths, unnamed })
    }
}

impl Tree for WorkingTree {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn unnamed(&self) -> &[String] {
        &self.unnamed
    }

    fn read(&self, path: &str) -> Result<Content> {
        let file = self.root.join(path);
        let failed = || format!("failed to read `{}`", file.display());
        match fs::symlink_metadata(&file) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(Content::Gone),
            Err(error) => Err(error).with_context(failed),
            Ok(about) if !about.is_file() => Ok(Content::Gone),
            Ok(about) if about.len() > LARGEST => Ok(Content::too_large(about.len())),
            Ok(_) => Ok(Content::of(fs::read(&file).with_context(failed)?)),
        }
    }
}

/// The files below a folder by their paths from there, without hidden folders and what cargo builds.
fn walk(root: &Path) -> Result<Vec<Vec<u8>>> {
    let (mut folders, mut files) = (vec![PathBuf::new()], Vec::new());
    while let Some(folder) = folders.pop() {
        let path = root.join(&folder);
        let entries = fs::read_dir(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("failed to read `{}`", path.display()))?;
            let (name, kind) = (entry.file_name(), entry.file_type()?);
            if kind.is_file() {
                files.push(folder.join(&name).as_os_str().as_bytes().to_vec());
            } else if kind.is_dir() && is_read(&name) {
                folders.push(folder.join(&name));
            }
        }
    }
    Ok(files)
}

fn is_read(folder: &OsStr) -> bool {
    folder == ".sqlx" || folder != "target" && !folder.as_bytes().starts_with(b".")
}
