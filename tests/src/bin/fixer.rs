//! Has `check --fix` rewrite each migration of public histories as if it were the newest, counts what came of the hazards, has another
//! judge compare the schemas, and writes docs/evidence/fix.md.
//!
//! `fixer [CORPORA [HISTORY...]]`: the histories are in ../shared/corpora, beside the repository, or in CORPORA. With names of histories
//! the page is printed.
#![expect(clippy::print_stdout, reason = "a program for developers says what it finds")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use migrator_postgres::TemporaryServer;
use migrator_tests::histories::{HISTORIES, History, corpora};
use migrator_tests::{dump, machine};
use migrator_xtask::author::fix::{Room, Written, rewrite};
use migrator_xtask::developer::{self, Context};
use migrator_xtask::engine::client::{Connection, failed};
use migrator_xtask::engine::facts::Facts;
use migrator_xtask::engine::operation::UpOptions;
use migrator_xtask::engine::{ConnectionTarget, Embedded, Error, Terminal};

/// What came of the hazards of a rule.
#[derive(Default)]
struct Count {
    found: usize,
    fixed: usize,
    /// Of the fixed ones: the other judge finds the same schema.
    same: usize,
}

/// What came of a history.
#[derive(Default)]
struct Outcome {
    migrations: usize,
    rewritten: usize,
    rules: BTreeMap<&'static str, Count>,
    reasons: BTreeMap<String, usize>,
    seconds: f64,
}

fn main() -> ExitCode {
    match write() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let corpora = arguments.next().map_or_else(corpora, PathBuf::from);
    let wanted: Vec<String> = arguments.collect();
    let (mut page, mut circumstances) = (String::new(), String::new());
    let is_wanted = |history: &&History| wanted.is_empty() || wanted.iter().any(|name| name == history.name);
    for history in HISTORIES.iter().filter(|history| history.tool.is_none()).filter(is_wanted) {
        let source = history.source(&corpora);
        if !source.is_dir() {
            println!("NOT MEASURED: there is no history in `{}`", source.display());
            return Ok(());
        }
        let judge = Judge::new()?;
        circumstances = machine::circumstances_with(judge.server.program_directory());
        page.push_str(&go_through(&source, judge).with_context(|| history.name)?.section(history.name));
    }
    if !wanted.is_empty() {
        println!("{page}");
        return Ok(());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/evidence/fix.md");
    let page = format!("{TITLE}{circumstances}\n\n{HEAD}{page}");
    fs::write(&path, page).with_context(|| format!("failed to write `{}`", path.display()))
}

const TITLE: &str = "# check --fix on public histories\n\n`cargo run --package migrator-tests --bin fixer` has written this page; do not edit it.\n\n";

const HEAD: &str = "Each migration is rewritten as if it were the newest one. `check --fix` writes nothing that its own proof does not hold for: the same facts, up and down, \
    and a lock trace that is strictly weaker. Beside it another judge applies the migration as it was and as it is rewritten to two copies of the database before it, \
    and compares the facts and what pg_dump shows, whatever the order of its lines.\n";

impl Outcome {
    fn section(&self, history: &str) -> String {
        let sum = |of: fn(&Count) -> usize| self.rules.values().map(of).sum::<usize>();
        let mut text = format!(
            "\n## {history}\n\n{} migrations, of which {} are rewritten; {:.0} s.\n\n\
            | hazard | found | fixed | of these: same facts, same dump |\n|---|---|---|---|\n",
            self.migrations, self.rewritten, self.seconds
        );
        for (rule, Count { found, fixed, same }) in &self.rules {
            text.push_str(&format!("| `{rule}` | {found} | {fixed} | {same} |\n"));
        }
        let [found, fixed, same] = [sum(|count| count.found), sum(|count| count.fixed), sum(|count| count.same)];
        text.push_str(&format!(
            "| all | {found} | {fixed} | {same} |\n\n| left as it is | why | times |\n|---|---|---|\n"
        ));
        for (reason, times) in &self.reasons {
            let (rule, why) = reason.split_once(": ").unwrap_or((reason, ""));
            text.push_str(&format!("| `{rule}` | {} | {times} |\n", why.replace('|', "\\|").replace('\n', " ")));
        }
        text
    }
}

fn go_through(source: &Path, mut judge: Judge) -> Result<Outcome> {
    let begun = Instant::now();
    let db = std::env::current_exe()?.with_file_name("fixer-db");
    let _ = fs::remove_dir_all(&db);
    let migrations = db.join("migrations");
    fs::create_dir_all(&migrations)?;
    let mut files: Vec<PathBuf> = fs::read_dir(source)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    let mut room = Room::new()?;
    let mut outcome = Outcome { migrations: files.len(), ..Outcome::default() };
    for (at, file) in files.iter().enumerate() {
        let name = file.file_name().context("a file without a name")?;
        fs::copy(file, migrations.join(name))?;
        // A down block that can never have run is an error only in a new file.
        let Some(set) = set(&db, at)? else { continue };
        let version = set.migrations.last().map(|migration| migration.number).unwrap_or_default();
        let rewritten =
            rewrite(&mut room, &db, set, version).map_err(|error| anyhow!("{}: {error:#}", file.display()))?;
        let is_same = !rewritten.files.is_empty() && judge.is_same(&db, at, set, &rewritten.files)?;
        outcome.rewritten += usize::from(!rewritten.files.is_empty());
        for hazard in &rewritten.fixed {
            let count = outcome.rules.entry(hazard.rule).or_default();
            (count.found, count.fixed, count.same) =
                (count.found + 1, count.fixed + 1, count.same + usize::from(is_same));
        }
        for (hazard, reason) in &rewritten.left {
            outcome.rules.entry(hazard.rule).or_default().found += 1;
            // What follows the colon are the names of objects.
            let kind = reason.split_once(": ").map_or(reason.as_str(), |(kind, _)| kind);
            *outcome.reasons.entry(format!("{}: {kind}", hazard.rule)).or_default() += 1;
            if std::env::var_os("FIXER_SHOW").is_some() {
                println!("{}: {}: {reason}", name.display(), hazard.rule);
            }
        }
    }
    outcome.seconds = begun.elapsed().as_secs_f64();
    Ok(outcome)
}

/// The directory as a set in which only the migration at that place is checked; `None`: it has errors.
fn set(db: &Path, at: usize) -> Result<Option<&'static Embedded>> {
    // One of them drops a table that is called as our history is by default. Older hazards are of no interest.
    let settings = |after: usize| format!("[history]\nschema = \"ops\"\n[check]\nstart_after = \"{after:06}\"\n");
    fs::write(db.join("migrator.toml"), settings(at))?;
    match migrator_build::load(db) {
        Ok(loaded) => Ok(Some(Box::leak(Box::new(loaded.set)))),
        Err(_) => {
            fs::write(db.join("migrator.toml"), settings(at + 1))?;
            Ok(None)
        }
    }
}

/// Compares by itself, on a server of its own.
struct Judge {
    server: TemporaryServer,
    /// The database [`STATE`] is there.
    is_made: bool,
}

/// The database before the migration that is rewritten, and the two copies of it.
const STATE: &str = "state";
const BOTH: [&str; 2] = ["original", "rewritten"];

impl Judge {
    fn new() -> Result<Judge> {
        Ok(Judge { server: TemporaryServer::start()?, is_made: false })
    }

    /// Whether the newest migration of the set and what it has become make the same schema.
    fn is_same(&mut self, db: &Path, at: usize, set: &'static Embedded, files: &[Written]) -> Result<bool> {
        let changed = db.with_file_name("fixer-db-rewritten");
        let _ = fs::remove_dir_all(&changed);
        fs::create_dir_all(changed.join("migrations"))?;
        for entry in fs::read_dir(db.join("migrations"))? {
            let path = entry?.path();
            fs::copy(&path, changed.join("migrations").join(path.file_name().unwrap_or_default()))?;
        }
        for file in files {
            fs::write(changed.join("migrations").join(&file.name), &file.new)?;
        }
        let rewritten = self::set(&changed, at)?.context("what is rewritten has errors")?;
        let before = set.migrations.iter().rev().nth(1).map(|migration| migration.number);
        self.advance(set, before)?;
        let made = |(set, name)| self.made(set, name);
        let made: Vec<Made> = [set, rewritten].into_iter().zip(BOTH).map(made).collect::<Result<_>>()?;
        Ok(made.iter().all(|one| *one == made[0]))
    }

    fn on(&self, set: &'static Embedded, database: &str) -> Result<Context, Error> {
        let target = ConnectionTarget::read(Some(&self.server.url(database)), |_| None)?;
        Ok(Context::on_throwaway(&self.server, set, Terminal::silent())?.at(target))
    }

    /// Applies the migrations of the set up to that one.
    fn advance(&mut self, set: &'static Embedded, before: Option<i64>) -> Result<()> {
        let (root, state) = (self.on(set, "postgres")?, self.on(set, STATE)?);
        let is_new = !self.is_made;
        developer::block_on(async {
            if is_new {
                run(&root.migrator.open(&root.target).await?, &format!("CREATE DATABASE {STATE}")).await?;
                run(&state.migrator.open(&state.target).await?, "CREATE SCHEMA ops").await?;
            }
            if let Some(before) = before {
                state.connect().await?.up(&UpOptions::default().to(before)).await?;
            }
            Ok::<_, Error>(())
        })??;
        self.is_made = true;
        Ok(())
    }

    /// What the rest of a set makes of a copy of the state.
    fn made(&self, set: &'static Embedded, database: &str) -> Result<Made> {
        let (root, copy) = (self.on(set, "postgres")?, self.on(set, database)?);
        let facts = developer::block_on(async {
            let root = root.migrator.open(&root.target).await?;
            run(&root, &format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)")).await?;
            // It waits for the last session of the other to leave.
            run(&root, &format!("CREATE DATABASE {database} TEMPLATE {STATE}")).await?;
            copy.connect().await?.up(&UpOptions::default()).await?;
            let mut facts = copy.migrator.open(&copy.target).await?.facts(&copy.migrator.tables()).await?;
            facts.ignore(&[], false);
            Ok::<_, Error>(facts)
        })??;
        Ok(Made { facts, dump: dump::lines(&self.server, database)? })
    }
}

async fn run(connection: &Connection, statement: &str) -> Result<(), Error> {
    let done = connection.client().batch_execute(statement).await;
    done.map_err(|error| failed("preparing a database", error))
}

/// What both judges see.
#[derive(PartialEq)]
struct Made {
    facts: Facts,
    dump: Vec<String>,
}
