//! `check --fix`: migrations that have not been applied anywhere, rewritten without their hazards.
//!
//! A form is pure: from the statement of a hazard to what is to become of it. The layout makes files of that, and a throwaway server
//! shows that they do the same, up and down, under weaker locks. What cannot be shown is left alone, and the reason said.

mod down;
mod edit;
mod form;
mod layout;
mod remedy;
mod rewrite;
mod room;
mod source;
mod tables;
#[cfg(test)]
mod testing;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};
use migrator_engine::Embedded;
use migrator_engine::embedded::Migration;
use migrator_engine::output as engine;
use migrator_lint::{Hazard, search};
use migrator_model::Tool;
use serde_json::json;

pub use rewrite::{Rewritten, Written, rewrite};
pub use room::Room;

use super::difference;
use crate::base::{self, Base};
use crate::check;
use crate::migrator;
use crate::output::{self, Usage};
use crate::workspace::{Workspace, shown};

/// Rewrites what is new, or the files that are named. Exit code 1: a hazard is left, or a named file may not be rewritten.
pub(crate) fn run(args: &check::Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let mut embedded = migrator::load(&workspace)?;
    let applied = applied(&workspace, args.base(), embedded)?;
    let chosen = chosen(&workspace, embedded, args.files())?;
    let mut is_refused = false;
    for migration in embedded.migrations.iter().filter(|migration| chosen.contains(&migration.number)) {
        if let Some(reason) = applied.of(migration) {
            is_refused = true;
            output::note(format!("error: `{}` {reason}\nhelp: make the change in a new migration", migration.file));
        }
    }
    if is_refused {
        return Ok(ExitCode::from(output::FOUND));
    }
    let is_meant = |migration: &Migration| match chosen.is_empty() {
        true => applied.of(migration).is_none(),
        false => chosen.contains(&migration.number),
    };
    let found = search(embedded);
    let has_hazard = |migration: &Migration| found.iter().any(|hazard| hazard.file == *migration.file);
    let meant = embedded.migrations.iter().filter(|migration| is_meant(migration) && has_hazard(migration));
    let meant: Vec<i64> = meant.map(|migration| migration.number).collect();
    if meant.is_empty() {
        tell(&workspace, &Rewritten::default(), args.is_dry_run());
        output::note("no hazard is in the migrations that may be rewritten; nothing was written");
        return Ok(ExitCode::SUCCESS);
    }
    let mut is_left = false;
    let mut room = Room::new()?;
    // What is not to be written is still what the next migration is proved beside.
    let scratch = args.is_dry_run().then(|| copied(&workspace)).transpose()?;
    let db = scratch.as_ref().map_or_else(|| workspace.db(), |scratch| scratch.path().join("db"));
    for version in meant {
        let rewritten = rewrite(&mut room, &db, embedded, version)?;
        is_left |= !rewritten.left.is_empty() || args.is_dry_run();
        write(&db.join("migrations"), &rewritten)?;
        tell(&workspace, &rewritten, args.is_dry_run());
        embedded = read_again(&db)?;
    }
    Ok(if is_left { ExitCode::from(output::FOUND) } else { ExitCode::SUCCESS })
}

/// The db directory in a temporary one.
fn copied(workspace: &Workspace) -> Result<tempfile::TempDir> {
    let scratch = tempfile::tempdir().context("failed to create a temporary directory")?;
    rewrite::copy(&workspace.db(), &scratch.path().join("db"), "")?;
    Ok(scratch)
}

fn read_again(db: &Path) -> Result<&'static Embedded> {
    room::read(db).map_err(|reason| anyhow!("the db directory has errors: {reason}"))
}

/// Where migrations may have been applied.
struct Applied {
    /// The branch.
    base: String,
    /// The versions of its migrations, at its end and where the working tree left it.
    versions: BTreeSet<i64>,
    /// The versions of migrations that another tool's history has.
    imported: BTreeSet<i64>,
}

impl Applied {
    /// Why a migration may have been applied; `None`: it cannot.
    fn of(&self, migration: &Migration) -> Option<String> {
        if self.versions.contains(&migration.number) {
            return Some(format!("is in `{}`: it may have been applied", self.base));
        }
        let imported = self.imported.contains(&migration.number);
        imported.then(|| "is in `db/imported.toml`: the tool that it comes from may have applied it".to_owned())
    }
}

fn applied(workspace: &Workspace, base: Option<&str>, embedded: &Embedded) -> Result<Applied> {
    let shell = workspace.shell()?;
    let commit = match base::find(workspace, &shell, base)? {
        Base::Found(commit) => commit,
        Base::None(reason) => bail!(
            "cannot tell which migrations have been applied: {reason}\n\
             help: name the branch that production is at: `cargo xtask check --fix --base <branch>`"
        ),
    };
    let mut versions = BTreeSet::new();
    for commit in [&commit.tip, &commit.merge_base] {
        for file in base::files(&shell, commit, "db/migrations")? {
            let digits: String = file.name.chars().take_while(char::is_ascii_digit).collect();
            versions.extend(digits.parse::<i64>());
        }
    }
    // Of plain files no tool has a history.
    let origin = embedded.origin.iter().filter(|origin| origin.tool != Tool::Plain);
    let imported = origin.flat_map(|origin| origin.migrations.iter());
    let imported = imported.filter_map(|imported| imported.ours.parse().ok()).collect();
    Ok(Applied { base: commit.name, versions, imported })
}

/// The versions of the files that are named.
fn chosen(workspace: &Workspace, embedded: &Embedded, files: &[PathBuf]) -> Result<BTreeSet<i64>> {
    let directory = fs::canonicalize(workspace.db().join("migrations")).unwrap_or_default();
    let version = |file: &PathBuf| {
        let path = fs::canonicalize(file).ok();
        let name = path.as_deref().and_then(|path| path.strip_prefix(&directory).ok()?.to_str());
        let is_meant = |migration: &&Migration| name == Some(format!("{}.sql", migration.label()).as_str());
        let migration = embedded.migrations.iter().find(is_meant);
        migration.map(|migration| migration.number).ok_or_else(|| {
            let message = format!("`{}` is no migration of this workspace", file.display());
            Usage(format!("{message}\nhelp: name files of db/migrations")).into()
        })
    };
    files.iter().map(version).collect()
}

/// The new files first: a run that is interrupted leaves nothing out.
fn write(directory: &Path, rewritten: &Rewritten) -> Result<()> {
    let (old, new): (Vec<&Written>, Vec<&Written>) = rewritten.files.iter().partition(|file| file.old.is_some());
    for file in new {
        super::new::write_new(&directory.join(&file.name), &file.new)?;
    }
    for file in old {
        let path = directory.join(&file.name);
        let beside = directory.join(format!(".{}.new", file.name));
        let written = fs::write(&beside, &file.new).and_then(|()| fs::rename(&beside, &path));
        written.with_context(|| format!("failed to write `{}`", shown(&path).display()))?;
    }
    Ok(())
}

/// What is shown of a file of the migrations.
fn path(workspace: &Workspace, name: &str) -> String {
    shown(&workspace.db().join("migrations").join(name)).display().to_string()
}

/// The same for programs; of several migrations, the lists grow.
fn keep(workspace: &Workspace, rewritten: &Rewritten, is_dry_run: bool) {
    let of_hazard = |hazard: &Hazard| {
        json!({
            "rule": hazard.rule, "file": hazard.file, "line": hazard.line, "column": hazard.column, "message": hazard.message,
        })
    };
    let of_left = |(hazard, reason): &(Hazard, String)| {
        let mut left = of_hazard(hazard);
        left["reason"] = json!(reason);
        left
    };
    engine::json(&json!({
        "files": rewritten.files.iter().map(|file| path(workspace, &file.name)).collect::<Vec<_>>(),
        "fixed": rewritten.fixed.iter().map(of_hazard).collect::<Vec<_>>(),
        "left": rewritten.left.iter().map(of_left).collect::<Vec<_>>(),
        "dry_run": is_dry_run,
    }));
}

/// The difference on stdout, and what became of each hazard on stderr.
fn tell(workspace: &Workspace, rewritten: &Rewritten, is_dry_run: bool) {
    for file in &rewritten.files {
        let difference = difference::of_file(&path(workspace, &file.name), file.old.as_deref(), &file.new);
        output::rendered(difference.trim_end());
    }
    if output::is_json() {
        return keep(workspace, rewritten, is_dry_run);
    }
    let fixed = if is_dry_run { "would fix" } else { "fixed" };
    for hazard in &rewritten.fixed {
        output::note(format!("{fixed}: {}", place(hazard)));
    }
    for (hazard, reason) in &rewritten.left {
        output::note(format!("not fixed: {}: {reason}", place(hazard)));
    }
}

fn place(hazard: &Hazard) -> String {
    format!("{}:{}:{}: {} [{}]", hazard.file, hazard.line, hazard.column, hazard.message, hazard.rule)
}
