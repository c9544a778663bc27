//! `cargo xtask import`: the migrations of another tool as files of ours.

mod checksum;
mod comment;
mod compose;
mod cut;
mod draft;
mod layout;
mod map;
mod mark;
mod name;
mod numbering;
mod report;
mod settings;
mod text;
mod tool;
mod transaction;
mod tree;
mod trial;
mod write;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use migrator_diagnostic::printable;
use migrator_engine::output as engine;
use migrator_engine::words::count;
use migrator_model::Settings;
use serde_json::json;

use crate::output::{self, FOUND, Json, Usage};
use crate::workspace::{Workspace, shown};
use draft::Found;
use tool::{TOOLS, Tool};
use tree::{Tree, one_line};
use write::{Import, Left, SETTINGS};

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Tools: dbmate, sqlx, refinery, flyway, liquibase (formatted SQL), diesel, golang-migrate, goose, tern, \
                        graphile-migrate, node-pg-migrate (SQL), sql-migrate, prisma, supabase, alembic (offline SQL), plain.\n\n\
                        Every migration becomes one file with both directions, in the order in which the tool runs them; \
                        db/imported.toml says which is which. All are read as the build reads them before one is written. What \
                        cannot be imported without a guess is named with file and line (exit code 1), and nothing is written until \
                        it is changed, left out with --skip, or a placeholder has its --value. If DIR is db/migrations itself, what is in it moves to \
                        db/imported-from-TOOL.\n\n\
                        Example: cargo xtask import sqlx migrations --dry-run\n\
                        Example: cargo xtask import flyway src/main/resources/db/migration --skip V7__Load.java"
)]
pub struct Args {
    /// The tool that runs the migrations
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(TOOLS.iter().map(|tool| tool.name)), hide_possible_values = true)]
    tool: String,
    /// The directory of its migrations
    dir: PathBuf,
    /// Say what would be done, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// A file or a folder in DIR to leave out; may be repeated
    #[arg(long, value_name = "FILE")]
    skip: Vec<String>,
    /// What a placeholder stands for, such as `role=app` for `${role}`; may be repeated
    #[arg(long, value_name = "NAME=TEXT")]
    value: Vec<String>,
    #[command(flatten)]
    json: Json,
}

/// Imports into the db directory of the workspace.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    run_in(&Workspace::locate()?.db(), args)
}

/// Imports into a db directory.
///
/// # Errors
/// The directories are not as they have to be, or the system fails. What cannot be imported is printed, for exit code 1.
pub fn run_in(db: &Path, args: &Args) -> Result<ExitCode> {
    let tool = tool::find(&args.tool).with_context(|| format!("unknown tool `{}`", args.tool))?;
    // For one import at a time, from the first look to the last file.
    let lock = if db.is_dir() { Some(write::lock(db)?) } else { None };
    if lock.is_some() && was_finished(db, tool, args.dry_run)? {
        return Ok(ExitCode::SUCCESS);
    }
    let place = Place::look(db, &args.dir, tool)?;
    let mut found = Found::default();
    let mut tree = Tree::list(&args.dir, &args.skip, &mut found)?;
    layout::read(tool, &args.value, &mut tree, &mut found)?;
    if let Some(unknown) = tree.unused_skips().next() {
        let message = format!(
            "`--skip {}`: there is nothing of that name in `{}`",
            printable::line(unknown),
            one_line(&args.dir)
        );
        return Err(Usage(message).into());
    }
    if found.drafts.is_empty() {
        return if found.troubles.is_empty() {
            Err(none(tool, &args.dir, &found))
        } else {
            Ok(refuse(&found.troubles))
        };
    }
    let before = read_settings(&place.settings)?;
    compose::settle_all(tool, &mut found);
    let tables = compose::tables(tool, &before, &mut found);
    let (versions, numbering) = numbering::versions(&found.drafts, tool.name == "dbmate");
    let last = versions.last().cloned().unwrap_or_default();
    let toml = place.new_settings(&last, tables.moves_ours)?;

    // Nothing is written beside the db directory as long as something is known that cannot be imported.
    let stage = place.stage(args.dry_run || !found.troubles.is_empty())?;
    let inside = stage.path().join("db");
    let files = trial::run(tool, &versions, &mut found, (&before, &toml), &inside)?;
    if !found.troubles.is_empty() {
        return Ok(refuse(&found.troubles));
    }
    let map = map::text(tool, &versions, &found.drafts, &found.repeatables);
    fs::write(inside.join(map::FILE), &map).context("failed to write the map")?;
    let mut paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
    paths.push(map::FILE.to_owned());
    place.refuse_existing(&paths)?;
    if !args.dry_run {
        write::all(stage, db, &Import { tool: tool.name.to_owned(), in_place: place.keep.is_some() })?;
    }
    if output::is_json() {
        paths.push(SETTINGS.to_owned());
        paths.sort();
        let names = paths.iter().map(|path| shown(&db.join(path)).display().to_string());
        engine::json(&json!({ "files": names.collect::<Vec<_>>(), "dry_run": args.dry_run }));
    }
    report::lines(&files, &found).iter().for_each(output::result);
    output::result(report::end(tool, &found, &numbering, args.dry_run));
    say(tool, &found, &place, &last, &tables.notes, args.dry_run);
    Ok(ExitCode::SUCCESS)
}

/// Deals with what a killed import has left. True if that was an import from the same tool, and it is in place now.
fn was_finished(db: &Path, tool: &Tool, dry_run: bool) -> Result<bool> {
    match write::recover(db, dry_run)? {
        Left::Nothing => Ok(false),
        Left::Removed(stage) => {
            output::note(format!("removed `{}`, which an import that was killed has left", one_line(&stage)));
            Ok(false)
        }
        Left::Finished(import) => {
            let name = &import.tool;
            output::note(format!("finished the import from {name} that was killed; next: `cargo xtask verify`"));
            Ok(name == tool.name)
        }
    }
}

/// The two directories.
struct Place {
    db: PathBuf,
    /// The text of db/migrator.toml.
    settings: String,
    /// Where the originals go, if they are in db/migrations.
    keep: Option<PathBuf>,
}

impl Place {
    fn look(db: &Path, dir: &Path, tool: &Tool) -> Result<Place> {
        let migrations = db.join("migrations");
        match fs::metadata(dir) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => {
                return Err(Usage(format!(
                    "`{}` is not a directory\nhelp: name the directory of the migrations",
                    one_line(dir)
                ))
                .into());
            }
            Err(error) => return Err(error).with_context(|| format!("failed to read `{}`", one_line(dir))),
        }
        let in_place = matches!((dir.canonicalize(), migrations.canonicalize()), (Ok(a), Ok(b)) if a == b);
        if in_place && db.join(map::FILE).symlink_metadata().is_ok() {
            bail!(
                "`{}` holds what was imported already, as `{}` says
help: to import it again, remove both, and name the directory of the original files",
                one_line(&migrations),
                one_line(&db.join(map::FILE))
            );
        }
        let keep = in_place.then(|| write::keep(db, tool.name));
        if let Some(keep) = keep.as_ref().filter(|keep| keep.symlink_metadata().is_ok()) {
            bail!("`{}` is in the way: what is in db/migrations would move there\nhelp: move it away", one_line(keep));
        }
        if !in_place && let Some(file) = first_migration(&migrations)? {
            bail!(
                "`{}` has migrations already, such as `{file}`\nhelp: import into an empty one: what is imported comes before everything else",
                one_line(&migrations)
            );
        }
        if !in_place && migrations.is_symlink() {
            bail!(
                "`{}` is a symbolic link, which is not followed\nhelp: put a directory in its place",
                one_line(&migrations)
            );
        }
        let settings = match migrator_build::read_file(&db.join(SETTINGS)) {
            Ok(bytes) => String::from_utf8(bytes).with_context(|| format!("`{SETTINGS}` is not UTF-8"))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("failed to read `{}`", one_line(&db.join(SETTINGS))));
            }
        };
        Ok(Place { db: db.to_owned(), settings, keep })
    }

    /// The text of db/migrator.toml with the versions up to `last` taken as they are, and our history out of the way.
    fn new_settings(&self, last: &str, moves_ours: bool) -> Result<String> {
        let mut toml = self.settings.clone();
        if moves_ours {
            toml = settings::set(&toml, "history", "table", compose::MOVED);
        }
        let toml = settings::set(&toml, "check", "start_after", last);
        // The file may say the same in another form: whether the change has taken, the build knows.
        let is_right = |settings: &Settings| {
            settings.start_after == last.parse().ok() && (!moves_ours || settings.history_table == compose::MOVED)
        };
        if !read_settings(&toml).is_ok_and(|settings| is_right(&settings)) {
            bail!(
                "`{}` has `check` or `history` in a form that is not changed here\nhelp: write them as tables, `[check]` and `[history]`",
                one_line(&self.db.join(SETTINGS))
            );
        }
        Ok(toml)
    }

    /// A private directory, from which the files can be moved unless it is a dry run.
    fn stage(&self, dry_run: bool) -> Result<tempfile::TempDir> {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix(write::STAGE);
        let made = if dry_run {
            builder.tempdir()
        } else {
            fs::create_dir_all(&self.db).and_then(|()| builder.tempdir_in(&self.db))
        };
        made.with_context(|| format!("failed to create a directory in `{}`", one_line(&self.db)))
    }

    /// Nothing is ever overwritten.
    fn refuse_existing(&self, paths: &[String]) -> Result<()> {
        let is_there = |path: &&String| {
            let moves_away = self.keep.is_some() && path.starts_with("migrations/");
            !moves_away && self.db.join(path).symlink_metadata().is_ok()
        };
        match paths.iter().find(is_there) {
            Some(path) => bail!("`{}` exists already\nhelp: move it away", one_line(&self.db.join(path))),
            None => Ok(()),
        }
    }
}

fn first_migration(migrations: &Path) -> Result<Option<String>> {
    let entries = match fs::read_dir(migrations) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        entries => entries.with_context(|| format!("failed to read `{}`", one_line(migrations)))?,
    };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let first = names.into_iter().find(|name| name.to_ascii_lowercase().ends_with(".sql"));
    Ok(first.map(|name| printable::line(&name).into_owned()))
}

fn read_settings(toml: &str) -> Result<Settings> {
    match migrator_build::load_file(SETTINGS, toml.as_bytes()) {
        Ok(loaded) => Ok(loaded.set.settings),
        Err(problems) => bail!("{problems}"),
    }
}

fn refuse(troubles: &[draft::Trouble]) -> ExitCode {
    let lines = report::troubles(troubles);
    lines.iter().for_each(output::note);
    let number = count(lines.len(), "error");
    output::note(format!(
        "error: nothing was imported: {number}\nhelp: change these files, or leave them out with `--skip FILE`"
    ));
    ExitCode::from(FOUND)
}

fn none(tool: &Tool, dir: &Path, found: &Found) -> anyhow::Error {
    let below = dir.join("migrations");
    let help = if below.is_dir() {
        format!("name its directory: `{}`", one_line(&below))
    } else if let Some(note) = found.notes.first() {
        note.clone()
    } else {
        format!("{} reads {}", tool.title, tool.pattern)
    };
    Usage(format!("`{}` has no migrations of {}\nhelp: {help}", one_line(dir), tool.title)).into()
}

/// What concerns the workspace, and what comes next.
fn say(tool: &Tool, found: &Found, place: &Place, last: &str, tables: &[String], dry_run: bool) {
    found.notes.iter().for_each(output::note);
    output::note(format!(
        "db/{SETTINGS}: `[check] start_after = \"{last}\"`: hazards are looked for in later migrations only"
    ));
    tables.iter().for_each(output::note);
    if let Some(keep) = &place.keep {
        let verb = if dry_run { "would move" } else { "moved" };
        output::note(format!(
            "what was in db/migrations {verb} to `{}`: delete it once you need it no longer",
            one_line(keep)
        ));
    }
    let next = match (dry_run, &tool.table) {
        (true, _) => "this was a dry run: nothing was written".to_owned(),
        (_, None) => {
            "next: `cargo xtask verify`; then `migrator stamp --all` on every database that has these migrations"
                .to_owned()
        }
        _ => format!(
            "next: `cargo xtask verify`; then `migrator adopt {}` on every database that {} has migrated",
            tool.name, tool.title
        ),
    };
    output::note(next);
}
