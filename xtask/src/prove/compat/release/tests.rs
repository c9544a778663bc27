//! On real repositories.

use std::fs;

use expect_test::{Expect, expect};
use xshell::{Shell, cmd};

use super::{Missing, choose};
use crate::workspace::Workspace;

/// A repository with a workspace in it.
struct Repository {
    folder: tempfile::TempDir,
    workspace: Workspace,
    shell: Shell,
}

impl Repository {
    /// Empty; the workspace is in this sub-folder.
    fn new(inside: &str) -> Repository {
        let folder = tempfile::tempdir().unwrap();
        let shell = Workspace { root: folder.path().to_owned() }.shell().unwrap();
        cmd!(shell, "git init --quiet").quiet().run().unwrap();
        Repository::at(folder, inside)
    }

    fn at(folder: tempfile::TempDir, inside: &str) -> Repository {
        let root = folder.path().join(inside);
        fs::create_dir_all(&root).unwrap();
        let workspace = Workspace { root };
        let shell = workspace.shell().unwrap();
        Repository { folder, workspace, shell }
    }

    fn write(&self, path: &str) {
        let path = self.workspace.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "SELECT 1;\n").unwrap();
    }

    fn git(&self, arguments: &str) {
        let user = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "protocol.file.allow=always"];
        let arguments = arguments.split_whitespace();
        cmd!(self.shell, "git {user...} {arguments...}").quiet().ignore_stdout().ignore_stderr().run().unwrap();
    }

    /// Adds a migration and commits it.
    fn commit(&self, version: u32) {
        self.write(&format!("db/migrations/{version:03}_x.sql"));
        self.git("add --all .");
        self.git("commit --quiet --message x");
    }

    /// Tags 1 and 2 with as many migrations, and a third one after them.
    fn grown(inside: &str) -> Repository {
        let repository = Repository::new(inside);
        for version in [1, 2] {
            repository.commit(version);
            repository.git(&format!("tag v{version}"));
        }
        repository.commit(3);
        repository
    }

    fn clone(&self, options: &str) -> Repository {
        let folder = tempfile::tempdir().unwrap();
        let from = format!("file://{}", self.folder.path().display());
        self.git(&format!("clone --quiet {options} {from} {}", folder.path().display()));
        Repository::at(folder, "")
    }

    #[track_caller]
    fn check(&self, named: Option<&str>, pattern: Option<&str>, expected: Expect) {
        let said = match choose(&self.shell, &self.workspace, named, pattern) {
            Ok(release) => {
                assert_eq!(release.commit.len(), 40);
                let names: Vec<&str> = release.migrations.iter().map(|file| &*file.name).collect();
                format!("{} ({}): {}", release.name, release.how, names.join(" "))
            }
            Err(error) => {
                let can_be_skipped = error.downcast_ref::<Missing>().is_some();
                assert_eq!(can_be_skipped, named.is_none(), "{error:#}");
                format!("{error:#}").replace(&self.workspace.root.display().to_string(), "<root>")
            }
        };
        expected.assert_eq(&said);
    }
}

#[test]
fn the_newest_tag_runs() {
    let repository = Repository::grown("");
    repository.check(None, None, expect!["v2 (the newest tag): 001_x.sql 002_x.sql"]);
    repository.check(None, Some("v*"), expect!["v2 (the newest tag): 001_x.sql 002_x.sql"]);
    repository.check(None, Some("v1"), expect!["v1 (the newest tag): 001_x.sql"]);
    // On another line of history.
    repository.git("tag other");
    repository.git("checkout --quiet v1");
    repository.commit(4);
    repository.check(None, None, expect!["v1 (the newest tag): 001_x.sql"]);
}

#[test]
fn a_tagged_commit_is_compared_with_the_release_before() {
    let repository = Repository::grown("");
    repository.git("tag v3");
    repository.git("tag --annotate --message x v3-final");
    repository.check(None, None, expect!["v2 (the newest tag before that of HEAD): 001_x.sql 002_x.sql"]);
    // The first one.
    repository.git("checkout --quiet v1");
    repository.check(
        None,
        None,
        expect![[r#"
            no release to compare with: HEAD is `v1`, and no release is older
            help: name what runs with `--release`"#]],
    );
    // The next one is being written.
    repository.write("db/migrations/009_x.sql");
    repository.check(None, None, expect!["v1 (the newest tag): 001_x.sql"]);
}

#[test]
fn a_named_release_is_a_tag_a_branch_or_a_commit() {
    let repository = Repository::grown("");
    repository.git("branch stable v1");
    repository.check(Some("v1"), None, expect!["v1 (named): 001_x.sql"]);
    repository.check(Some("stable"), Some("none"), expect!["stable (named): 001_x.sql"]);
    repository.check(Some("HEAD~1"), None, expect!["HEAD~1 (named): 001_x.sql 002_x.sql"]);
    let clone = repository.clone("");
    clone.check(Some("stable"), None, expect!["origin/stable (named): 001_x.sql"]);
    clone.check(Some("refs/tags/v2"), None, expect!["refs/tags/v2 (named): 001_x.sql 002_x.sql"]);
}

#[test]
fn an_unknown_name_is_an_error() {
    let repository = Repository::grown("");
    let unknown = |name: &str| {
        let error = choose(&repository.shell, &repository.workspace, Some(name), None).unwrap_err().to_string();
        let help = "help: run `git fetch --tags`, or name another tag, branch or commit";
        assert_eq!(error, format!("unknown release `{name}`\n{help}"));
    };
    for name in
        ["v9", "", "--upload-pack=touch /tmp/x", "-v1", "v1..v2", "v1:db", "a b", "v1\n", "v1\0", "ü", "*", "^v1"]
    {
        unknown(name);
    }
}

#[test]
fn without_a_tag_it_is_the_base_branch() {
    let repository = Repository::new("");
    repository.check(
        None,
        None,
        expect![[r#"
            no release to compare with: this repository has no commit yet
            help: commit and tag a release"#]],
    );
    repository.commit(1);
    repository.check(
        None,
        None,
        expect![[r#"
            no release to compare with: HEAD descends from no tag, and `origin/main` does not exist
            help: tag the releases, or name what runs with `--release`"#]],
    );
    repository.git("update-ref refs/remotes/origin/main HEAD");
    repository.commit(2);
    repository.check(None, None, expect!["origin/main (the base branch, because no tag was found): 001_x.sql"]);
    repository.git("tag x");
    repository.commit(3);
    repository.check(None, Some("v*"), expect!["origin/main (the base branch, because no tag was found): 001_x.sql"]);
}

#[test]
fn a_shallow_clone_is_not_compared_with_itself() {
    let grown = Repository::grown("");
    let clone = grown.clone("--depth 1");
    clone.check(
        None,
        None,
        expect![[r#"
            no release to compare with: HEAD descends from no tag, and this clone is shallow
            help: run `git fetch --unshallow --tags` (in CI: fetch-depth 0)"#]],
    );
    clone.check(
        Some("v1"),
        None,
        expect![[r#"
            unknown release `v1`
            help: this clone is shallow: run `git fetch --unshallow --tags`, or name another tag, branch or commit"#]],
    );
    let clone = grown.clone("--depth 1 --branch v2");
    clone.check(
        None,
        None,
        expect![[r#"
            no release to compare with: HEAD is `v2`, and this clone is too shallow to have an older tag
            help: run `git fetch --unshallow --tags` (in CI: fetch-depth 0)"#]],
    );
}

#[test]
fn without_git_there_is_none() {
    let repository = Repository::at(tempfile::tempdir().unwrap(), "");
    repository.check(
        None,
        None,
        expect![[r#"
            no release to compare with: this is not a git repository
            help: run this in a clone that has the release's tag"#]],
    );
    repository.check(
        Some("v1"),
        None,
        expect![[r#"
            cannot read release `v1`: `<root>` is not in a git repository
            help: run this in a clone that has the release"#]],
    );
}

#[test]
fn a_release_must_have_migrations() {
    let repository = Repository::new("");
    repository.write("README");
    repository.git("add --all");
    repository.git("commit --quiet --message x");
    repository.git("tag v0");
    repository.write("db/migrations/README.md");
    repository.git("add --all");
    repository.git("commit --quiet --message x");
    repository.git("tag v1");
    repository.commit(1);
    repository.check(
        None,
        None,
        expect![[r#"
            no release to compare with: `v1` has no migrations in `db/migrations`
            help: name a release that has migrations with `--release`"#]],
    );
    repository.check(
        Some("v0"),
        None,
        expect![[r#"
            `v0` has no folder `db/migrations`
            help: name a release that has `db/migrations`, or one of its descendants"#]],
    );
}

#[test]
fn the_workspace_may_be_in_a_sub_folder() {
    let repository = Repository::grown("services/päy ments");
    repository.check(None, None, expect!["v2 (the newest tag): 001_x.sql 002_x.sql"]);
    // A release from before the folder was there.
    let root = repository.folder.path().join("services/new");
    fs::create_dir_all(&root).unwrap();
    let workspace = Workspace { root };
    let error = choose(&workspace.shell().unwrap(), &workspace, Some("v1"), None).unwrap_err().to_string();
    assert_eq!(error.lines().next(), Some("`v1` has no folder `services/new`"));
}
