//! `cargo xtask init`, also `migrator-xtask init`: everything that a workspace needs for its migrations.

mod baseline;
mod manifest;
mod place;
mod plan;
mod profile;
mod rust;
mod show;
mod source;
mod tasks;
mod text;
mod workflow;
mod write;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use migrator_engine::output as engine;
use migrator_engine::output::confirm;
use migrator_postgres::Cluster;
use serde_json::json;

use crate::output::{self, Json, Usage};
use crate::workspace::MIGRATOR;
use baseline::Baseline;
use place::{Place, depends_on};
use plan::Plan;
use source::Source;
use tasks::{Taken, Tasks};

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Writes db/, the package `migrator` (the binary that ships), `cargo xtask` with our tasks, the members of the \
                        workspace, the profile of its build scripts, what git ignores, and a workflow where the repository has \
                        a .github. A workspace with an xtask of its own keeps it: our tasks are added to it, and leave its \
                        names alone.\n\n\
                        It shows the difference and asks. What is there stays as it is, and a second run changes nothing.\n\n\
                        `--baseline` takes the schema from pg_dump, without owners and settings, without the history of another \
                        tool, and builds it on a throwaway server: every fact must be the source's, or nothing is written and \
                        the exit code is 1. `--stamp` then records it as applied in the source.\n\n\
                        Example: cargo xtask init\n\
                        Example: cargo xtask init --baseline postgresql://me@db/shop --stamp\n\
                        Example: cargo xtask init ../shop --git https://example.com/migrator.git --tag v0.1.0"
)]
pub struct Args {
    /// A directory in the workspace
    #[arg(default_value = ".")]
    directory: PathBuf,
    #[command(flatten)]
    source: source::Args,
    #[command(flatten)]
    reference: source::Reference,
    /// Write the schema of this database as the first migration, and prove that it is the same
    #[arg(long, value_name = "URL")]
    baseline: Option<String>,
    /// Record that migration as applied in that database
    #[arg(long, requires = "baseline")]
    stamp: bool,
    /// The workflow to write [default: github where the repository has a .github]
    #[arg(long, value_enum)]
    ci: Option<workflow::Ci>,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    /// Show the difference and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    json: Json,
}

/// Plans, shows, asks, writes. `names` are those of our tasks.
pub(crate) fn run(args: &Args, names: &[&str]) -> Result<ExitCode> {
    let source = Source::choose(&args.source, &args.reference)?;
    let place = Place::find(&args.directory)?;
    let mut plan = Plan::new(place.root.clone());
    let baseline = match &args.baseline {
        None => None,
        Some(url) => match baseline::make(url, &plan)? {
            None => return Ok(ExitCode::from(output::FOUND)),
            made => made,
        },
    };
    let tasks = fill(&mut plan, &place, &source, (args, baseline.as_ref()), names)?;
    if !plan.left.is_empty() {
        output::note(format!("left as they are: {}", plan.left.join(", ")));
    }
    let stamp = baseline.filter(|_| args.stamp);
    if stamp.is_some() && plan.left.iter().any(|left| left == baseline::FILE) {
        bail!(
            "`{0}` is not what the source gives, so it was not stamped\nhelp: remove `{0}`, and run this again",
            baseline::FILE
        );
    }
    if plan.changes.is_empty() {
        plan.notes.iter().for_each(output::note);
        output::note(format!("nothing to change in `{}`", place.root.display()));
    } else {
        output::rendered(show::diff(&plan));
        plan.notes.iter().for_each(output::note);
    }
    if args.dry_run || plan.changes.is_empty() && stamp.is_none() {
        keep(&plan.changes.iter().map(|change| &*change.shown).collect::<Vec<_>>(), args.dry_run);
        return Ok(ExitCode::SUCCESS);
    }
    ask(args, &place, &plan, stamp.as_ref())?;
    let written = write::write(&plan.changes)?;
    keep(&written, false);
    if !written.is_empty() {
        output::note(format!("wrote into `{}`: {}", place.root.display(), written.join(", ")));
        if tasks.work {
            tell_what_is_next(&place, &tasks.taken);
        }
    }
    stamp.map_or(Ok(ExitCode::SUCCESS), |baseline| baseline.stamp(&place.root))
}

/// The files for programs, by their paths below the root.
fn keep(files: &[&str], dry_run: bool) {
    if output::is_json() {
        engine::json(&json!({ "files": files, "dry_run": dry_run }));
    }
}

fn ask(args: &Args, place: &Place, plan: &Plan, stamp: Option<&Baseline>) -> Result<()> {
    if args.yes {
        return Ok(());
    }
    let root = place.root.display();
    let write = match plan.changes.len() {
        0 => None,
        1 => Some(format!("write this file into `{root}`")),
        count => Some(format!("write these {count} files into `{root}`")),
    };
    let stamp = stamp.map(|baseline| format!("record {} as applied in `{}`", baseline::NAME, baseline.target()));
    let question: Vec<String> = write.into_iter().chain(stamp).collect();
    match confirm(&format!("{}?", question.join(" and "))) {
        Some(true) => Ok(()),
        Some(false) => bail!(Usage("nothing was written: the answer was no".to_owned())),
        None => bail!(Usage(
            "`init` asks before it writes, but there is no terminal to ask\nhelp: pass `--yes`, or `--dry-run` to write nothing"
                .to_owned()
        )),
    }
}

/// Plans everything.
fn fill(
    plan: &mut Plan,
    place: &Place,
    source: &Source,
    (args, baseline): (&Args, Option<&Baseline>),
    names: &[&str],
) -> Result<Tasks> {
    let has_migrator = has_migrator(place)?;
    if args.source.is_given() {
        plan.notes.extend(source.differs(place));
    }
    directory(plan, baseline)?;
    if !has_migrator {
        package(plan, place, source)?;
    }
    let tasks = tasks::plan(plan, place, source, names)?;
    let members: Vec<&str> = [("migrator", !has_migrator), ("xtask", tasks.is_new)]
        .iter()
        .filter(|(_, new)| *new)
        .map(|(name, _)| *name)
        .collect();
    ignored(plan, place)?;
    workflow::plan(plan, place, args.ci, source, &tasks.taken)?;
    // Last: until its members are whole, the workspace is what it was, and a second run goes on.
    let root = |text: &str| profile::with_shared_builds(&manifest::with_members(text, &members)?);
    if place.is_new {
        plan.create("Cargo.toml", &root(include_str!("init/files/workspace.toml"))?)?;
    } else if !members.is_empty() {
        plan.edit("Cargo.toml", root)?;
    }
    Ok(tasks)
}

/// Whether the workspace has its migrator.
///
/// # Errors
/// A package of that name is something else.
fn has_migrator(place: &Place) -> Result<bool> {
    let Some(package) = place.package(MIGRATOR) else { return Ok(false) };
    if !depends_on(package, "migrator-engine") {
        bail!(
            "the workspace has a package `{MIGRATOR}`, `{}`, that is not ours: the tasks build the package of this name\n\
             help: rename that package, and run this again",
            place.below(package.manifest_path.as_std_path()).unwrap_or_default()
        );
    }
    Ok(true)
}

/// The db directory: the rules, the settings, the first migration or a folder for it that git keeps.
fn directory(plan: &mut Plan, baseline: Option<&Baseline>) -> Result<()> {
    let settings = include_str!("init/files/migrator.toml");
    plan.create("db/README.md", include_str!("init/files/README.md"))?;
    let Some(baseline) = baseline else {
        plan.create("db/migrator.toml", settings)?;
        if plan.lists("db/migrations")?.is_empty() {
            plan.create("db/migrations/.gitkeep", "")?;
        }
        return Ok(());
    };
    match plan.text("db/migrator.toml")? {
        None => plan.create("db/migrator.toml", &manifest::with_start(settings, baseline::VERSION)?)?,
        Some(_) => plan.edit("db/migrator.toml", |text| manifest::with_start(text, baseline::VERSION))?,
    }
    baseline.notes.iter().for_each(|note| plan.note(note));
    plan.create(baseline::FILE, &baseline.text)
}

/// The package that ships.
fn package(plan: &mut Plan, place: &Place, source: &Source) -> Result<()> {
    let folder = place.root.join(MIGRATOR);
    let text = include_str!("init/files/migrator.package.toml").replace("{version}", tasks::version_line(plan)?);
    let text = text.replace("{engine}", &source.line("migrator-engine", &folder));
    plan.create("migrator/build.rs", include_str!("init/files/migrator.build"))?;
    plan.create("migrator/src/main.rs", include_str!("init/files/migrator.main"))?;
    // A workspace whose members are `*` cannot be read while this stands alone.
    plan.create("migrator/Cargo.toml", &text.replace("{build}", &source.line("migrator-build", &folder)))
}

/// What git has to ignore: what the build and the development server leave, and secrets.
fn ignored(plan: &mut Plan, place: &Place) -> Result<()> {
    let lines = [("/target", "target/x"), ("/.dev", ".dev/x"), ("/.env", ".env"), ("/.env.*", ".env.test")];
    let missing: Vec<&str> = lines.iter().filter(|(_, path)| !place.ignores(path)).map(|(line, _)| *line).collect();
    plan.edit(".gitignore", |text| Ok(text::with_lines(text, &missing)))
}

fn tell_what_is_next(place: &Place, taken: &Taken) {
    let database = Cluster::of_workspace(&place.root).map(|cluster| format!(" `{}`", cluster.database()));
    output::note(format!(
        "next: `{}` writes a migration, `{}` applies it to the database{} on the workspace's own PostgreSQL; the first build \
         takes minutes",
        taken.call("new NAME"),
        taken.call("up"),
        database.unwrap_or_default()
    ));
}
