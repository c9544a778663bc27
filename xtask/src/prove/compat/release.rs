//! The release that still runs while the next one is rolled out: which commit it is, and which migrations it has.

mod tag;

#[cfg(test)]
mod tests;

use std::fmt::{self, Display};

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

use self::tag::Tags;
use crate::base::{self, Base, File};
use crate::workspace::Workspace;

/// The migrations of a workspace.
const MIGRATIONS: &str = "db/migrations";

/// A release in git.
#[derive(Debug)]
pub(crate) struct Release {
    /// The tag or branch as git calls it, or the commit as the user named it.
    pub(crate) name: String,
    /// Its commit, in full.
    pub(crate) commit: String,
    /// Why it is this one.
    pub(crate) how: How,
    /// The files of `db/migrations` at that commit, in order of their names; never empty.
    pub(crate) migrations: Vec<File>,
}

/// How a release was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// The user named it.
    Named,
    /// The newest tag that HEAD descends from.
    NewestTag,
    /// HEAD is a release itself: the newest tag before it.
    TagBefore,
    /// There is no tag: the commit where the working tree left the base branch.
    Base,
}

impl Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            How::Named => "named",
            How::NewestTag => "the newest tag",
            How::TagBefore => "the newest tag before that of HEAD",
            How::Base => "the base branch, because no tag was found",
        })
    }
}

/// No release was named, and none was found: the question can be skipped. It is the error of [`choose`] then.
#[derive(Debug)]
pub(crate) struct Missing {
    /// Why there is none, for "skipped: ...".
    pub(crate) reason: String,
    /// The way out.
    pub(crate) help: String,
}

impl Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no release to compare with: {}\nhelp: {}", self.reason, self.help)
    }
}

impl std::error::Error for Missing {}

/// Chooses the release: the named tag, branch or commit; else the newest tag that HEAD descends from; else where the working tree left
/// the base branch. `tag_pattern` is a glob that the tags of releases match.
///
/// Where HEAD has such a tag itself and `db/` is as committed, that release is being built, and the one before it runs.
///
/// # Errors
/// The named release is not in this clone or has no migrations, or git fails. [`Missing`]: none is named, and there is none.
pub(crate) fn choose(
    shell: &Shell,
    workspace: &Workspace,
    named: Option<&str>,
    tag_pattern: Option<&str>,
) -> Result<Release> {
    let is_repository = cmd!(shell, "git rev-parse --git-dir").quiet().ignore_stdout().ignore_stderr().run().is_ok();
    match named {
        Some(name) if !is_repository => bail!(
            "cannot read release `{name}`: `{}` is not in a git repository\nhelp: run this in a clone that has the release",
            workspace.root.display()
        ),
        Some(name) => {
            let (name, commit) = self::named(shell, name)?;
            let migrations = migrations(shell, &name, &commit)?;
            migrations.map(|migrations| Release { name, commit, how: How::Named, migrations }).map_err(|without| {
                anyhow::anyhow!("{without}\nhelp: name a release that has `{MIGRATIONS}`, or one of its descendants")
            })
        }
        None if !is_repository => {
            let reason = "this is not a git repository".to_owned();
            Err(Missing { reason, help: "run this in a clone that has the release's tag".to_owned() }.into())
        }
        None => {
            let (name, commit, how) = found(shell, workspace, tag_pattern)?;
            let help = "name a release that has migrations with `--release`".to_owned();
            match migrations(shell, &name, &commit)? {
                Ok(migrations) => Ok(Release { name, commit, how, migrations }),
                Err(reason) => Err(Missing { reason, help }.into()),
            }
        }
    }
}

/// The name as git knows it, and its commit.
fn named(shell: &Shell, name: &str) -> Result<(String, String)> {
    // A branch of a clone that never checked it out is known under the name of its remote.
    let names = [name.to_owned(), format!("origin/{name}")];
    // What looks like an option is not a name in git either.
    let known = names.into_iter().filter(|_| !name.is_empty() && !name.starts_with('-') && !name.contains('\0'));
    for name in known {
        if let Some(commit) = commit(shell, &name) {
            return Ok((name, commit));
        }
    }
    let fetch = if is_shallow(shell)? {
        "this clone is shallow: run `git fetch --unshallow --tags`"
    } else {
        "run `git fetch --tags`"
    };
    bail!("unknown release `{name}`\nhelp: {fetch}, or name another tag, branch or commit");
}

/// The commit that a name means; `None`: git knows no such commit.
fn commit(shell: &Shell, name: &str) -> Option<String> {
    let name = format!("{name}^{{commit}}");
    let commit = cmd!(shell, "git rev-parse --verify --quiet {name}").quiet().ignore_stderr().read().ok();
    // `^v1` gives a commit that is left out.
    commit.filter(|commit| commit.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_shallow(shell: &Shell) -> Result<bool> {
    Ok(cmd!(shell, "git rev-parse --is-shallow-repository").quiet().read()? == "true")
}

/// The release that no one named: its name, its commit, and how it was found.
fn found(shell: &Shell, workspace: &Workspace, pattern: Option<&str>) -> Result<(String, String, How)> {
    let Some(head) = commit(shell, "HEAD") else {
        let reason = "this repository has no commit yet".to_owned();
        return Err(Missing { reason, help: "commit and tag a release".to_owned() }.into());
    };
    let mut tags = Tags::of(shell, pattern);
    let newest = tags.next()?;
    // With changes in db/, the tagged release is what runs, and the one after it is being written.
    let is_built = newest.as_ref().is_some_and(|tag| tag.commit == head) && !is_changed(shell)?;
    let (tag, how) = match newest {
        Some(tag) if is_built => (tags.find(|other| other.commit != tag.commit)?.ok_or(tag.name), How::TagBefore),
        Some(tag) => (Ok(tag), How::NewestTag),
        None => return base(shell, workspace, pattern),
    };
    match tag {
        Ok(tag) => Ok((tag.name, tag.commit, how)),
        Err(first) => {
            let (reason, help) = if is_shallow(shell)? {
                let reason = format!("HEAD is `{first}`, and this clone is too shallow to have an older tag");
                (reason, "run `git fetch --unshallow --tags` (in CI: fetch-depth 0)")
            } else {
                (format!("HEAD is `{first}`, and no release is older"), "name what runs with `--release`")
            };
            Err(Missing { reason, help: help.to_owned() }.into())
        }
    }
}

/// Whether `db/` is not as HEAD has it.
fn is_changed(shell: &Shell) -> Result<bool> {
    let status = cmd!(shell, "git --no-optional-locks status --porcelain --untracked-files=all -- db").quiet();
    Ok(!status.read()?.is_empty())
}

/// Where the working tree left the base branch.
fn base(shell: &Shell, workspace: &Workspace, pattern: Option<&str>) -> Result<(String, String, How)> {
    let tags = match pattern {
        Some(pattern) => format!("HEAD descends from no tag that matches `{pattern}`"),
        None => "HEAD descends from no tag".to_owned(),
    };
    // Its end may be all that a shallow clone has of the base branch: the release would be compared with itself.
    if is_shallow(shell)? {
        let help = "run `git fetch --unshallow --tags` (in CI: fetch-depth 0)".to_owned();
        return Err(Missing { reason: format!("{tags}, and this clone is shallow"), help }.into());
    }
    let reason = match base::find(workspace, shell, None) {
        Ok(Base::Found(commit)) => return Ok((commit.name, commit.merge_base, How::Base)),
        // What it says of an option is about another task's.
        Ok(Base::None(reason)) => reason.split(';').next().unwrap_or_default().to_owned(),
        Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
    };
    let help = "tag the releases, or name what runs with `--release`".to_owned();
    Err(Missing { reason: format!("{tags}, and {reason}"), help }.into())
}

/// The migrations of a commit, or what it lacks.
fn migrations(shell: &Shell, name: &str, commit: &str) -> Result<Result<Vec<File>, String>> {
    if base::tree(shell, commit, MIGRATIONS)?.is_none() {
        let prefix = cmd!(shell, "git rev-parse --show-prefix").quiet().read()?;
        let has_workspace = base::tree(shell, commit, "")?.is_some();
        let lacks = if has_workspace { MIGRATIONS } else { prefix.trim_end_matches('/') };
        return Ok(Err(format!("`{name}` has no folder `{lacks}`")));
    }
    let mut files = base::files(shell, commit, MIGRATIONS)?;
    files.retain(|file| file.name.ends_with(".sql"));
    Ok(if files.is_empty() { Err(format!("`{name}` has no migrations in `{MIGRATIONS}`")) } else { Ok(files) })
}
