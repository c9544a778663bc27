//! Has `check --fix` rewrite each migration of public histories as if it were the newest, and counts what came of the hazards.
//!
//! `fixer [CORPORA [HISTORY...]]`: the histories are in ../shared/corpora, beside the repository, or in CORPORA.
#![expect(clippy::print_stdout, reason = "a program for developers says what it finds")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use migrator_xtask::author::fix::{Room, rewrite};

const HISTORIES: &[&str] = &["crates-io", "zksync-core"];

/// What came of the hazards of a rule.
#[derive(Default)]
struct Count {
    found: usize,
    fixed: usize,
}

fn main() -> ExitCode {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora");
    let mut arguments = std::env::args().skip(1);
    let corpora = arguments.next().map_or_else(beside, PathBuf::from);
    let wanted: Vec<String> = arguments.collect();
    for history in HISTORIES.iter().filter(|name| wanted.is_empty() || wanted.iter().any(|one| one == *name)) {
        let source = corpora.join("histories").join(history).join("migrations");
        if !source.is_dir() {
            println!("NOT MEASURED: there is no history in `{}`", source.display());
            continue;
        }
        if let Err(error) = go_through(history, &source) {
            println!("error: {history}: {error:#}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn go_through(history: &str, source: &Path) -> Result<()> {
    let begun = Instant::now();
    let db = std::env::current_exe()?.with_file_name("fixer-db");
    let _ = fs::remove_dir_all(&db);
    let migrations = db.join("migrations");
    fs::create_dir_all(&migrations)?;
    let mut files: Vec<PathBuf> = fs::read_dir(source)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    let mut room = Room::new()?;
    let (mut counts, mut reasons): (BTreeMap<&str, Count>, BTreeMap<String, usize>) = Default::default();
    let mut rewritten_files = 0;
    for (at, file) in files.iter().enumerate() {
        let name = file.file_name().context("a file without a name")?;
        fs::copy(file, migrations.join(name))?;
        // One of them drops a table that is called as our history is by default. Older hazards are of no interest.
        let settings = format!("[history]\nschema = \"ops\"\n[check]\nstart_after = \"{at:06}\"\n");
        fs::write(db.join("migrator.toml"), settings)?;
        let set = match migrator_build::load(&db) {
            Ok(loaded) => loaded.set,
            // A down block that can never have run is an error only in a new file.
            Err(_) => {
                let settings = format!("[history]\nschema = \"ops\"\n[check]\nstart_after = \"{:06}\"\n", at + 1);
                fs::write(db.join("migrator.toml"), settings)?;
                continue;
            }
        };
        let version = set.migrations.last().map(|migration| migration.number).unwrap_or_default();
        let rewritten = rewrite(&mut room, &db, Box::leak(Box::new(set)), version)
            .map_err(|error| anyhow!("{}: {error:#}", file.display()))?;
        rewritten_files += usize::from(!rewritten.files.is_empty());
        for hazard in &rewritten.fixed {
            let count = counts.entry(hazard.rule).or_default();
            (count.found, count.fixed) = (count.found + 1, count.fixed + 1);
        }
        for (hazard, reason) in &rewritten.left {
            counts.entry(hazard.rule).or_default().found += 1;
            *reasons.entry(format!("{}: {reason}", hazard.rule)).or_default() += 1;
            if std::env::var_os("FIXER_SHOW").is_some() {
                println!("{}: {}: {reason}", name.display(), hazard.rule);
            }
        }
    }
    let (found, fixed) = counts.values().fold((0, 0), |(found, fixed), one| (found + one.found, fixed + one.fixed));
    println!(
        "## {history}: {} migrations, {found} hazards, {fixed} fixed, all of them proved, in {rewritten_files} files; {:.0} s",
        files.len(),
        begun.elapsed().as_secs_f64()
    );
    for (rule, Count { found, fixed }) in &counts {
        println!("{rule}: {found} found, {fixed} fixed");
    }
    for (reason, count) in &reasons {
        println!("  {count} x {reason}");
    }
    Ok(())
}
