//! The migrator as a program: built with the SQL that is on disk, pointed at a server.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use migrator_build::model::Set;
use serde_json::Value;

use crate::workspace::Workspace;
use migrator_postgres::remove_postgres_variables;

/// Tells the engine which cluster it may drop databases in, without a tunnel to production looking like one.
pub(crate) const DATA_DIRECTORY: &str = "MIGRATOR_WORKSPACE_DATA_DIRECTORY";

/// Tells the migrator that the server is there for this run alone: whatever is new on it is the run's own.
pub(crate) const SCRATCH_DATA_DIRECTORY: &str = "MIGRATOR_SCRATCH_DATA_DIRECTORY";

/// A migrator with the SQL inside that is on disk.
pub(crate) struct Fresh {
    pub(crate) executable: PathBuf,
    pub(crate) set: Set,
}

/// The migrator on a throwaway server: nothing that was set for another database reaches it.
pub(crate) fn on_throwaway(executable: &Path, url: &str) -> Command {
    let mut migrator = Command::new(executable);
    remove_postgres_variables(&mut migrator);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MIGRATOR_")) {
        // An approval, a deadline or an environment is meant for another database.
        migrator.env_remove(name);
    }
    migrator.env("DATABASE_URL", url);
    migrator
}

/// Builds until the SQL inside the binary is the SQL on disk. `None`: cargo has said why it failed.
pub(crate) fn build(workspace: &Workspace) -> Result<Option<Fresh>> {
    let built = || workspace.build_migrator(&["--features", "dev"], &[]);
    let Some(first) = built()? else { return Ok(None) };
    let set = match migrator_build::load(&workspace.db()) {
        Ok(loaded) => loaded.set,
        Err(problems) => bail!("the db directory has errors that the build did not see\n{problems}"),
    };
    if digest_inside(&first.executable)? == set.digest {
        return Ok(Some(Fresh { executable: first.executable, set }));
    }
    // Cargo compares times, and a checkout, a copy or a clock can make a changed file look old.
    for directory in [workspace.db(), workspace.db().join("migrations")] {
        let touch = || File::open(&directory)?.set_modified(SystemTime::now());
        touch().with_context(|| format!("failed to touch `{}`", directory.display()))?;
    }
    let Some(second) = built()? else { return Ok(None) };
    let inside = digest_inside(&second.executable)?;
    if inside != set.digest {
        bail!(
            "the migrator contains other SQL than `{}` (digest {inside}, expected {})\nhelp: the \
             package `migrator` needs a build.rs with `migrator_build::embed(\"../db\")`; if it has one, `cargo clean \
             --package migrator`",
            workspace.db().display(),
            set.digest
        );
    }
    Ok(Some(Fresh { executable: second.executable, set }))
}

fn digest_inside(executable: &Path) -> Result<String> {
    let shown = executable.display();
    let output = Command::new(executable)
        .args(["version", "--json"])
        .output()
        .with_context(|| format!("failed to run `{shown} version --json`"))?;
    let answer: Option<Value> = serde_json::from_slice(&output.stdout).ok();
    let digest = answer.as_ref().and_then(|answer| answer["digest"].as_str());
    let said = String::from_utf8_lossy(&output.stderr);
    Ok(digest.with_context(|| format!("`{shown} version --json` gave no digest: {}", said.trim()))?.to_owned())
}
