//! The base branch: where the working tree left it, and which files it has there.

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::workspace::Workspace;

/// What a change is compared with, unless another one is named.
const DEFAULT: &str = "origin/main";

/// The branch that production is taken to be at.
pub(crate) enum Base {
    Found(Commit),
    /// Why there is none.
    None(String),
}

/// A place in its history.
#[derive(Debug)]
pub(crate) struct Commit {
    /// The branch as people call it.
    pub(crate) name: String,
    /// Its end.
    pub(crate) tip: String,
    /// Where the working tree left it.
    pub(crate) merge_base: String,
}

/// A file of a commit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// Without its folder.
    pub(crate) name: String,
    /// What git calls its content.
    pub(crate) blob: String,
}

/// Looks for the branch and for the commit where the working tree left it.
///
/// # Errors
/// A base was named that does not exist, the histories have nothing in common (a shallow clone), or git fails.
pub(crate) fn find(workspace: &Workspace, shell: &Shell, base: Option<&str>) -> Result<Base> {
    if cmd!(shell, "git rev-parse --git-dir").quiet().ignore_stdout().ignore_stderr().run().is_err() {
        return match base {
            Some(_) => bail!("`--base` needs git, but `{}` is not in a git repository", workspace.root.display()),
            None => Ok(Base::None("this is not a git repository".to_owned())),
        };
    }
    let name = base.unwrap_or(DEFAULT);
    let tip = format!("{name}^{{commit}}");
    let exists = |commit: &str| {
        let verify = cmd!(shell, "git rev-parse --verify --quiet {commit}").quiet();
        verify.ignore_stdout().ignore_stderr().run().is_ok()
    };
    if !exists(&tip) || !exists("HEAD") {
        return match base {
            Some(_) => bail!("unknown base `{name}`\nhelp: run `git fetch`, or name another branch"),
            None => {
                let shallow = cmd!(shell, "git rev-parse --is-shallow-repository").quiet().read()? == "true";
                let fetch = "; this clone is shallow: run `git fetch --unshallow origin main:refs/remotes/origin/main`";
                let fetch = if shallow { fetch } else { "" };
                Ok(Base::None(format!("`{name}` does not exist; name a base with `--base`{fetch}")))
            }
        };
    }
    let merge_base = cmd!(shell, "git merge-base {tip} HEAD").quiet().ignore_stderr().read().map_err(|_| {
        anyhow::anyhow!(
            "`{name}` and HEAD have no common commit\nhelp: if this clone is shallow, run `git fetch --unshallow` (in CI: \
             fetch-depth 0)"
        )
    })?;
    Ok(Base::Found(Commit { name: name.to_owned(), tip, merge_base }))
}

/// A folder of the workspace as git names it in a commit; `None`: the commit has no such folder.
pub(crate) fn tree(shell: &Shell, commit: &str, folder: &str) -> Result<Option<String>> {
    let prefix = cmd!(shell, "git rev-parse --show-prefix").quiet().read()?;
    // `^{commit}` and a path do not go together.
    let commit = cmd!(shell, "git rev-parse --verify {commit}").quiet().read()?;
    let tree = format!("{commit}:{prefix}{folder}");
    let verify = cmd!(shell, "git rev-parse --verify --quiet {tree}").quiet();
    Ok(verify.ignore_stdout().ignore_stderr().run().is_ok().then_some(tree))
}

/// The files right in a folder of a commit, by name; links and deeper files are left out.
pub(crate) fn files(shell: &Shell, commit: &str, folder: &str) -> Result<Vec<File>> {
    let Some(tree) = tree(shell, commit, folder)? else { return Ok(Vec::new()) };
    // Without `--full-tree` git looks for the current folder in that tree, and finds nothing.
    let listed = cmd!(shell, "git ls-tree --full-tree -z {tree}").quiet().read()?;
    let file = |entry: &str| {
        let (about, name) = entry.split_once('\t')?;
        let (mode, rest) = about.split_once(' ')?;
        let blob = rest.strip_prefix("blob ")?.to_owned();
        mode.starts_with("100").then(|| File { name: name.to_owned(), blob })
    };
    Ok(listed.split('\0').filter_map(file).collect())
}

/// What is in a file of a commit, its line ends as the build reads them.
pub(crate) fn text(shell: &Shell, file: &File) -> Result<String> {
    let blob = &file.blob;
    let output = cmd!(shell, "git cat-file blob {blob}").quiet().output();
    let output = output.with_context(|| format!("failed to read `{}` from git", file.name))?;
    let text = String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n");
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_workspace_may_be_in_a_sub_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("service");
        fs::create_dir_all(root.join("db/migrations")).unwrap();
        fs::write(root.join("db/migrations/001_a.sql"), "").unwrap();
        let shell = Workspace { root }.shell().unwrap();
        let user = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
        cmd!(shell, "git init --quiet ..").quiet().run().unwrap();
        cmd!(shell, "git add --all").quiet().run().unwrap();
        cmd!(shell, "git {user...} commit --quiet --message x").quiet().run().unwrap();
        let names: Vec<String> =
            files(&shell, "HEAD", "db/migrations").unwrap().into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["001_a.sql"]);
        assert_eq!(
            tree(&shell, "HEAD", "db").unwrap().as_deref().map(|tree| tree.ends_with(":service/db")),
            Some(true)
        );
        assert_eq!(tree(&shell, "HEAD", "none").unwrap(), None);
    }
}
