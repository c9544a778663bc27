//! The migrator as a program: built with the SQL that is on disk, pointed at a server.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow, bail};
use migrator_build::{DataTest, Loaded};
use migrator_engine::Embedded;
use serde_json::Value;

use crate::output;
use crate::unchanged::Beside;
use crate::workspace::Workspace;

/// A migrator with the SQL inside that is on disk.
pub(crate) struct Fresh {
    pub(crate) executable: PathBuf,
    /// What is inside.
    pub(crate) embedded: &'static Embedded,
}

/// The set that is on disk, after the warnings that a build would show.
///
/// # Errors
/// Every problem of the directory.
pub(crate) fn load_and_warn(workspace: &Workspace) -> Result<&'static Embedded> {
    load_with_tests(workspace).map(|(embedded, _)| embedded)
}

/// The same, and the tests beside it.
///
/// # Errors
/// Every problem of the directory.
pub(crate) fn load_with_tests(workspace: &Workspace) -> Result<(&'static Embedded, Vec<DataTest>)> {
    let mut loaded = read(workspace)?;
    tell(&loaded);
    let tests = std::mem::take(&mut loaded.tests);
    Ok((leak(loaded), tests))
}

/// Says what a build would warn of.
fn tell(loaded: &Loaded) {
    loaded.warnings.iter().for_each(|warning| output::note(format!("warning: {warning}")));
}

/// The set that is on disk; nothing is built.
///
/// # Errors
/// Every problem of the directory.
pub(crate) fn load(workspace: &Workspace) -> Result<&'static Embedded> {
    read(workspace).map(leak)
}

fn read(workspace: &Workspace) -> Result<Loaded> {
    migrator_build::load(&workspace.db()).map_err(|problems| anyhow!("the db directory has errors\n{problems}"))
}

/// It lives until the process ends, as a compiled one does.
fn leak(loaded: Loaded) -> &'static Embedded {
    Box::leak(Box::new(loaded.set))
}

/// Builds until the SQL inside the binary is the SQL on disk. `None`: cargo has said why it failed.
pub(crate) fn build(workspace: &Workspace) -> Result<Option<Fresh>> {
    let beside = Beside::of(&workspace.root);
    if let Some(fresh) = beside.as_ref().and_then(|beside| as_it_is(workspace, beside)) {
        return Ok(Some(fresh));
    }
    let asked = SystemTime::now();
    let fresh = build_with_cargo(workspace)?;
    if let (Some(beside), Some(fresh)) = (beside, &fresh) {
        beside.keep(&fresh.executable, asked);
    }
    Ok(fresh)
}

/// The migrator that is there, if cargo would leave it as it is.
fn as_it_is(workspace: &Workspace, beside: &Beside<'_>) -> Option<Fresh> {
    let executable = beside.unchanged()?.to_owned();
    // What is wrong with the directory, cargo says.
    let loaded = read(workspace).ok()?;
    if digest_inside(&executable).ok()? != loaded.set.digest {
        return None;
    }
    tell(&loaded);
    Some(Fresh { executable, embedded: leak(loaded) })
}

fn build_with_cargo(workspace: &Workspace) -> Result<Option<Fresh>> {
    let built = || workspace.build_migrator(&[], &[]);
    let Some(first) = built()? else { return Ok(None) };
    let embedded = load(workspace)?;
    if digest_inside(&first.executable)? == embedded.digest {
        return Ok(Some(Fresh { executable: first.executable, embedded }));
    }
    // Cargo compares times, and a checkout, a copy or a clock can make a changed file look old.
    for directory in [workspace.db(), workspace.db().join("migrations")] {
        let touch = || File::open(&directory)?.set_modified(SystemTime::now());
        touch().with_context(|| format!("failed to touch `{}`", directory.display()))?;
    }
    let Some(second) = built()? else { return Ok(None) };
    let inside = digest_inside(&second.executable)?;
    if inside != embedded.digest {
        bail!(
            "the SQL in the migrator differs from `{}` (digest {inside}, expected {})\nhelp: the \
             package `migrator` needs a build.rs with `migrator_build::embed(\"../db\")`; if it has one, `cargo clean \
             --package migrator`",
            workspace.db().display(),
            embedded.digest
        );
    }
    Ok(Some(Fresh { executable: second.executable, embedded }))
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
