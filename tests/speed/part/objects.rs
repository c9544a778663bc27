//! Whether the developer's proofs grow in proportion: `check`, `verify`, `dump` and `drift` over 1,000 and 10,000 objects.
//!
//! The programs are those of these tests, which are not optimised: what counts is how the two figures compare.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Bench;
use crate::figures::Figures;
use crate::layout;
use crate::run::run_in;
use crate::server::{Place, Server};
use crate::tool::Line;
use crate::workload::tables;
use crate::workspace::{folder, repository};

/// How long one proof may take, in seconds.
const LONGEST: &str = "900";

pub(crate) fn run_part(bench: &Bench, figures: &mut Figures) -> Result<()> {
    for count in [1_000, 10_000] {
        let folder = workspace(count)?;
        let (server, throwaway) = (Server::start()?, Server::throwaway()?);
        let (place, scratch) = (server.database()?, throwaway.database()?);
        let mut failed = false;
        let (directory, task) = (env!("CARGO_BIN_EXE_dir-migrator"), env!("CARGO_BIN_EXE_xtask"));
        let runs: [(&str, &str, &[&str]); 5] = [
            ("check", task, &["check"]),
            ("up", directory, &["db", "up"]),
            ("dump", task, &["dump"]),
            ("drift", directory, &["db", "drift"]),
            ("verify", directory, &["db", "verify"]),
        ];
        for (what, program, arguments) in runs {
            // There is nothing to compare with.
            if what == "drift" && failed {
                continue;
            }
            let place = if what == "verify" { &scratch } else { &place };
            match once(bench, program, arguments, &folder, place) {
                Ok(seconds) => {
                    figures.add(what, &count.to_string(), "s", seconds);
                    figures.add(what, &count.to_string(), "ms per object", seconds * 1e3 / count as f64);
                }
                Err(error) => {
                    failed |= what == "dump";
                    figures.leave_out(what, &count.to_string(), &format!("{error:#}"));
                }
            }
        }
    }
    Ok(())
}

fn once(bench: &Bench, program: &str, arguments: &[&str], folder: &Path, place: &Place) -> Result<f64> {
    // It may take its time to tidy up, and then no longer.
    let mut all = vec!["--kill-after=20".to_owned(), LONGEST.to_owned(), program.to_owned()];
    all.extend(arguments.iter().map(|&argument| argument.to_owned()));
    let target = crate::workspace::folder().join("cargo").display().to_string();
    let variables = [("DATABASE_URL", place.url()), ("CARGO_TARGET_DIR", target)];
    let line = Line {
        program: "timeout".into(),
        arguments: all,
        variables: variables.map(|(name, value)| (name.to_owned(), value)).to_vec(),
    };
    Ok(run_in(&bench.floor, &line, folder)?.wall)
}

/// A workspace with so many migrations, each a table with an index.
fn workspace(count: usize) -> Result<PathBuf> {
    let root = folder().join(format!("objects-{count}"));
    layout::write(&root, &tables(count).migrations)?;
    // Nothing that an earlier run has dumped.
    for entry in fs::read_dir(root.join("db"))? {
        let path = entry?.path();
        if path.is_file() {
            fs::remove_file(&path).with_context(|| path.display().to_string())?;
        }
    }
    let library = |name: &str| format!("{{ path = {:?} }}", repository().join("migrator").join(name));
    let manifest = format!(
        "[package]\nname = \"migrator\"\nversion = \"1.0.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\nmigrator-engine = {}\n\n\
         [build-dependencies]\nmigrator-build = {}\n",
        library("engine"),
        library("compile")
    );
    fs::create_dir_all(root.join("migrator/src"))?;
    for (name, text) in [
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"migrator\"]\n"),
        ("migrator/Cargo.toml", &manifest),
        ("migrator/build.rs", "fn main() {\n    migrator_build::embed(\"../db\");\n}\n"),
        ("migrator/src/main.rs", "migrator_engine::main!();\n"),
    ] {
        fs::write(root.join(name), text)?;
    }
    fs::copy(repository().join("Cargo.lock"), root.join("Cargo.lock"))?;
    Ok(root)
}
