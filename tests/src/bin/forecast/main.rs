//! Forecasts kinds of statements on a table of ten million rows from copies of a million, then measures them there, and writes
//! docs/evidence/forecast.md.
//!
//! `forecast [ROWS]`; the page is written anew after each kind. `forecast as-migrator DB-DIRECTORY ARGUMENTS...` is the migrator, which it
//! starts for each forecast.
#![expect(clippy::print_stderr, reason = "a program for developers says what it does")]

mod kinds;
mod page;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use migrator_postgres::TemporaryServer;
use migrator_tests::task;
use serde_json::Value;

use kinds::{BASE, KINDS, Kind};
use page::{Answer, Page};

/// Makes this program the migrator.
const AS_MIGRATOR: &str = "as-migrator";

fn main() -> ExitCode {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|first| first == AS_MIGRATOR) {
        let directory = PathBuf::from(arguments.get(2).cloned().unwrap_or_default());
        arguments.drain(1..3);
        return as_migrator(&directory, arguments);
    }
    let rows = arguments.get(1).and_then(|rows| rows.to_str()?.parse().ok()).unwrap_or(10_000_000);
    match write(rows) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn as_migrator(directory: &Path, arguments: Vec<std::ffi::OsString>) -> ExitCode {
    let embedded = match migrator_tests::load(directory) {
        Ok((embedded, _)) => embedded,
        Err(problems) => {
            eprintln!("{problems}");
            return ExitCode::from(9);
        }
    };
    if task::is_meant(&arguments) {
        let embedded = embedded.set().expect("this program has written it");
        return task::run(embedded, directory, arguments.into_iter());
    }
    migrator_engine::run(embedded, migrator_engine::Release::new("0.0.0", "evidence"), arguments)
}

/// The database that is forecast and measured, and where the forecasts run.
struct Bench {
    /// As durable as a server in production.
    production: TemporaryServer,
    scratch: TemporaryServer,
    directory: PathBuf,
}

fn write(rows: u64) -> Result<()> {
    let directory = std::env::current_exe()?.with_file_name("forecast-db");
    let _ = fs::remove_dir_all(&directory);
    let durable = |builder: migrator_postgres::Builder| {
        let settings = ["fsync", "full_page_writes", "synchronous_commit"];
        settings.into_iter().fold(builder, |builder, name| builder.setting(name, "on"))
    };
    let production = durable(TemporaryServer::builder()).start()?;
    let bench = Bench { production, scratch: TemporaryServer::start()?, directory };
    bench.migration("001_base", "", BASE)?;
    bench.migrator(&["up"])?;
    eprintln!("filling {rows} rows");
    bench.sql(&kinds::rows(rows))?;
    let stats = bench.migrator(&["stats"])?;
    let file = bench.directory.join("stats.json");
    fs::write(&file, &stats)?;
    let stats: Value = serde_json::from_str(&stats)?;
    let mut page = Page::new(rows, &stats);
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/evidence/forecast.md");
    for kind in KINDS {
        let load = load();
        let forecast = bench.forecast(kind, &file)?;
        let measured = bench.measure(kind)?;
        let answer = Answer { kind, forecast, measured, load: load.max(self::load()) };
        eprintln!("{}", answer.line());
        page.answers.push(answer);
        fs::write(&target, page.text()).with_context(|| format!("failed to write `{}`", target.display()))?;
    }
    let _ = fs::remove_dir_all(&bench.directory);
    Ok(())
}

/// How many processes want the processor, on average in the last minute.
fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0)
}

impl Bench {
    fn migration(&self, name: &str, option: &str, up: &str) -> Result<()> {
        let folder = self.directory.join("migrations");
        fs::create_dir_all(&folder)?;
        let text = format!("-- migrate:up{option}\n{up}\n\n-- migrate:down\nSELECT 1;\n");
        Ok(fs::write(folder.join(format!("{name}.sql")), text)?)
    }

    fn migrator(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(AS_MIGRATOR).arg(&self.directory).args(arguments);
        command.env("DATABASE_URL", self.production.url("postgres"));
        let output = command.output()?;
        if !output.status.success() {
            bail!("`{}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The forecast of the last statement of a kind.
    fn forecast(&self, kind: &Kind, stats: &Path) -> Result<Value> {
        let option = if kind.is_alone { " transaction:false" } else { "" };
        self.migration("002_kind", option, &format!("{}\n{};", kind.before, kind.sql))?;
        let (scratch, stats) = (self.scratch.url("postgres"), stats.display().to_string());
        let plan = ["plan", "--locks", "--json", "--scratch-url", &scratch, "--stats", &stats];
        let lines = self.migrator(&plan)?;
        let plan: Value = serde_json::from_str(lines.lines().last().unwrap_or_default())?;
        fs::remove_file(self.directory.join("migrations/002_kind.sql"))?;
        let statements = plan["steps"][0]["forecast"]["statements"].as_array().cloned().unwrap_or_default();
        statements.last().cloned().with_context(|| format!("no forecast of `{}` in {plan}", kind.name))
    }

    /// How long it takes, in seconds; what it has done is taken back.
    fn measure(&self, kind: &Kind) -> Result<f64> {
        let Kind { before, sql, after, is_alone, .. } = kind;
        let (begin, end) = if *is_alone { ("", "") } else { ("BEGIN;", "ROLLBACK;") };
        let output =
            self.sql(&format!("CHECKPOINT;\n{begin}\n{before}\n\\timing on\n{sql};\n\\timing off\n{end}\n{after}\n"))?;
        let time = output.lines().find_map(|line| line.strip_prefix("Time: ")?.split(' ').next()?.parse::<f64>().ok());
        Ok(time.with_context(|| format!("no time in `{output}`"))? / 1e3)
    }

    fn sql(&self, script: &str) -> Result<String> {
        let file = self.directory.join("script.sql");
        fs::write(&file, script)?;
        let mut command = Command::new(self.production.program_directory().join("psql"));
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--set", "ON_ERROR_STOP=1", "--file"]).arg(&file);
        let output = command.arg(self.production.url("postgres")).output()?;
        if !output.status.success() {
            bail!("psql failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}
