//! The tasks of `cargo xtask` on a server of the test's choice, without a workspace around the db directory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use migrator_xtask::author::import;
use migrator_xtask::database::{create, drop, reset};
use migrator_xtask::developer::{self, Context};
use migrator_xtask::engine::locks::LockFile;
use migrator_xtask::engine::output::file;
use migrator_xtask::engine::{ConnectionTarget, Embedded, Error, Exit, Global, Silent, Terminal, parse};
use migrator_xtask::prove::dump::traced;
use migrator_xtask::prove::{compat, locks, proof, stamp};
use proof::before::{Before, Branch, Repeatable};
use serde_json::Value;

/// Names the data directory of the server that is to pass for the workspace's own, or for this run's alone.
const OWN: &str = "DIR_MIGRATOR_OWN_DATA_DIRECTORY";

#[derive(Debug, clap::Parser)]
#[command(name = "dir-migrator", disable_help_subcommand = true)]
struct Line {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    Create(create::Args),
    Drop(drop::Args),
    Reset(reset::Args),
    Plan(locks::Args),
    Stamp(stamp::Args),
    Verify(Verify),
    Compat(Compat),
    /// Prints `locks.<major>` of the db directory, made in an empty database.
    Locks,
}

#[derive(Debug, clap::Args)]
struct Verify {
    #[command(flatten)]
    shown: proof::Args,
    /// A file with the base branch as JSON.
    #[arg(long)]
    base: Option<PathBuf>,
    /// A file with the release as JSON.
    #[arg(long)]
    release: Option<PathBuf>,
    /// The answer of the question about the committed schema as JSON.
    #[arg(long)]
    schema: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Compat {
    /// A file with the release as JSON.
    #[arg(long)]
    release: PathBuf,
}

/// Whether the arguments ask for a task and not for the migrator.
pub fn is_meant(arguments: &[OsString]) -> bool {
    let has = |names: &[&str]| arguments.iter().any(|argument| names.iter().any(|name| argument == name));
    has(&["create", "drop", "reset", "verify", "compat", "locks"])
        || (has(&["plan"]) && has(&["--locks"]))
        || (has(&["stamp"]) && has(&["--scratch-url"]))
}

/// `dir-migrator DB import TOOL DIR`: into a db directory that need not be readable yet.
pub fn import(db: &Path, arguments: impl Iterator<Item = OsString>) -> ExitCode {
    #[derive(Debug, clap::Parser)]
    enum Line {
        Import(import::Args),
    }
    let Line::Import(args) = match parse(arguments) {
        Ok(line) => line,
        Err(exit) => return ExitCode::from(exit as u8),
    };
    migrator_xtask::exit_code(import::run_in(db, &args))
}

/// Runs the task that the arguments ask for.
pub fn run(embedded: &'static Embedded, db: &Path, arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let line: Line = match parse(arguments) {
        Ok(line) => line,
        Err(exit) => return ExitCode::from(exit as u8),
    };
    let terminal = Terminal::new(line.global.quiet, line.global.verbose, line.global.color);
    let variable = |name: &str| std::env::var(name).ok();
    let work = || -> Result<ExitCode, Error> {
        let target = ConnectionTarget::read(line.global.database_url.as_deref(), variable)?;
        let mut context = Context::new(embedded, terminal, target, variable("MIGRATOR_ENV"));
        context.own = variable(OWN).map(PathBuf::from);
        context.changes = matches!(line.task, Task::Create(_) | Task::Drop(_) | Task::Reset(_));
        Ok(match line.task {
            Task::Create(args) => developer::run(context, async |context| create::run(context, &args).await),
            Task::Drop(args) => developer::run(context, async |context| drop::run(context, &args).await),
            Task::Reset(args) => {
                let schema = db.join("schema.sql");
                developer::run(context, async |context| reset::run(context, &args, &schema).await)
            }
            Task::Plan(args) => {
                let target = ConnectionTarget::parse(args.scratch_url.as_deref().unwrap_or_default())?;
                developer::run(context, async |context| locks::run(context, &args, &context.at(target)).await)
            }
            Task::Stamp(args) => {
                let target = ConnectionTarget::parse(args.scratch_url.as_deref().unwrap_or_default())?;
                developer::run(context, async |context| stamp::run(context, &args, &context.at(target)).await)
            }
            Task::Locks => developer::run(context, async |context| {
                let silent = Context { migrator: context.migrator.clone().observer(Silent), ..context.clone() };
                let locks = traced::up(&silent, &LockFile::default()).await?;
                let major = context.connect().await?.server().version_number / 10_000;
                file(locks.render(&major.to_string()).trim_end());
                Ok(Exit::Done)
            }),
            Task::Verify(args) => {
                let (before, schema) = (args.before(), args.answer());
                let tests = migrator_build::load(db).map(|loaded| loaded.tests).unwrap_or_default();
                let not_read = || vec!["only `cargo xtask verify` reads it from git".to_owned()];
                let release = args.release.as_deref().map(running).ok_or_else(not_read);
                let summary = variable("GITHUB_STEP_SUMMARY").map(PathBuf::from);
                let about = variable("DIR_MIGRATOR_BRANCH").map(|branch| ("Branch", branch)).into_iter().collect();
                let given = proof::Given { before, tests, schema, release, about, summary };
                developer::run(context, async |context| proof::run(context, &args.shown, given).await)
            }
            Task::Compat(args) => {
                let running = running(&args.release);
                developer::run(context, async |context| compat::print(context, &running).await)
            }
        })
    };
    work().unwrap_or_else(|error| {
        Terminal::new(false, false, line.global.color).fail(&error, error.exit() as u8);
        ExitCode::from(error.exit() as u8)
    })
}

impl Verify {
    /// `{"name":"origin/main","versions":["001"],"repeatables":[{"name":"v","text":"..."}]}`, or why there is none, as a string.
    fn before(&self) -> Before {
        let Some(file) = &self.base else { return Before::Unknown(None) };
        let text = std::fs::read_to_string(file).expect("the test has written the file");
        let value: Value = serde_json::from_str(&text).expect("the test writes JSON");
        if let Some(reason) = value.as_str() {
            return Before::Unknown(Some(reason.to_owned()));
        }
        let scripts = |key: &str| value[key].as_array().into_iter().flatten();
        let repeatable = |value: &Value| Repeatable { name: text_of(&value["name"]), text: text_of(&value["text"]) };
        Before::Branch(Branch {
            name: text_of(&value["name"]),
            versions: value["versions"].as_array().into_iter().flatten().map(text_of).collect(),
            repeatables: scripts("repeatables").map(repeatable).collect(),
            seeds: scripts("seeds").map(repeatable).collect(),
        })
    }

    /// `{"verdict":"ok","lines":["as committed"],"ms":1}`
    fn answer(&self) -> (proof::Answer, Duration) {
        let Some(text) = &self.schema else {
            let lines = vec!["only `cargo xtask verify` compares the committed schema".to_owned()];
            return ((proof::Verdict::Skipped, lines), Duration::ZERO);
        };
        let value: Value = serde_json::from_str(text).expect("the test passes JSON");
        let verdict = match value["verdict"].as_str() {
            Some("ok") => proof::Verdict::Ok,
            Some("failed") => proof::Verdict::Failed,
            _ => proof::Verdict::Skipped,
        };
        let lines = value["lines"].as_array().into_iter().flatten().map(text_of).collect();
        ((verdict, lines), Duration::from_millis(value["ms"].as_u64().unwrap_or_default()))
    }
}

/// `{"name":"v1","db":"/path/of/db","queries":[{"text":"SELECT 1","name":null,"file":"a.rs","line":3,"declared":null}],"next":null}`
fn running(release: &Path) -> compat::Running {
    let text = std::fs::read_to_string(release).expect("the test has written the file");
    let value: Value = serde_json::from_str(&text).expect("the test writes JSON");
    let (set, _) = crate::load(text_of(&value["db"]).as_ref()).unwrap_or_else(|problems| panic!("{problems}"));
    let asked = |value: &Value| compat::Asked {
        text: text_of(&value["text"]),
        name: value["name"].as_str().map(str::to_owned),
        file: text_of(&value["file"]),
        line: value["line"].as_u64().unwrap_or(1) as usize,
        declared: value["declared"].as_array().map(|columns| columns.iter().map(Value::as_bool).collect()),
    };
    let all = |key: &str| value[key].as_array().map(|queries| queries.iter().map(asked).collect::<Vec<_>>());
    let set = set.set().expect("this program has written it");
    let running = compat::Running::new(&text_of(&value["name"]), set).asking(all("queries").unwrap_or_default());
    match all("next") {
        Some(next) => running.followed_by(next),
        None => running,
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
