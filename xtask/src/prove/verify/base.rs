//! What the base branch has, for the question of `verify` that walks from there: the migrator knows no git.

use std::io::Write;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use xshell::Shell;

use crate::base::{self, Base, Commit};
use crate::workspace::Workspace;

/// A file that describes the base, readable by its owner alone, and gone when it is dropped. Where no base is named and none is found, it says why.
///
/// # Errors
/// A base was named that does not exist, or git fails.
pub(super) fn hand_over(workspace: &Workspace, base: Option<&str>) -> Result<NamedTempFile> {
    let shell = workspace.shell()?;
    let found = match base::find(workspace, &shell, base) {
        // A clone without a common commit is an error only for those who asked for a base.
        Err(error) if base.is_none() => Ok(Base::None(error.to_string().lines().next().unwrap_or_default().to_owned())),
        found => found,
    }?;
    let value = match found {
        Base::Found(commit) => json!({ "known": known(&shell, &commit)? }),
        Base::None(reason) => json!({ "unknown": reason }),
    };
    let mut file = NamedTempFile::new().context("failed to create a temporary file")?;
    file.write_all(value.to_string().as_bytes()).context("failed to write a temporary file")?;
    Ok(file)
}

/// The versions, and the repeatables with their text.
fn known(shell: &Shell, commit: &Commit) -> Result<Value> {
    let migrations = base::files(shell, &commit.merge_base, "db/migrations")?;
    let versions: Vec<&str> = migrations.iter().filter_map(|file| version(&file.name)).collect();
    let mut repeatables = Vec::new();
    for file in base::files(shell, &commit.merge_base, "db/repeatable")? {
        let Some(name) = file.name.strip_suffix(".sql").filter(|name| !name.starts_with('.')) else { continue };
        let text = base::text(shell, &file)?;
        let starts = migrator_build::statement_starts(&text);
        repeatables.push(json!({ "name": name, "text": text, "starts": starts }));
    }
    Ok(json!({ "name": commit.name, "versions": versions, "repeatables": repeatables }))
}

/// The digits that a migration's file begins with.
fn version(name: &str) -> Option<&str> {
    let end = name.find(|character: char| !character.is_ascii_digit())?;
    (end > 0 && name.ends_with(".sql")).then(|| &name[..end])
}
