//! `cargo xtask compat`: which queries of the release that runs break on the new schema.

mod accept;
mod alike;
mod allow;
mod application;
mod bisect;
mod case;
mod catalog;
mod databases;
mod description;
mod functions;
mod hazards;
mod judge;
mod judgement;
mod plan;
mod procedures;
mod query;
mod release;
mod report;
mod running;
mod set;
mod sources;
mod survey;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use migrator_diagnostic::printable;
use migrator_engine::words;
use migrator_engine::{Color, Embedded, Error, Exit, Terminal, output};
use migrator_postgres::TemporaryServer;

use crate::developer::{self, Context};
use crate::migrator;
use crate::output::note;
use crate::workspace::Workspace;
pub use hazards::{Weighed, Weight};
use migrator_engine::words::count;
pub(crate) use release::Missing;
pub use report::Finding;
pub(in crate::prove) use running::judge_on;
pub use running::{Asked, Outcome, Running, judge};
use sources::{CommitTree, Options, WorkingTree, collect};

/// Arguments of `compat`.
#[derive(Debug, Default, clap::Args)]
#[command(
    after_help = "While a release is rolled out, the one before it still runs, and asks the new schema. Its queries are read from git: \
                        .sqlx, files of SQL, literals in Rust sources. On a throwaway server each is prepared and planned, never \
                        executed, on the schema of the release and on the new one. Exit code 1: a query breaks, and neither `allow` \
                        in [release] of db/migrator.toml nor `-- migrate:allow breaks-release <reason>` above the statement in the \
                        migration allows it.\n\n\
                        Example: cargo xtask compat\n\
                        Example: cargo xtask compat --release v1.21"
)]
pub struct Args {
    /// The tag, branch or commit that runs [default: the newest tag, else the base branch]
    #[arg(long, value_name = "REF")]
    release: Option<String>,
    /// Also judge the statements in this file: a server's log, or the rows of pg_stat_statements as CSV
    #[arg(long, value_name = "FILE")]
    statements: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Reads the release from git, and judges it on a server of its own.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let embedded = migrator::load_and_warn(&workspace)?;
    let find = || find(&workspace, embedded, args.release.as_deref(), args.statements.as_deref());
    let (running, server) = while_a_server_starts(find)?;
    if let Some(how) = &running.how {
        note(format!("the release that runs is `{}`: {how}", running.name));
    }
    let context = Context::on_throwaway(&server, embedded, Terminal::new(false, false, Color::Auto))?;
    Ok(developer::run(context, async |context| print(context, &running).await))
}

/// The server that is judged on starts while git is read.
fn while_a_server_starts(read: impl FnOnce() -> Result<Running>) -> Result<(Running, TemporaryServer)> {
    std::thread::scope(|scope| {
        let server = scope.spawn(TemporaryServer::start);
        let running = read()?;
        let server = server.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((running, server.context("failed to start the server to judge on")?))
    })
}

/// What the new migrations take from the release that runs, and whether it needs that. `None`: it could not be judged, and why was printed.
///
/// # Errors
/// There is no release, what it has cannot be read, or there is no server.
pub(crate) fn weigh(workspace: &Workspace, embedded: &'static Embedded) -> Result<Option<Vec<Weighed>>> {
    let (running, server) = while_a_server_starts(|| find(workspace, embedded, None, None))?;
    let context = Context::on_throwaway(&server, embedded, Terminal::new(false, false, Color::Auto).for_a_part())?;
    let mut weighed = None;
    developer::run(context, async |context| {
        weighed = Some(judge(context, &running).await?.hazards);
        Ok(Exit::Done)
    });
    Ok(weighed)
}

/// Reads the release that runs: the named one, or the one that git and `[release]` say.
///
/// # Errors
/// There is none ([`Missing`]), or what it has cannot be read.
pub(crate) fn find(
    workspace: &Workspace,
    embedded: &'static Embedded,
    named: Option<&str>,
    statements: Option<&Path>,
) -> Result<Running> {
    let (shell, settings) = (workspace.shell()?, &embedded.settings);
    let release = release::choose(&shell, workspace, named, settings.release_tag_pattern.as_deref())?;
    let patterns: Vec<String> = settings.release_queries.iter().map(|pattern| pattern.to_string()).collect();
    let options = Options { queries: &patterns, statements };
    // Parsing the sources takes longest, and neither tree needs the other.
    let (of_release, next) = std::thread::scope(|scope| {
        let next =
            scope.spawn(|| collect(&WorkingTree::open(&workspace.shell()?)?, Options { statements: None, ..options }));
        let of_release = || -> Result<_> {
            let set = set::at(&shell, &release.name, &release.commit)?;
            Ok((set, collect(&CommitTree::open(&shell, &release.commit)?, options)?))
        };
        (of_release(), next.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let ((set, queries), next) = (of_release?, next?);
    let how = Some(format!("{}, with {}", release.how, count(release.migrations.len(), "migration")));
    Ok(Running { name: release.name, how, set, queries, next: Some(next) })
}

/// Judges and prints; exit code 1: a query breaks that may not.
///
/// # Errors
/// Those of [`judge`].
pub async fn print(context: &Context, running: &Running) -> Result<Exit, Error> {
    let begun = Instant::now();
    context.terminal.begin("compat", 1, 1);
    let outcome = judge(context, running).await;
    context.terminal.end();
    let outcome = outcome?;
    if output::is_json() {
        output::json(&outcome.json);
        output::result(outcome.lines.first().map(String::as_str).unwrap_or_default());
    } else {
        output::results(&text(&outcome, begun.elapsed()));
    }
    Ok(if outcome.failed { Exit::Found } else { Exit::Done })
}

fn text(outcome: &Outcome, took: Duration) -> String {
    let mut lines = outcome.lines.iter();
    let first = lines.next().map(String::as_str).unwrap_or_default();
    let head = format!("{:<7} {first} ({})", if outcome.failed { "FAILED" } else { "ok" }, words::duration(took));
    lines.fold(head, |text, line| format!("{text}\n        {}", printable::lines(line, "        ")))
}
