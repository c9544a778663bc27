//! Judges each release of a public service against the next one, and writes docs/evidence/releases.md.
//!
//! `releases [CORPORA]`: the queries of its releases and its migrations are in ../shared/corpora, beside the repository, or in CORPORA. No
//! SQL of it is written anywhere.
#![expect(clippy::print_stderr, reason = "a program for developers says what it does")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use migrator_postgres::TemporaryServer;
use migrator_tests::histories::{HISTORIES, corpora};
use migrator_tests::machine;
use migrator_xtask::developer::{self, Context};
use migrator_xtask::engine::{Color, Embedded, Exit, Terminal};
use migrator_xtask::prove::compat::{self, Asked, Outcome, Running};
use serde_json::Value;

/// The service, as its history is called.
const SERVICE: &str = "zksync-core";

/// What each break is, by hand: the release, the migration, the verdict, and why.
const EXPLAINED: &str = include_str!("../releases.tsv");

/// A release of the service.
struct Release {
    name: String,
    /// The number of its newest migration.
    newest: i64,
    queries: Vec<Asked>,
}

/// What came of a release and the next one.
struct Pair {
    from: String,
    to: String,
    new: usize,
    queries: usize,
    outcome: Outcome,
    took: Duration,
}

fn main() -> ExitCode {
    let corpora = std::env::args_os().nth(1).map_or_else(corpora, PathBuf::from);
    match write(&corpora) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write(corpora: &Path) -> Result<()> {
    let releases = releases(&corpora.join("queries").join(SERVICE))?;
    let history = HISTORIES.iter().find(|history| history.name == SERVICE).context("its history is unknown")?;
    let all = history.load(corpora, &std::env::current_exe()?.with_file_name("releases-db"))?;
    let server = TemporaryServer::start()?;
    let mut pairs = Vec::new();
    for (from, to) in releases.iter().zip(&releases[1..]) {
        let pair = judge(&server, all, from, to)?;
        eprintln!("{} -> {}: {}", pair.from, pair.to, pair.outcome.lines[0]);
        pairs.push(pair);
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/evidence/releases.md");
    fs::write(&page, text(&releases, &pairs, &machine::circumstances_with(server.program_directory())))
        .with_context(|| format!("failed to write `{}`", page.display()))
}

/// Reads `releases.tsv` and `queries.jsonl`.
fn releases(folder: &Path) -> Result<Vec<Release>> {
    let read = |name: &str| {
        let file = folder.join(name);
        fs::read_to_string(&file).with_context(|| format!("failed to read `{}`", file.display()))
    };
    let mut queries = BTreeMap::new();
    for line in read("queries.jsonl")?.lines() {
        let value: Value = serde_json::from_str(line)?;
        let hash = value["hash"].as_str().unwrap_or_default().get(..12).unwrap_or_default().to_owned();
        let nullable = value["describe"]["nullable"].as_array().into_iter().flatten().map(Value::as_bool);
        let asked = Asked {
            text: value["query"].as_str().unwrap_or_default().to_owned(),
            name: Some(hash.clone()),
            file: format!(".sqlx/query-{hash}.json"),
            line: 1,
            declared: Some(nullable.collect()),
        };
        queries.insert(hash, asked);
    }
    let release = |line: &str| {
        let mut fields = line.split('\t');
        let name = fields.next()?.to_owned();
        let newest = fields.nth(2)?.parse().ok()?;
        let queries = fields.next()?.split(' ').filter_map(|hash| queries.get(hash).cloned()).collect();
        Some(Release { name, newest, queries })
    };
    Ok(read("releases.tsv")?.lines().skip(1).filter_map(release).collect())
}

/// The migrations as a release has them.
fn until(all: &Embedded, newest: i64) -> &'static Embedded {
    let mut set = all.clone();
    set.migrations.to_mut().retain(|migration| migration.number <= newest);
    Box::leak(Box::new(set))
}

fn judge(server: &TemporaryServer, all: &Embedded, from: &Release, to: &Release) -> Result<Pair> {
    let (before, after) = (until(all, from.newest), until(all, to.newest));
    let context = Context::on_throwaway(server, after, Terminal::new(true, false, Color::Never))?;
    let running = Running::new(&from.name, before).asking(from.queries.clone()).followed_by(to.queries.clone());
    let (mut outcome, begun) = (None, Instant::now());
    developer::run(context, async |context| {
        outcome = Some(compat::judge(context, &running).await?);
        Ok(Exit::Done)
    });
    Ok(Pair {
        from: from.name.clone(),
        to: to.name.clone(),
        new: after.migrations.len() - before.migrations.len(),
        queries: from.queries.len(),
        outcome: outcome.context("the release could not be judged")?,
        took: begun.elapsed(),
    })
}

fn text(releases: &[Release], pairs: &[Pair], circumstances: &str) -> String {
    let list = |pair: &Pair, key: &str| pair.outcome.json[key].as_array().cloned().unwrap_or_default();
    let sum = |key: &str| pairs.iter().map(|pair| list(pair, key).len()).sum::<usize>();
    let asked: u64 = pairs.iter().filter_map(|pair| pair.outcome.json["ms"].as_u64()).sum();
    let mut page = format!(
        "# Releases of a service, each against the next\n\n`cargo run --package migrator-tests --bin releases` has written this page; do not edit it. {}\n\n\
         {} releases of matter-labs/zksync-era ({} to {}), with the queries that sqlx keeps in `.sqlx`. For each pair: which queries of the \
         release that still runs break on the schema of the next one.\n\n\
         {} pairs, {} of them with new migrations. {} times a query was judged, {} of them left out (they do not work on the release's own \
         schema as it can be rebuilt), {} broke. Asking the server took {:.2} s in all, {:.3} s for each of the two passes of a pair; making \
         the databases is extra.\n\n\
         | release | next | migrations | queries | left out | break | how | order | server asked, s | all, s |\n|---|---|---|---|---|---|---|---|---|---|\n",
        circumstances,
        releases.len(),
        releases.first().map_or("", |first| &first.name),
        releases.last().map_or("", |last| &last.name),
        pairs.len(),
        pairs.iter().filter(|pair| pair.new > 0).count(),
        pairs.iter().map(|pair| pair.queries).sum::<usize>(),
        sum("left_out"),
        sum("breaks"),
        asked as f64 / 1e3,
        asked as f64 / 2e3 / pairs.len() as f64,
    );
    for pair in pairs {
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        for found in list(pair, "breaks") {
            *kinds.entry(kind(&found)).or_default() += 1;
        }
        let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let order = match (list(pair, "needs_migrations").len(), kinds.is_empty()) {
            (0, true) => "either",
            (0, false) => "rollout first",
            (_, true) => "migrations first",
            (_, false) => "neither",
        };
        let (left_out, breaks) = (list(pair, "left_out").len(), list(pair, "breaks").len());
        let (asked, all) = (pair.outcome.json["ms"].as_u64().unwrap_or_default() as f64 / 1e3, pair.took.as_secs_f64());
        let (from, to, new, queries, kinds) = (&pair.from, &pair.to, pair.new, pair.queries, kinds.join(", "));
        let _ = writeln!(
            page,
            "| {from} | {to} | {new} | {queries} | {left_out} | {breaks} | {kinds} | {order} | {asked:.2} | {all:.2} |"
        );
    }
    page.push_str(&explained(pairs));
    page.push_str(
        "\n## The breaks\n\nA query is named by the beginning of its hash. What the next release still has and its own server refuses comes from how \
         a release's schema is rebuilt: the files up to a number, also where a branch was merged late.\n\n\
         | release | query | since | what | the next release |\n|---|---|---|---|---|\n",
    );
    for pair in pairs {
        for found in list(pair, "breaks") {
            let text = |value: &Value| value.as_str().unwrap_or_default().replace('|', "\\|");
            let differences = found["differences"].as_array().into_iter().flatten();
            let what: Vec<String> = differences.map(|difference| text(&difference["message"])).collect();
            let who = if found["function"].is_null() { text(&found["name"]) } else { text(&found["function"]) };
            let still = if found["still_asked"] == true { "still has it" } else { "" };
            let by = text(&found["migration"]);
            let _ = writeln!(page, "| {} | {who} | {by} | {} | {still} |", pair.from, what.join("; "));
        }
    }
    page
}

/// What the breaks of each migration are: real, or a false alarm.
fn explained(pairs: &[Pair]) -> String {
    let mut groups: Vec<(&str, String, usize)> = Vec::new();
    for pair in pairs {
        for found in pair.outcome.json["breaks"].as_array().into_iter().flatten() {
            let by = found["migration"].as_str().unwrap_or_default().to_owned();
            match groups.iter_mut().find(|(from, known, _)| *from == pair.from && *known == by) {
                Some((.., count)) => *count += 1,
                None => groups.push((&pair.from, by, 1)),
            }
        }
    }
    let known = |from: &str, by: &str| {
        let fields = EXPLAINED.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let found = fields.into_iter().find(|fields| fields[..2] == [from, by]);
        found.map_or(("not explained", ""), |fields| (fields[2], fields[3]))
    };
    let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut table = String::new();
    for (from, by, count) in &groups {
        let (verdict, why) = known(from, by);
        *verdicts.entry(verdict).or_default() += count;
        let _ = writeln!(table, "| {from} | {by} | {count} | {verdict} | {why} |");
    }
    let sums: Vec<String> = verdicts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    format!(
        "\n## What they are\n\nBy hand, from the texts of both releases and the migration: {}.\n\n\
         | release | since | breaks | verdict | why |\n|---|---|---|---|---|\n{table}",
        sums.join(", ")
    )
}

/// The first difference, in a word: SQLSTATE where the server refuses.
fn kind(found: &Value) -> String {
    let first = &found["differences"][0];
    let kind = first["kind"].as_str().unwrap_or_default();
    first["sqlstate"].as_str().filter(|_| kind == "refused").unwrap_or(kind).to_owned()
}
