//! What the base branch has, for the question of `verify` that walks from there.

use anyhow::Result;
use xshell::Shell;

use crate::base::{self, Base, Commit};
use crate::prove::proof::before::{Before, Branch, Repeatable};
use crate::workspace::Workspace;

/// Asks git. Where no base is named and none is found, it says why. Also the commit where this branch begins, for readers.
///
/// # Errors
/// A base was named that does not exist, or git fails.
pub(super) fn before(workspace: &Workspace, base: Option<&str>) -> Result<(Before, Option<String>)> {
    let shell = workspace.shell()?;
    let found = match base::find(workspace, &shell, base) {
        // A clone without a common commit is an error only for those who asked for a base.
        Err(error) if base.is_none() => Ok(Base::None(error.to_string().lines().next().unwrap_or_default().to_owned())),
        found => found,
    }?;
    Ok(match found {
        Base::Found(commit) => {
            let begin = commit.merge_base.get(..12).unwrap_or(&commit.merge_base);
            let shown = format!("{} at {begin}", commit.name);
            (Before::Branch(branch(&shell, &commit)?), Some(shown))
        }
        Base::None(reason) => (Before::Unknown(Some(reason)), None),
    })
}

/// The versions, and the repeatables and seeds with their text.
fn branch(shell: &Shell, commit: &Commit) -> Result<Branch> {
    let migrations = base::files(shell, &commit.merge_base, "db/migrations")?;
    let versions = migrations.iter().filter_map(|file| version(&file.name)).map(str::to_owned).collect();
    let (repeatables, seeds) = (scripts(shell, commit, "db/repeatable")?, scripts(shell, commit, "db/seeds")?);
    Ok(Branch { name: commit.name.clone(), versions, repeatables, seeds })
}

/// The files of a folder without versions, with their text.
fn scripts(shell: &Shell, commit: &Commit, folder: &str) -> Result<Vec<Repeatable>> {
    let mut scripts = Vec::new();
    for file in base::files(shell, &commit.merge_base, folder)? {
        let Some(name) = file.name.strip_suffix(".sql").filter(|name| !name.starts_with('.')) else { continue };
        let text = base::text(shell, &file)?;
        scripts.push(Repeatable { name: name.to_owned(), text });
    }
    Ok(scripts)
}

/// The digits that a migration's file begins with.
fn version(name: &str) -> Option<&str> {
    let end = name.find(|character: char| !character.is_ascii_digit())?;
    (end > 0 && name.ends_with(".sql")).then(|| &name[..end])
}

#[cfg(test)]
mod tests {
    use std::fs;

    use xshell::cmd;

    use super::*;

    /// A repository with two migrations and two repeatables, and a link that is not followed.
    fn workspace() -> (tempfile::TempDir, Workspace, Shell) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        for directory in ["db/migrations", "db/repeatable"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        for (path, text) in [
            ("db/migrations/001_init.sql", ""),
            ("db/migrations/002_more.sql", ""),
            ("db/repeatable/v.sql", "SELECT 2;\n"),
            ("db/repeatable/w.sql", "SELECT 1;\r\nSELECT 'x';\r\n"),
        ] {
            fs::write(root.join(path), text).unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", root.join("db/repeatable/x.sql")).unwrap();
        let workspace = Workspace { root };
        let shell = workspace.shell().unwrap();
        (folder, workspace, shell)
    }

    fn commit(shell: &Shell) {
        cmd!(shell, "git add --all").quiet().run().unwrap();
        let name = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "core.autocrlf=input"];
        cmd!(shell, "git {name...} commit --quiet --message x").quiet().run().unwrap();
    }

    fn reason(workspace: &Workspace) -> String {
        match before(workspace, None).unwrap().0 {
            Before::Unknown(reason) => reason.unwrap(),
            Before::Branch(branch) => panic!("{branch:?}"),
        }
    }

    #[track_caller]
    fn check(workspace: &Workspace, base: Option<&str>, name: &str, versions: &[&str], view: &str) {
        let (Before::Branch(branch), _) = before(workspace, base).unwrap() else { panic!("no branch") };
        let repeatables: Vec<_> = branch.repeatables.iter().map(|script| (&*script.name, &*script.text)).collect();
        assert_eq!((&*branch.name, branch.versions), (name, versions.iter().map(|&v| v.to_owned()).collect()));
        assert_eq!(repeatables, [("v", view), ("w", "SELECT 1;\nSELECT 'x';\n")]);
    }

    #[test]
    fn the_branch_is_read_from_git_and_not_from_the_working_tree() {
        let (_folder, workspace, shell) = workspace();
        assert_eq!(reason(&workspace), "this is not a git repository");
        cmd!(shell, "git init --quiet").quiet().run().unwrap();
        commit(&shell);
        assert_eq!(reason(&workspace), "`origin/main` does not exist; name a base with `--base`");
        cmd!(shell, "git update-ref refs/remotes/origin/main HEAD").quiet().run().unwrap();
        cmd!(shell, "git tag v1").quiet().run().unwrap();
        fs::write(workspace.root.join("db/repeatable/v.sql"), "SELECT 3;\n").unwrap();
        fs::write(workspace.root.join("db/migrations/003_new.sql"), "").unwrap();
        commit(&shell);
        fs::write(workspace.root.join("db/repeatable/w.sql"), "SELECT 4;\n").unwrap();
        check(&workspace, None, "origin/main", &["001", "002"], "SELECT 2;\n");
        check(&workspace, Some("v1"), "v1", &["001", "002"], "SELECT 2;\n");
        check(&workspace, Some("HEAD"), "HEAD", &["001", "002", "003"], "SELECT 3;\n");
        let unknown = before(&workspace, Some("nowhere")).unwrap_err();
        assert_eq!(unknown.to_string(), "unknown base `nowhere`\nhelp: run `git fetch`, or name another branch");
        let status = cmd!(shell, "git status --porcelain").quiet().read().unwrap();
        assert_eq!(status.trim(), "M db/repeatable/w.sql");
    }
}
