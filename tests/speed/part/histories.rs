//! The real histories of other projects, from zero. They are data of others and not part of this repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use migrator_tests::histories::{HISTORIES, History, corpora};

use super::Bench;
use crate::figures::Figures;
use crate::run::run;
use crate::series::{is_warm_up, order};
use crate::server::{Server, Session};
use crate::tool::{Kind, Tool};
use crate::workspace::package;

/// From how many seconds on a history is long: the machine's noise is a smaller part of what it takes.
const LONG: f64 = 0.7;

/// How often a long and a short history is run.
const LONG_ROUNDS: usize = 15;
const SHORT_ROUNDS: usize = 51;

/// Where dbmate keeps its history: some of these have a table that is called as its own is by default, and dbmate's own relies on it.
const DBMATE_TABLE: &str = "dbmate_history";

pub(crate) fn run_part(bench: &Bench, figures: &mut Figures) -> Result<()> {
    let dbmate = bench.found.tools.iter().find(|tool| tool.kind == Kind::Dbmate).cloned();
    for history in HISTORIES {
        let source = history.source(&corpora());
        if !source.is_dir() {
            figures.leave_out(history.name, "all", "the corpora are not here: they are data of others");
            continue;
        }
        let outcome = embed(history, bench, &source).and_then(|program| {
            let mut tools = vec![Tool { kind: Kind::Ours, program }];
            tools.extend(dbmate.clone());
            measure(history, bench, &tools, figures)
        });
        if let Err(error) = outcome {
            figures.leave_out(history.name, "us", &format!("{error:#}"));
        }
        if dbmate.is_none() {
            figures.leave_out(history.name, Kind::Dbmate.name(), "not installed");
        }
    }
    Ok(())
}

fn name(history: &History) -> String {
    format!("history-{}", history.name)
}

/// The history in our form, which is dbmate's too, and a migrator with it.
fn embed(history: &History, bench: &Bench, source: &Path) -> Result<PathBuf> {
    let db = package(&name(history)).join("db");
    if !mark(&db).is_file() {
        let _ = fs::remove_dir_all(&db);
        fs::create_dir_all(db.join("migrations"))?;
        match history.tool {
            None => copy(source, &db)?,
            Some(tool) => import(tool, source, &db)?,
        }
    }
    bench.embed_folder(&name(history))
}

fn measure(history: &History, bench: &Bench, tools: &[Tool], figures: &mut Figures) -> Result<()> {
    let (server, folder) = (Server::start()?, package(&name(history)));
    let count = fs::read_dir(folder.join("db/migrations"))?.count();
    let table = (history.tool != Some("dbmate")).then_some(DBMATE_TABLE);
    let mut failed = Vec::new();
    let (mut round, mut rounds) = (0, bench.options.rounds(LONG_ROUNDS));
    while round <= rounds {
        let mut longest = 0.0_f64;
        for index in order(tools.len(), round) {
            let tool = &tools[index];
            if failed.contains(&index) {
                continue;
            }
            let place = server.database()?;
            // What an administrator installs there. The table that one of dbmate's takes for granted is dbmate's own.
            if !history.expects.is_empty() && table.is_some() {
                Session::open(&place.url())?.run(history.expects)?;
            }
            match run(&bench.floor, &tool.up(&folder, &place, table)) {
                Ok(taken) => {
                    longest = longest.max(taken.wall);
                    if !is_warm_up(round) {
                        figures.add(&case(history, count), tool.kind.name(), "wall s", taken.wall);
                    }
                }
                Err(error) => {
                    figures.leave_out(history.name, tool.kind.name(), &format!("{error:#}"));
                    failed.push(index);
                }
            }
        }
        if is_warm_up(round) && longest < LONG {
            rounds = bench.options.rounds(SHORT_ROUNDS);
        }
        round += 1;
    }
    Ok(())
}

fn case(history: &History, count: usize) -> String {
    let of = history.tool.map_or_else(String::new, |tool| format!(", imported from {tool}"));
    format!("{}, {count} migrations{of}", history.name)
}

/// Files in our form. One of them drops a table that is called as our history is by default.
fn copy(source: &Path, db: &Path) -> Result<()> {
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        fs::copy(entry.path(), db.join("migrations").join(entry.file_name()))?;
    }
    fs::write(db.join("migrator.toml"), "[history]\nschema = \"ops\"\n[check]\nstart_after = \"000300\"\n")?;
    Ok(fs::write(mark(db), "")?)
}

fn import(tool: &str, source: &Path, db: &Path) -> Result<()> {
    let mut importer = Command::new(env!("CARGO_BIN_EXE_dir-migrator"));
    importer.arg(db).args(["import", tool]).arg(source).stdin(Stdio::null());
    let output = importer.output().context("dir-migrator")?;
    ensure!(output.status.success(), "the import failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(fs::write(mark(db), "")?)
}

/// Says that all of it is there.
fn mark(db: &Path) -> PathBuf {
    db.with_file_name("complete")
}
