//! What is inside the release binary, for people who review it: the plan and the SQL.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use migrator_engine::history::History;
use migrator_engine::plan::{self, Target};
use serde_json::json;

use super::archive::Entry;
use crate::workspace::Workspace;

/// What the binary does to an empty database, with the SQL.
///
/// # Errors
/// The db directory has mistakes.
pub(super) fn plan(workspace: &Workspace, release: &str, commit: &str) -> Result<Vec<u8>> {
    let set = crate::migrator::load(workspace)?;
    let plan = plan::up(set, &History::default(), Target::Newest, false).map_err(migrator_engine::Error::from)?;
    let steps: Vec<_> = plan.steps.iter().map(|step| step.json(true)).collect();
    let value = json!({
        "release": release, "commit": commit, "digest": set.digest, "plan_digest": plan.digest(), "steps": steps,
    });
    let mut text = serde_json::to_vec_pretty(&value).context("failed to write the plan")?;
    text.push(b'\n');
    Ok(text)
}

/// The files of the db directory as they are inside, by name.
///
/// # Errors
/// A file cannot be read.
pub(super) fn files(workspace: &Workspace, below: &str) -> Result<Vec<Entry>> {
    let mut found = Vec::new();
    walk(&workspace.db(), &format!("{below}/db"), &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn walk(directory: &Path, name: &str, found: &mut Vec<Entry>) -> Result<()> {
    let shown = directory.display();
    for entry in fs::read_dir(directory).with_context(|| format!("failed to read `{shown}`"))? {
        let entry = entry.with_context(|| format!("failed to read `{shown}`"))?;
        let Ok(file) = entry.file_name().into_string() else { continue };
        // What an editor or a file manager leaves is not inside either.
        if file.starts_with('.') {
            continue;
        }
        let (path, name) = (entry.path(), format!("{name}/{file}"));
        let kind = fs::metadata(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
        match (kind.is_dir(), entry.file_type().is_ok_and(|kind| kind.is_symlink())) {
            // A link may lead in a circle.
            (true, true) => {}
            (true, false) => walk(&path, &name, found)?,
            (false, _) if is_inside(&file) => {
                let bytes = fs::read(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
                found.push(Entry { path: name, bytes, mode: 0o644 });
            }
            (false, _) => {}
        }
    }
    Ok(())
}

/// Whether a file of the db directory is one of those that are compiled in.
fn is_inside(file: &str) -> bool {
    file.ends_with(".sql")
        || file.ends_with(".toml")
        || file == "squashed.txt"
        || ["schema.facts.", "locks."].iter().any(|start| file.starts_with(start))
}
