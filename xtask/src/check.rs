//! `cargo xtask check`: everything that can be proved without a database.

mod append_only;
mod build_scripts;
mod report;
mod separation;
#[cfg(test)]
mod testing;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use migrator_build::Problem;
use migrator_engine::output as engine;
use migrator_lint::Hazard;
use migrator_model::Set;
use serde_json::json;
use xshell::cmd;

use crate::output;
use crate::prove::compat::{self, Missing, Weighed};
use crate::workspace::Workspace;
use report::{Finding, Report};

/// Arguments of `check`.
#[derive(Debug, Default, clap::Args)]
#[command(
    after_help = "Checks the rules of the db directory; hazards to live traffic and to the release that is still running, each with its \
                        lock, the reason and the safe way (listed in db/README.md); that no migration of the base branch is \
                        changed, renamed or deleted, and that new ones come after it; that no package but the migrator depends \
                        on the engine or reads db/ in its build script. Exit code 1: something was found.\n\n\
                        Example: cargo xtask check\n\
                        With --fix, migrations that are not on the base branch are rewritten: each hazard that has a mechanical safe form, \
                        into further files where needed, if a throwaway server shows that they do the same, up and down, under \
                        weaker locks. What is left is named with the reason (exit code 1).\n\n\
                        Example: cargo xtask check --compat\n\
                        Example: cargo xtask check --fix\n\
                        Example: cargo xtask check --base origin/release-2 --json\n\
                        Example: cargo xtask check --format github"
)]
pub struct Args {
    /// The branch whose migrations must not change [default: origin/main, where it exists]
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// Print JSON: one object per line, the last one with the findings or the error
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Also judge the release that runs, on a throwaway server: what none of its queries needs is a warning
    #[arg(long)]
    compat: bool,
    /// How to print the findings; `github` prints annotations for a pull request
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Rewrite the migrations that have not been applied anywhere, without their hazards
    #[arg(long, conflicts_with_all = ["format", "compat"])]
    fix: bool,
    /// With --fix: show what would be changed, and change nothing
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// With --fix: only these migrations
    #[arg(value_name = "FILE", requires = "fix")]
    files: Vec<PathBuf>,
}

impl Args {
    /// Whether files are to be rewritten.
    pub(crate) fn is_fix(&self) -> bool {
        self.fix
    }

    /// Whether nothing is to be written.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// The branch that is named.
    pub(crate) fn base(&self) -> Option<&str> {
        self.base.as_deref()
    }

    /// The files that are named.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

/// The form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    Github,
}

/// Runs every check, also when one has found something.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let format = args.format.unwrap_or(if args.json { Format::Json } else { Format::Text });
    if format == Format::Json && !engine::is_json() {
        engine::speak_json(Some("check"));
    }
    let color = format == Format::Text && output::color();
    let report = find(&workspace, args, color)?;
    match format {
        Format::Text => output::rendered(report.text(color)),
        Format::Json => {
            engine::json(&json!({ "findings": report.json(), "skipped": report.skipped }));
            output::result(report.count());
        }
        Format::Github => report.annotations(&prefix(&workspace)?).iter().for_each(output::result),
    }
    if format == Format::Github {
        report.skipped().iter().for_each(output::note);
    }
    Ok(if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(output::FOUND) })
}

fn find(workspace: &Workspace, args: &Args, color: bool) -> Result<Report> {
    let mut report = Report::default();
    let of_problems =
        |problems: &[Problem]| problems.iter().map(|problem| Finding::of_problem(problem, color)).collect::<Vec<_>>();
    let loaded = match migrator_build::load(&workspace.db()) {
        Ok(loaded) => {
            report.findings.extend(of_problems(&loaded.warnings));
            Some(loaded.set)
        }
        Err(problems) => {
            report.findings.extend(of_problems(&problems.0));
            report.skipped.push("hazards, because the files have errors".to_owned());
            None
        }
    };
    // The hazards are looked for while git and cargo answer.
    let (hazards, (base, metadata)) = std::thread::scope(|scope| {
        let others = scope
            .spawn(|| (append_only::check(workspace, args.base.as_deref(), loaded.as_ref()), workspace.metadata()));
        let hazards = loaded.as_ref().map(migrator_lint::search).unwrap_or_default();
        (hazards, others.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let weighed = match &loaded {
        Some(set) if args.compat => weigh(workspace, set, &mut report)?,
        _ => Vec::new(),
    };
    report.findings.extend(hazards.iter().map(|hazard| {
        let known = weighed.iter().find(|weighed| is_same(&weighed.hazard, hazard));
        known.map_or_else(|| Finding::of_hazard(hazard, color), |weighed| Finding::of_weighed(weighed, color))
    }));
    match base? {
        append_only::Outcome::Checked(findings) => report.findings.extend(findings),
        append_only::Outcome::Skipped(reason) => report.skipped.push(reason),
    }
    let metadata = metadata?;
    report.findings.extend(separation::check(&metadata));
    report.findings.extend(build_scripts::check(&metadata, &workspace.root));
    Ok(report)
}

/// Judges the release that runs.
fn weigh(workspace: &Workspace, set: &Set, report: &mut Report) -> Result<Vec<Weighed>> {
    // It lives until the process ends, as a compiled one does.
    let embedded: &'static Set = Box::leak(Box::new(set.clone()));
    match compat::weigh(workspace, embedded) {
        Ok(Some(weighed)) => return Ok(weighed),
        Ok(None) => report.skipped.push("the release that runs, because it could not be judged".to_owned()),
        Err(error) => match error.downcast_ref::<Missing>() {
            Some(missing) => report.skipped.push(format!("the release that runs, because {}", missing.reason)),
            None => return Err(error),
        },
    }
    Ok(Vec::new())
}

fn is_same(one: &Hazard, other: &Hazard) -> bool {
    (&one.file, one.line, one.column, one.rule) == (&other.file, other.line, other.column, other.rule)
}

/// The path from the root of the repository to the workspace: annotations name files from there. Empty outside of one.
fn prefix(workspace: &Workspace) -> Result<String> {
    let shell = workspace.shell()?;
    Ok(cmd!(shell, "git rev-parse --show-prefix").quiet().ignore_stderr().read().unwrap_or_default())
}
