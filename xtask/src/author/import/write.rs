//! Puts the finished files into the db directory: all of them, or none, even if the process is killed on the way.
//!
//! Everything is complete in a stage, a hidden directory in the db directory, before a plan file in it says that it is to be put in place.
//! From then on there are only renames, db/migrator.toml first and db/migrations last. What a killed run has left, the next one finishes.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use tempfile::TempDir;

use super::tree::one_line;
use super::{map, tool};

/// The settings in the db directory.
pub(super) const SETTINGS: &str = "migrator.toml";
/// What the name of a stage begins with; six more characters follow.
pub(super) const STAGE: &str = ".import-";
/// In the stage: what is being done.
const PLAN: &str = "plan.json";
/// In the stage: db/migrator.toml as it was.
const BEFORE: &str = "before.toml";
/// In the stage: db/migrations as it was, unless it is kept.
const ASIDE: &str = "aside";

/// An import that is to be put in place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) tool: String,
    /// True if the originals are in db/migrations: they are kept beside it.
    pub(super) in_place: bool,
}

/// One rename.
#[derive(Debug)]
struct Step {
    from: PathBuf,
    to: PathBuf,
    /// True for the one file that may be there already.
    replaces: bool,
}

/// What a killed run has left, and what became of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Left {
    Nothing,
    /// Nothing of it was to be put in place.
    Removed(PathBuf),
    /// It is in place now.
    Finished(Import),
}

/// Where the originals go if they are in db/migrations.
pub(super) fn keep(db: &Path, tool: &str) -> PathBuf {
    db.join(format!("imported-from-{tool}"))
}

/// Takes the db directory for one import at a time, until the file is dropped.
///
/// # Errors
/// Another import has it, or it cannot be opened.
pub(super) fn lock(db: &Path) -> Result<File> {
    let file = File::open(db).with_context(|| format!("failed to open `{}`", one_line(db)))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => bail!("another import into `{}` is running", one_line(db)),
        // Not every file system has locks; what is in place is never replaced there either.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// Puts what is complete in `stage` in place.
///
/// # Errors
/// Something could not be moved; everything is as it was before, or else the next import finishes it.
pub(super) fn all(stage: TempDir, db: &Path, import: &Import) -> Result<()> {
    prepare(stage.path(), db, import).with_context(|| format!("failed to write in `{}`", one_line(stage.path())))?;
    // Originals may be in it from now on: no failure removes it.
    let stage = stage.keep();
    let mut done = Vec::new();
    let moved = steps(&stage, db, import).and_then(|steps| advance(steps, &mut done));
    if let Err(error) = moved {
        return match undo(&stage, db, &done).and_then(|()| Ok(remove(&stage)?)) {
            Ok(()) => Err(error),
            Err(_) => Err(error.context("the import is not complete: run the same command again, which finishes it")),
        };
    }
    // All is in place: what cannot be removed now, the next import removes.
    let _ = remove(&stage);
    Ok(())
}

/// Finishes or removes what a killed run has left. The caller has locked `db`.
///
/// # Errors
/// It cannot be finished, or it is there and `dry_run` forbids to.
pub(super) fn recover(db: &Path, dry_run: bool) -> Result<Left> {
    let mut left = Left::Nothing;
    for stage in stages(db)? {
        let shown = one_line(&stage);
        let import = read_plan(&stage)?;
        if dry_run {
            if import.is_some() && has_begun(&stage) {
                bail!(
                    "`{shown}` is of an import that was killed\nhelp: run this without `--dry-run`, which finishes it"
                );
            }
            continue;
        }
        match import {
            Some(import) if has_begun(&stage) => {
                advance(steps(&stage, db, &import)?, &mut Vec::new())
                    .with_context(|| format!("the import that was killed, in `{shown}`, cannot be finished"))?;
                remove(&stage).with_context(|| format!("failed to remove `{shown}`"))?;
                return Ok(Left::Finished(import));
            }
            Some(_) if !is_there(&db.join(SETTINGS)) && is_there(&stage.join(BEFORE)) => {
                rename(&stage.join(BEFORE), &db.join(SETTINGS))?;
            }
            _ => {}
        }
        remove(&stage).with_context(|| format!("failed to remove `{shown}`"))?;
        left = Left::Removed(stage);
    }
    Ok(left)
}

/// Writes down what was there and what is to be done; the plan appears at once and complete.
fn prepare(stage: &Path, db: &Path, import: &Import) -> io::Result<()> {
    match fs::copy(db.join(SETTINGS), stage.join(BEFORE)) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let plan = json!({ "tool": import.tool, "in_place": import.in_place }).to_string();
    let new = stage.join("plan.new");
    fs::write(&new, plan)?;
    fs::rename(new, stage.join(PLAN))
}

fn read_plan(stage: &Path) -> Result<Option<Import>> {
    let path = stage.join(PLAN);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text.with_context(|| format!("failed to read `{}`", one_line(&path)))?,
    };
    let plan: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let known = |name: &&str| tool::find(name).is_some();
    match (plan["tool"].as_str().filter(known), plan["in_place"].as_bool()) {
        (Some(tool), Some(in_place)) => Ok(Some(Import { tool: tool.to_owned(), in_place })),
        _ => {
            bail!("`{}` is not the plan of an import\nhelp: look what is beside it, and move it away", one_line(&path))
        }
    }
}

/// The stages in the db directory, and nothing else that is called like one.
fn stages(db: &Path) -> Result<Vec<PathBuf>> {
    let failed = || format!("failed to read the directory `{}`", one_line(db));
    let mut found = Vec::new();
    for entry in fs::read_dir(db).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let name = entry.file_name();
        let is_named = name.to_str().and_then(|name| name.strip_prefix(STAGE)).is_some_and(|rest| rest.len() == 6);
        if is_named && entry.file_type().with_context(failed)?.is_dir() && is_ours(&entry.path())? {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn is_ours(stage: &Path) -> Result<bool> {
    let ours = ["db", PLAN, "plan.new", BEFORE, ASIDE];
    let names = names(stage)?;
    Ok(names.iter().all(|name| name.to_str().is_some_and(|name| ours.contains(&name))))
}

/// True once the first file is in place.
fn has_begun(stage: &Path) -> bool {
    !is_there(&stage.join("db").join(SETTINGS))
}

/// What is left to be done, whatever has been done.
fn steps(stage: &Path, db: &Path, import: &Import) -> Result<Vec<Step>> {
    let new = stage.join("db");
    let step = |from: PathBuf, to: PathBuf| Step { from, to, replaces: false };
    let mut steps = vec![Step { replaces: true, ..step(new.join(SETTINGS), db.join(SETTINGS)) }];
    steps.push(step(new.join(map::FILE), db.join(map::FILE)));
    let (from, to) = (new.join("repeatable"), db.join("repeatable"));
    if is_there(&from) && is_there(&to) {
        steps.extend(names(&from)?.into_iter().map(|name| step(from.join(&name), to.join(&name))));
    } else {
        steps.push(step(from, to));
    }
    steps.retain(|step| is_there(&step.from));
    let (from, to) = (new.join("migrations"), db.join("migrations"));
    if !is_there(&from) {
        return Ok(steps);
    }
    let aside = if import.in_place { keep(db, &import.tool) } else { stage.join(ASIDE) };
    if is_there(&aside) && is_there(&to) {
        bail!("`{}` is in the way\nhelp: move it away, and run the same command again", one_line(&to));
    }
    // What is in db/migrations stays there, apart from the originals.
    let mut stays = names(if is_there(&aside) { &aside } else { &to })?;
    stays.retain(|name| !import.in_place || name == ".gitkeep");
    if is_there(&to) {
        steps.push(step(to.clone(), aside.clone()));
    }
    steps.extend(stays.into_iter().map(|name| step(aside.join(&name), from.join(&name))));
    steps.push(step(from, to));
    Ok(steps)
}

fn advance(steps: Vec<Step>, done: &mut Vec<Step>) -> Result<()> {
    for step in steps {
        if step.replaces {
            fs::rename(&step.from, &step.to).with_context(|| format!("failed to write `{}`", one_line(&step.to)))?;
        } else {
            rename(&step.from, &step.to)?;
        }
        done.push(step);
    }
    Ok(())
}

/// Takes the steps back; killed on the way, it leaves what `recover` finishes.
fn undo(stage: &Path, db: &Path, done: &[Step]) -> Result<()> {
    for step in done.iter().rev() {
        rename(&step.to, &step.from)?;
    }
    let before = stage.join(BEFORE);
    if !done.is_empty() && is_there(&before) {
        rename(&before, &db.join(SETTINGS))?;
    }
    Ok(())
}

/// Removes a stage from which nothing is needed any more. Killed on the way, it leaves what `recover` understands: the plan of a finished
/// import goes last, any other goes first.
fn remove(stage: &Path) -> io::Result<()> {
    // If something has come into it that no one has planned for, it stays.
    unless_gone(fs::remove_dir(stage.join(ASIDE)))?;
    if has_begun(stage) {
        unless_gone(fs::remove_dir_all(stage.join("db")))?;
        unless_gone(fs::remove_file(stage.join(BEFORE)))?;
    }
    unless_gone(fs::remove_file(stage.join(PLAN)))?;
    fs::remove_dir_all(stage)
}

fn unless_gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Never replaces anything.
fn rename(from: &Path, to: &Path) -> Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    let moved = match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system can do this in one step.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if !to.try_exists().unwrap_or(true) => fs::rename(from, to),
        other => other.map_err(io::Error::from),
    };
    match moved {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("`{}` exists already\nhelp: move it away, and run the same command again", one_line(to))
        }
        moved => moved.with_context(|| format!("failed to write `{}`", one_line(to))),
    }
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The names in a directory, ascending; none if it is not there.
fn names(directory: &Path) -> Result<Vec<std::ffi::OsString>> {
    let failed = || format!("failed to read the directory `{}`", one_line(directory));
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.with_context(failed)?.file_name());
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests;
