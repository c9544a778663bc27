//! Has the differ write every step of public histories anew, judges it by the facts, and writes docs/evidence/diff.md.
//!
//! `differ [CORPORA [HISTORY...]]`: the histories are in ../shared/corpora, beside the repository, or in CORPORA. With names of histories
//! nothing is written but what is said: every pair that is not exact, with its reason.
#![expect(clippy::print_stderr, reason = "a program for developers says what it does")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use migrator_postgres::TemporaryServer;
use migrator_tests::task;
use migrator_xtask::author::diff::{Catalog, Draft, Proof, Reached, Set};
use migrator_xtask::developer::{self, Context};
use migrator_xtask::engine::operation::UpOptions;
use migrator_xtask::engine::{ConnectionTarget, Embedded, Error, Exit, Terminal};

/// A public history: where it is below the corpora, and the tool that it is imported from; `None`: it is a db directory.
const HISTORIES: &[(&str, &str, Option<&str>)] = &[
    ("crates-io", "histories/crates-io/migrations", None),
    ("zksync-core", "histories/zksync-core/migrations", None),
    ("arroyo", "foreign/arroyo/crates/arroyo-api/migrations", Some("refinery")),
    ("chirpstack", "foreign/chirpstack/chirpstack/migrations_postgres", Some("diesel")),
    ("svix", "foreign/svix/server/svix-server/migrations", Some("sqlx")),
    ("zksync-prover", "foreign/zksync-prover/prover/crates/lib/prover_dal/migrations", Some("sqlx")),
    ("harbor", "foreign/harbor/make/migrations/postgresql", Some("golang-migrate")),
    ("ncps", "foreign/ncps/migrations/postgres", Some("goose")),
    ("clomonitor", "foreign/clomonitor/database/migrations/schema", Some("tern")),
    ("marquez", "foreign/marquez/api/src/main/resources/marquez/db/migration", Some("flyway")),
    ("cloak", "foreign/cloak/crates/db/migrations", Some("dbmate")),
];

/// What came of one pair of schemas.
struct Pair {
    name: String,
    proof: Result<Proof, String>,
    losses: usize,
    took: Duration,
}

/// The pairs of a history, and how many of its steps change no schema.
struct History {
    name: &'static str,
    unchanged: usize,
    pairs: Vec<Pair>,
}

fn main() -> ExitCode {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora");
    let mut arguments = std::env::args().skip(1);
    let corpora = arguments.next().map_or_else(beside, PathBuf::from);
    let wanted: Vec<String> = arguments.collect();
    match judge(&corpora, &wanted) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn judge(corpora: &Path, wanted: &[String]) -> Result<()> {
    if !corpora.is_dir() {
        eprintln!("NOT MEASURED: there are no histories in `{}`", corpora.display());
        return Ok(());
    }
    let mut histories = Vec::new();
    for (name, path, tool) in
        HISTORIES.iter().filter(|(name, ..)| wanted.is_empty() || wanted.iter().any(|one| one == name))
    {
        // Roles belong to a server: each history has its own.
        let server = TemporaryServer::start()?;
        let set = load(&corpora.join(path), *tool).with_context(|| format!("failed to read the history `{name}`"))?;
        histories.push(go_through(&server, name, set)?);
    }
    let text = page(&histories);
    if !wanted.is_empty() {
        eprintln!("{text}");
        return Ok(());
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/evidence/diff.md");
    fs::write(&page, text).with_context(|| format!("failed to write `{}`", page.display()))
}

/// A db directory of those migrations, beside this program, as a set.
fn load(migrations: &Path, tool: Option<&str>) -> Result<Embedded> {
    let db = std::env::current_exe()?.with_file_name("differ-db");
    let _ = fs::remove_dir_all(&db);
    fs::create_dir_all(db.join("migrations"))?;
    // One of them drops a table that is called as our history is by default, and some down blocks can never have run.
    let settings = "[history]\nschema = \"ops\"\n[check]\nstart_after = \"999999\"\n";
    match tool {
        None => {
            fs::remove_dir(db.join("migrations"))?;
            std::os::unix::fs::symlink(migrations.canonicalize()?, db.join("migrations"))?;
            fs::write(db.join("migrator.toml"), settings)?;
        }
        Some(tool) => {
            let line = ["migrator", "import", tool].map(Into::into).into_iter();
            task::import(&db, line.chain([migrations.canonicalize()?.into_os_string()]));
            let file = db.join("migrator.toml");
            let text = fs::read_to_string(&file).unwrap_or_default();
            let text = match text.contains("[history]\n") {
                true => text.replacen("[history]\n", "[history]\nschema = \"ops\"\n", 1),
                false => format!("[history]\nschema = \"ops\"\n{text}"),
            };
            fs::write(file, text)?;
        }
    }
    let loaded = migrator_build::load(&db).map_err(|problems| anyhow!("the migrations have errors\n{problems}"))?;
    let mut set = migrator_tests::load(&db).map_err(|problems| anyhow!("{problems}"))?.0.set()?.clone();
    drop(loaded);
    set.settings.retry_for_ms = 0;
    Ok(set)
}

fn leak(set: Embedded) -> &'static Embedded {
    Box::leak(Box::new(set))
}

fn go_through(server: &TemporaryServer, name: &'static str, set: Embedded) -> Result<History> {
    let mut history = History { name, unchanged: 0, pairs: Vec::new() };
    let first = until(&set, 0);
    let context = Context::on_throwaway(server, first, Terminal::silent())?;
    let result = &mut history;
    let mut failed = None;
    developer::run(context, async |context| {
        failed = walk(server, context, &set, result).await.err();
        Ok(Exit::Done)
    });
    match failed {
        None => Ok(history),
        Some(error) => Err(error.context(format!("the history `{name}` cannot be gone through"))),
    }
}

/// The first migrations.
fn until(all: &Embedded, count: usize) -> &'static Embedded {
    let mut set = all.clone();
    set.migrations.to_mut().truncate(count);
    set.repeatables.to_mut().clear();
    leak(set)
}

async fn walk(server: &TemporaryServer, context: &Context, set: &Embedded, history: &mut History) -> Result<()> {
    let name = history.name.replace('-', "_");
    let url = |database: &str| ConnectionTarget::read(Some(&server.url(database)), |_| None);
    let root = context.migrator.open(&context.target).await?;
    let sql =
        async |text: String| root.client().batch_execute(&text).await.map_err(|error| anyhow!("{text}: {error:?}"));
    sql(format!("CREATE DATABASE {name}")).await?;
    // The schema of the history is no part of any step, and two projects expect something to be there.
    let expected = match history.name {
        "chirpstack" => "CREATE EXTENSION pg_trgm",
        "cloak" => "CREATE TABLE schema_migrations (version varchar PRIMARY KEY)",
        _ => "",
    };
    let begin = format!("CREATE SCHEMA ops; {expected}");
    context.migrator.open(&url(&name)?).await?.client().batch_execute(&begin).await?;
    let read = async || -> Result<Catalog> {
        let connection = context.migrator.open(&url(&name)?).await?;
        Catalog::read(&connection, &url(&name)?, &context.migrator.tables(), server.program_directory()).await
    };
    let on = |set: &'static Embedded, database: &str| -> Result<Context, Error> {
        Ok(Context::on_throwaway(server, set, Terminal::silent())?.at(url(database)?))
    };
    // Also beside a table that could be another tool's.
    on(until(set, 0), &name)?.connect().await?.lock(Duration::from_secs(10)).await?.create_history().await?;
    let mut before = read().await?;
    for count in 1..=set.migrations.len() {
        let label = set.migrations[count - 1].label();
        let copy = format!("{name}_{count}");
        wait(&root, &name).await?;
        sql(format!("CREATE DATABASE {copy} TEMPLATE {name}")).await?;
        on(until(set, count), &name)?.connect().await?.up(&UpOptions::default()).await?;
        let after = read().await?;
        let begun = Instant::now();
        if before.facts().without_order() == after.facts().without_order() {
            history.unchanged += 1;
        } else {
            let draft = Draft::between(&before, &after, true);
            let proof = prove(&on, until(set, count - 1), &copy, &draft, &before, &after).await;
            let pair = Pair { name: label.to_string(), proof, losses: draft.losses.len(), took: begun.elapsed() };
            tell(&pair, &draft);
            history.pairs.push(pair);
        }
        sql(format!("DROP DATABASE {copy} WITH (FORCE)")).await?;
        before = after;
    }
    Ok(())
}

/// The server copies no database that a session is still leaving.
async fn wait(root: &migrator_xtask::engine::client::Connection, name: &str) -> Result<()> {
    let asked = format!("SELECT 1 FROM pg_stat_activity WHERE datname = '{name}' AND backend_type = 'client backend'");
    for _ in 0..500 {
        let rows = root.client().simple_query(&asked).await?;
        if !rows.iter().any(|message| format!("{message:?}").starts_with("Row(")) {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

async fn prove(
    on: &impl Fn(&'static Embedded, &str) -> Result<Context, Error>,
    set: &'static Embedded,
    copy: &str,
    draft: &Draft,
    before: &Catalog,
    after: &Catalog,
) -> Result<Proof, String> {
    let first = set.migrations.last().map_or(0, |migration| migration.number) + 1;
    let names: Vec<(String, String)> =
        (0..draft.files.len()).map(|place| ((first + place as i64).to_string(), "change".to_owned())).collect();
    if draft.files.is_empty() {
        return Err("nothing was found to do".to_owned());
    }
    let set = Set::new(set, &names, &draft.files, "a step of a history").map_err(|error| format!("{error:#}"))?;
    let context = on(set.embedded, copy).map_err(|error| error.render(false))?;
    set.prove(&context, before.facts(), after.facts()).await.map_err(|error| error.render(false))
}

/// Says what is not exact, and why.
fn tell(pair: &Pair, draft: &Draft) {
    let said = |reached: &Reached| match reached {
        Reached::Same(true) => "exact".to_owned(),
        Reached::Same(false) => "exact but for the order of columns".to_owned(),
        Reached::Other(differences) => migrator_xtask::engine::facts::report(differences),
        Reached::Failed(error) => error.clone(),
        Reached::Untried => "not tried".to_owned(),
    };
    match &pair.proof {
        Ok(proof) if proof.up.is_same() && proof.down.is_same() => {}
        Ok(proof) => {
            eprintln!("=== {}\nup: {}\ndown: {}", pair.name, said(&proof.up), said(&proof.down));
            if std::env::var_os("DIFFER_SHOW").is_some() {
                eprintln!("{:#?}", draft.files);
            }
        }
        Err(error) => eprintln!("=== {}\n{error}", pair.name),
    }
}

/// Counts of a history.
#[derive(Default)]
struct Counts {
    pairs: usize,
    up: usize,
    down: usize,
    reordered: usize,
    refused: usize,
    seconds: f64,
    losing: usize,
}

impl Counts {
    fn of<'a>(pairs: impl Iterator<Item = &'a Pair>) -> Counts {
        let mut counts = Counts::default();
        for pair in pairs {
            counts.pairs += 1;
            counts.seconds += pair.took.as_secs_f64();
            counts.losing += usize::from(pair.losses > 0);
            let Ok(proof) = &pair.proof else {
                counts.refused += 1;
                continue;
            };
            counts.up += usize::from(proof.up.is_same());
            counts.down += usize::from(proof.down.is_same());
            counts.reordered += usize::from(matches!(proof.down, Reached::Same(false)));
            counts.refused += usize::from(!(proof.up.is_same() && proof.down.is_same()));
        }
        counts
    }

    fn row(&self, name: &str, unchanged: usize) -> String {
        let share = |count: usize| format!("{count} ({:.1} %)", 100.0 * count as f64 / self.pairs.max(1) as f64);
        format!(
            "| {name} | {} | {unchanged} | {} | {} | {} | {} | 0 | {} | {:.2} |\n",
            self.pairs,
            share(self.up),
            share(self.down),
            self.reordered,
            share(self.refused),
            self.losing,
            self.seconds / self.pairs.max(1) as f64
        )
    }
}

fn page(histories: &[History]) -> String {
    let mut page = "# The differ on public histories\n\n`cargo run --package migrator-tests --bin differ` has written this page; do not edit it.\n\n\
        Each history is applied version by version. Of every two schemas that follow each other the differ writes the files anew, up and down, \
        in the form that holds up nobody; the migrator applies them to a copy of the older schema, with the rows that the history's own migrations have left there, \
        and rolls them back. The facts decide. A pair is exact up where the result has the newer schema's facts, and exact down where the rollback \
        restores the older one's, but for the order of columns. What is not exact in both directions is refused: `new --from-schema` names the facts that remain, and writes only a \
        `.partial` file. Nothing is ever written without that proof, so no pair can be silently wrong.\n\n\
        | history | pairs | no change | exact up | exact down | of them with another order of columns | refused | silently wrong | name what they lose | s per pair |\n\
        |---|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for history in histories {
        page.push_str(&Counts::of(history.pairs.iter()).row(history.name, history.unchanged));
    }
    let all = Counts::of(histories.iter().flat_map(|history| &history.pairs));
    page.push_str(&all.row("all", histories.iter().map(|history| history.unchanged).sum()));
    page.push_str("\n## What is refused\n\n| history | migration | direction | why |\n|---|---|---|---|\n");
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for (history, pair) in histories.iter().flat_map(|history| history.pairs.iter().map(move |pair| (history, pair))) {
        for (direction, why) in reasons_of(pair) {
            *reasons.entry(direction).or_default() += 1;
            let _ = writeln!(page, "| {} | {} | {direction} | {} |", history.name, pair.name, why.replace('|', "\\|"));
        }
    }
    page
}

/// Why a pair is refused, a line for each direction.
fn reasons_of(pair: &Pair) -> Vec<(&'static str, String)> {
    let why = |reached: &Reached| match reached {
        Reached::Same(_) | Reached::Untried => None,
        Reached::Failed(error) => {
            Some(error.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned())
        }
        Reached::Other(differences) => {
            let names = differences.iter().take(3).map(|one| format!("{} {} {}", one.kind, one.object, one.part));
            Some(format!("remains: {}", names.collect::<Vec<_>>().join(", ")))
        }
    };
    match &pair.proof {
        Err(error) => vec![("both", error.lines().next().unwrap_or_default().to_owned())],
        Ok(proof) => [("up", why(&proof.up)), ("down", why(&proof.down))]
            .into_iter()
            .filter_map(|(at, why)| Some((at, why?)))
            .collect(),
    }
}
