//! `verify`: proves on throwaway databases that the migrations go up, down and up again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use migrator_build::DataTest;
use migrator_diagnostic::printable;
use serde_json::{Value, json};

use crate::developer::Context;
use crate::output::Json;
use crate::prove::compat::{self, Outcome, Running};
use crate::prove::scratch::Scratch;
pub use answer::{Answer, Verdict};
use answer::{Finding, error_lines};
use before::{Base, Before};
use migrator_engine::output::{self, is_json, result, results};
use migrator_engine::stats::Stats;
use migrator_engine::words;
use migrator_engine::{Error, ErrorKind, Exit};
pub use new::Extent;
use shown::{Asked, Shown};

mod answer;
pub mod before;
mod budget;
mod checks;
mod counted;
mod counting;
mod data_losses;
mod data_tests;
mod forecast;
mod locks;
mod mark;
mod new;
mod next_release;
mod place;
mod reading;
mod round_trip;
mod seeded_data;
mod shown;
mod tally;

/// The questions that make no sense where a migration does not go up.
const NEED_A_WAY_UP: [&str; 11] = [
    "next release",
    "release",
    "second up",
    "repeatables twice",
    "seeds",
    "seeded data",
    "data tests",
    "data losses",
    "schema",
    "two at once",
    "locks",
];

/// The arguments of `verify`.
#[derive(Debug, Default, clap::Args)]
#[group(skip)]
pub struct Args {
    /// The form of the answers
    #[command(flatten)]
    pub json: Json,
    /// Also write an HTML page to this file: verdicts, locks over time, the SQL
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Also write what is new in this branch to this file, as Markdown for a comment of at most 65,536 characters
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Also say how long the new migrations take on tables as large as in this file of `migrator stats`
    #[arg(long, value_name = "FILE")]
    pub stats: Option<PathBuf>,
    /// Of which migrations to ask what becomes of the data in a rollback
    #[arg(long, value_enum, value_name = "WHICH", default_value_t)]
    pub data: Extent,
}

/// What the caller has found out.
pub struct Given {
    /// What production runs.
    pub before: Before,
    /// Those of db/tests.
    pub tests: Vec<DataTest>,
    /// The answer to the one question that needs pg_dump, and how long that took.
    pub schema: (Answer, Duration),
    /// The release that runs, or why none is judged.
    pub release: Result<Running, Vec<String>>,
    /// Where the branch is: names and values.
    pub about: Vec<(&'static str, String)>,
    /// A file that the Markdown is appended to.
    pub summary: Option<PathBuf>,
}

/// Asks every question, also after one that failed.
pub async fn run(context: &Context, args: &Args, given: Given) -> Result<Exit, Error> {
    let shown = Shown::open(args.html.as_deref(), args.markdown.as_deref(), given.summary.as_deref())?;
    let stats = args.stats.as_deref().map(Stats::open).transpose()?;
    let Given { before, tests, schema: (schema, schema_time), release, about, .. } = given;
    let has_budget = context.migrator.embedded().settings.budget.is_set();
    let base = Base::new(before, context.migrator.embedded());
    let scratch = Scratch::new(context).await?;
    let mut findings = Vec::new();
    let mut add = |name, time: Duration, answer: Result<Answer, Error>| {
        let (verdict, lines) = answer.unwrap_or_else(|error| (Verdict::Failed, error_lines(&error)));
        let finding = Finding { name, verdict, lines, time };
        match is_json() {
            true => output::event("finding", of(&finding)),
            false => results(&text(&finding)),
        }
        findings.push(finding);
    };
    macro_rules! ask {
        ($name:literal, $answer:expr) => {{
            context.terminal.begin($name, 1, 1);
            let begun = Instant::now();
            let answer = $answer.await;
            scratch.settle().await;
            context.terminal.end();
            if context.migrator.stop().is_requested() {
                scratch.finish().await;
                return Err(stopped(context, $name));
            }
            add($name, begun.elapsed(), answer);
        }};
    }
    let (mut zero, mut judged, mut ways, mut traces) = (None, None, Vec::new(), Vec::new());
    ask!("up from zero", checks::up_from_zero(&scratch, &mut zero));
    let (mut losses, mut facts, mut forecasts) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    ask!(
        "round trip",
        round_trip::every_migration(&scratch, zero.as_ref().map(|zero| &zero.before_repeatables), &mut ways)
    );
    if let Some(zero) = &zero {
        ask!("next release", next_release::walk(&scratch, &base, &zero.facts));
        ask!("release", of_release(&scratch, &release, &mut judged));
        ask!("second up", checks::second_up(&scratch));
        ask!("repeatables twice", checks::repeatables_twice(&scratch));
        ask!("seeds", checks::seeds(&scratch));
        ask!("seeded data", seeded_data::ask(&scratch, &base, args.data));
        ask!("data tests", data_tests::run(&scratch, &tests));
        ask!("data losses", data_losses::ask(&scratch, &base, &tests, args.data, &mut losses));
        add("schema", schema_time, Ok(schema));
        ask!("two at once", checks::two_at_once(&scratch));
        ask!("locks", locks::trace(&scratch, &base, &mut traces, shown.is_wanted().then_some(&mut facts)));
        if let Some(stats) = &stats {
            ask!("forecast", forecast::ask(&scratch, &base, stats, &mut forecasts));
        }
        if has_budget {
            ask!("budget", budget::answer(context.migrator.embedded(), &base, &traces, &forecasts));
        }
    } else {
        let wanted = stats.is_some().then_some("forecast").into_iter().chain(has_budget.then_some("budget"));
        for name in NEED_A_WAY_UP.into_iter().chain(wanted) {
            add(name, Duration::ZERO, Ok((Verdict::Skipped, vec!["the migrations do not go up".to_owned()])));
        }
    }
    let server = scratch.server_version().await?;
    scratch.finish().await;
    let failed = conclude(&findings);
    let asked = Asked { ways, traces, losses, facts, forecasts, stats, judged, about, server };
    shown.write(context, (&base, &findings), asked)?;
    Ok(if failed == 0 { Exit::Done } else { Exit::Found })
}

/// Prints what came of all questions; how many have failed.
fn conclude(findings: &[Finding]) -> usize {
    let failed = findings.iter().filter(|finding| finding.verdict == Verdict::Failed).count();
    if is_json() {
        output::json(&json!({ "findings": findings.iter().map(of).collect::<Vec<_>>() }));
    }
    let skipped: Vec<&str> =
        findings.iter().filter(|finding| finding.verdict == Verdict::Skipped).map(|finding| finding.name).collect();
    result(&match failed {
        0 if skipped.is_empty() => "everything passed".to_owned(),
        0 => format!("everything else passed; not checked: {}", skipped.join(", ")),
        count => format!("{count} of {} checks failed", findings.len()),
    });
    failed
}

/// The answer to a question for programs.
fn of(finding: &Finding) -> Value {
    json!({
        "name": finding.name,
        "verdict": finding.verdict.word().to_lowercase(),
        "lines": finding.lines,
        "ms": finding.time.as_millis() as u64,
    })
}

/// Whether the queries of the release that runs work on the new schema.
async fn of_release(
    scratch: &Scratch<'_>,
    release: &Result<Running, Vec<String>>,
    judged: &mut Option<Outcome>,
) -> Result<Answer, Error> {
    let running = match release {
        Ok(running) => running,
        Err(why) => return Ok((Verdict::Skipped, why.clone())),
    };
    let outcome = compat::judge_on(scratch, running).await?;
    let verdict = match (outcome.failed, outcome.is_empty) {
        (true, _) => Verdict::Failed,
        (false, true) => Verdict::Skipped,
        (false, false) => Verdict::Ok,
    };
    let lines = outcome.lines.clone();
    *judged = Some(outcome);
    Ok((verdict, lines))
}

/// The user wants it to end: what was asked at that moment has no answer.
fn stopped(context: &Context, question: &str) -> Error {
    Error::from(ErrorKind::Stopped { by: format!("{} while checking `{question}`", context.migrator.stop().reason()) })
        .note("the databases of this run were dropped; nothing else was changed")
        .help("run the command again to start over")
}

fn text(finding: &Finding) -> String {
    let mut lines = finding.lines.iter();
    let first = lines.next().map(String::as_str).unwrap_or_default();
    let head = format!("{:<7} {}: {first} ({})", finding.verdict.word(), finding.name, words::duration(finding.time));
    lines.fold(head, |text, line| format!("{text}\n            {}", printable::lines(line, "            ")))
}
