//! `cargo xtask docs`: the links of every page of the repository, and docs/ as a site.

mod book;
mod files;
mod links;
mod markdown;
mod summary;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use migrator_engine::words::count;

use crate::output;
use crate::workspace::Workspace;
use files::Files;

pub(crate) use files::MANIFEST;

/// Arguments of `docs`.
#[derive(Debug, Default, clap::Args)]
#[command(
    after_help = "Checks every link of every Markdown file that git knows, files and headings, without the network, and that \
                        docs/SUMMARY.md names each page of docs/ once. Then has mdBook make the site: docs/, and the pages outside it that \
                        these link to. Exit code 1: a link or a page is missing, or mdBook has warned.\n\n\
                        Example: cargo xtask docs --open\n\
                        Example: cargo xtask docs --check"
)]
pub struct Args {
    /// Only check; needs no mdBook
    #[arg(long, conflicts_with_all = ["open", "out"])]
    pub(crate) check: bool,
    /// Open the site in a browser
    #[arg(long)]
    pub(crate) open: bool,
    /// Where the site goes; what is there is replaced [default: target/book]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// Checks, then builds.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    if !workspace.root.join(MANIFEST).exists() {
        bail!("the workspace has no {MANIFEST}\nhelp: write one with `src = \".\"`, and docs/SUMMARY.md beside it");
    }
    let files = Files::read(&workspace.root)?;
    let mut problems = links::broken(&files);
    problems.extend(summary::problems(&files));
    problems.iter().for_each(output::result);
    if !problems.is_empty() {
        output::note(format!("error: {} in the pages of this workspace", count(problems.len(), "mistake")));
        return Ok(ExitCode::from(output::FOUND));
    }
    output::note(format!(
        "{} of {} lead somewhere",
        count(links::count(&files), "link"),
        count(files.pages().count(), "page")
    ));
    if args.check {
        return Ok(ExitCode::SUCCESS);
    }
    let out = args.out.clone().unwrap_or_else(|| workspace.root.join("target/book"));
    book::make(&workspace, &files, &out, args.open)
}
