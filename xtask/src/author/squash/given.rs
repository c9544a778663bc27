//! What git has to say first: everything in db is committed, and what is squashed is on the base branch.

use anyhow::{Result, bail};
use migrator_engine::words::list;
use xshell::cmd;

use super::part::{Part, Refused};
use crate::base::{self, Base};
use crate::workspace::Workspace;

/// Refuses where git could not bring back what a squash moves, or where a migration is not on the base branch yet.
///
/// # Errors
/// Why not; git fails.
pub(super) fn refuse(workspace: &Workspace, base: Option<&str>, part: &Part) -> Result<()> {
    let shell = workspace.shell()?;
    let commit = match base::find(workspace, &shell, base)? {
        Base::Found(commit) => commit,
        Base::None(reason) => bail!(Refused(format!(
            "only git knows which migrations have been released: {reason}\n\
             help: a squash needs the workspace in git, and there the branch that production is at"
        ))),
    };
    let changed = cmd!(shell, "git status --porcelain --untracked-files=all -- db").quiet().read()?;
    if !changed.is_empty() {
        bail!(Refused(format!(
            "db has changes that are not committed:\n{changed}\n\
             help: commit them first: a squash moves files, and git has to be able to bring them back"
        )));
    }
    let there = base::files(&shell, &commit.tip, "db/migrations")?;
    let is_missing = |label: &String| !there.iter().any(|file| file.name.strip_suffix(".sql") == Some(label));
    let missing: Vec<String> = part.migrations.iter().map(|migration| migration.label()).filter(is_missing).collect();
    if !missing.is_empty() {
        let (verb, them) = if missing.len() == 1 { ("is", "it") } else { ("are", "them") };
        bail!(Refused(format!(
            "{} {verb} not in `{}`, so no database needs {them} squashed\n\
             help: squash up to a version that is there, or merge first",
            list(&missing),
            commit.name
        )));
    }
    Ok(())
}
