//! The db directory of a commit, read as a build reads it. Neither the working tree nor its index is touched.

use std::fs;

use anyhow::{Context as _, Result, anyhow, bail};
use migrator_engine::Embedded;
use migrator_model::Set;
use xshell::{Shell, cmd};

use crate::base;

/// Reads the db directory that the workspace has in a commit; `release` is its name in messages.
///
/// # Errors
/// It has none, or one with errors; git fails.
pub(super) fn at(shell: &Shell, release: &str, commit: &str) -> Result<&'static Embedded> {
    let set = read(shell, release, commit)?;
    // It lives until the process ends, as a compiled one does.
    Ok(Box::leak(Box::new(set)))
}

fn read(shell: &Shell, release: &str, commit: &str) -> Result<Set> {
    let Some(tree) = base::tree(shell, commit, "db")? else {
        bail!("release `{release}` has no db directory\nhelp: name a release that has one with `--release`");
    };
    let folder = tempfile::tempdir().context("failed to make a temporary directory")?;
    let index = folder.path().join("index");
    let db = folder.path().join("db");
    fs::create_dir(&db).context("failed to make a temporary directory")?;
    // From the root of the repository: elsewhere git leaves out what is not below the current directory.
    let top = cmd!(shell, "git rev-parse --show-toplevel").quiet().read()?;
    let prefix = format!("{}/", db.display());
    for arguments in [&["read-tree", &tree][..], &["checkout-index", "--all", "--force", "--prefix", &prefix]] {
        let git = cmd!(shell, "git -C {top} {arguments...}").quiet().env("GIT_INDEX_FILE", &index).ignore_stderr();
        git.run().with_context(|| format!("failed to read the db directory of `{release}` from git"))?;
    }
    let loaded = migrator_build::load(&db);
    Ok(loaded.map_err(|problems| anyhow!("the db directory of `{release}` has errors\n{problems}"))?.set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(shell: &Shell) {
        cmd!(shell, "git add --all").quiet().run().unwrap();
        let name = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
        cmd!(shell, "git {name...} commit --quiet --message x").quiet().run().unwrap();
    }

    #[test]
    fn the_directory_is_that_of_the_commit_also_in_a_sub_folder() {
        for below in ["", "services/a b"] {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().join(below);
            let write = |path: &str, text: &str| {
                fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
                fs::write(root.join(path), text).unwrap();
            };
            let shell = Shell::new().unwrap();
            shell.change_dir(folder.path());
            cmd!(shell, "git init --quiet").quiet().run().unwrap();
            write("README.md", "");
            commit(&shell);
            shell.change_dir(&root);
            fs::create_dir_all(&root).unwrap();
            let none = read(&shell, "v0", "HEAD").unwrap_err().to_string();
            assert!(none.starts_with("release `v0` has no db directory"), "{none}");
            write("db/migrations/001_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n");
            write("db/repeatable/v.sql", "SELECT 1;\n");
            write("db/migrator.toml", "[release]\nrole = \"app\"\n");
            commit(&shell);
            write("db/migrations/002_b.sql", "-- migrate:up\nSELECT 2;\n");
            write("db/repeatable/v.sql", "SELECT 2;\n");
            let status = || cmd!(shell, "git status --porcelain").quiet().read().unwrap();
            let before = status();
            let set = read(&shell, "v1", "HEAD").unwrap();
            let labels: Vec<_> =
                set.migrations.iter().map(|migration| (migration.label(), migration.file.to_string())).collect();
            assert_eq!(labels, [("001_a".to_owned(), "db/migrations/001_a.sql".to_owned())]);
            assert_eq!((&*set.repeatables[0].text, set.settings.release_role.as_deref()), ("SELECT 1;\n", Some("app")));
            assert_eq!(status(), before);
            write("db/migrations/002_b.sql", "SELECT 2;\n");
            commit(&shell);
            let wrong = read(&shell, "v2", "HEAD").unwrap_err().to_string();
            assert!(wrong.starts_with("the db directory of `v2` has errors\ndb/migrations/002_b.sql"), "{wrong}");
        }
    }
}
