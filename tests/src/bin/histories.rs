//! Applies public histories from zero, judges every rollback as `verify` does, and writes docs/evidence/histories.md.
//!
//! `histories [CORPORA [HISTORY...]]`: the histories are in ../shared/corpora, beside the repository, or in CORPORA. With names of histories
//! the page is printed. No SQL of theirs is written anywhere.
#![expect(clippy::print_stderr, clippy::print_stdout, reason = "a program for developers says what it does")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, anyhow};
use migrator_postgres::TemporaryServer;
use migrator_tests::histories::{HISTORIES, History, corpora};
use migrator_tests::{machine, task};
use migrator_xtask::developer::{self, Context};
use migrator_xtask::engine::client::failed;
use migrator_xtask::engine::{ConnectionTarget, Embedded, Terminal};
use serde_json::Value;

/// Has this program verify a db directory, in a process of its own: `histories --verify DB --json`.
const VERIFY: &str = "--verify";

/// What `verify` calls the ways in which a rollback is not exact, in the order of the page's columns.
const KINDS: [&str; 5] = [
    "only the order of columns is not restored",
    "the rollback does not restore the schema",
    "the rollback fails",
    "after the rollback it does not go up again",
    "the second up produces another schema",
];

/// What came of a history.
struct Judged {
    history: &'static History,
    migrations: usize,
    without: usize,
    exact: usize,
    kinds: [usize; KINDS.len()],
    /// From zero to the newest, and for all rollbacks.
    seconds: [f64; 2],
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    if arguments.next_if(|argument| argument == VERIFY).is_some() {
        let db = PathBuf::from(arguments.next().unwrap_or_default());
        let line = ["histories", "verify"].map(Into::into).into_iter().chain(arguments);
        let embedded = migrator_tests::load(&db).expect("the program that started this one has loaded it").0;
        return task::run(embedded.set().expect("this program has written it"), &db, line);
    }
    let corpora = arguments.next().map_or_else(corpora, PathBuf::from);
    let wanted: Vec<String> = arguments.map(|name| name.to_string_lossy().into_owned()).collect();
    match write(&corpora, &wanted) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write(corpora: &Path, wanted: &[String]) -> Result<()> {
    if !corpora.is_dir() {
        eprintln!("NOT MEASURED: there are no histories in `{}`", corpora.display());
        return Ok(());
    }
    let is_wanted = |history: &&History| wanted.is_empty() || wanted.iter().any(|name| name == history.name);
    let (mut judged, mut circumstances) = (Vec::new(), String::new());
    for history in HISTORIES.iter().filter(is_wanted) {
        // Roles belong to a server: each history has its own.
        let server = TemporaryServer::start()?;
        circumstances = machine::circumstances_with(server.program_directory());
        judged.push(judge(&server, history, corpora).with_context(|| format!("the history `{}`", history.name))?);
        eprintln!("{}", row(&judged[judged.len() - 1]).trim_end());
    }
    let page = page(&judged, &circumstances);
    if !wanted.is_empty() {
        println!("{page}");
        return Ok(());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/evidence/histories.md");
    fs::write(&path, page).with_context(|| format!("failed to write `{}`", path.display()))
}

fn judge(server: &TemporaryServer, history: &'static History, corpora: &Path) -> Result<Judged> {
    let program = std::env::current_exe()?;
    let db = program.with_file_name("histories-db");
    let embedded = history.load(corpora, &db)?;
    let migrations = embedded.migrations.len();
    prepare(server, embedded, history.expects)?;
    let output = Command::new(program)
        .arg(VERIFY)
        .arg(&db)
        .arg("--json")
        .env("DATABASE_URL", server.url("postgres"))
        .output()
        .context("failed to start this program once more")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last: Value = serde_json::from_str(text.lines().last().unwrap_or_default())
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let finding = |name: &str| {
        let mut findings = last["findings"].as_array().into_iter().flatten();
        findings.find(|finding| finding["name"] == name).with_context(|| format!("`verify` has not asked `{name}`"))
    };
    let (zero, trips) = (finding("up from zero")?, finding("round trip")?);
    anyhow::ensure!(zero["verdict"] == "ok", "it does not go up: {}", zero["lines"]);
    let lines: Vec<&str> = trips["lines"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let head: Vec<usize> = lines.first().context("an answer without a line")?.split(' ').filter_map(number).collect();
    let [exact, with, without] = head[..] else { return Err(anyhow!("an unknown answer: {}", lines[0])) };
    let kinds = KINDS.map(|kind| lines.iter().filter(|line| line.ends_with(&format!(": {kind}"))).count());
    anyhow::ensure!(
        exact + kinds.iter().sum::<usize>() == with && with + without == migrations,
        "{exact} exact, {kinds:?} and {without} without a rollback are not {migrations}"
    );
    let seconds = [zero, trips].map(|finding| finding["ms"].as_u64().unwrap_or_default() as f64 / 1e3);
    Ok(Judged { history, migrations, without, exact, kinds, seconds })
}

/// Gives every database that is made on the server what the history takes for granted.
fn prepare(server: &TemporaryServer, embedded: &'static Embedded, statement: &str) -> Result<()> {
    let target = ConnectionTarget::read(Some(&server.url("template1")), |_| None)?;
    let context = Context::on_throwaway(server, embedded, Terminal::silent())?.at(target);
    developer::block_on(async {
        let connection = context.migrator.open(&context.target).await?;
        let done = connection.client().batch_execute(statement).await;
        done.map_err(|error| failed("preparing the server", error))
    })??;
    Ok(())
}

fn number(word: &str) -> Option<usize> {
    word.parse().ok()
}

fn row(judged: &Judged) -> String {
    let kinds: Vec<String> = judged.kinds.iter().map(usize::to_string).collect();
    let tool = judged.history.tool.unwrap_or("ours");
    format!(
        "| {} | {tool} | {} | {:.1} | {} | {} | {} | {:.1} |\n",
        judged.history.name,
        judged.migrations,
        judged.seconds[0],
        judged.without,
        judged.exact,
        kinds.join(" | "),
        judged.seconds[1]
    )
}

fn page(judged: &[Judged], circumstances: &str) -> String {
    let mut page = format!(
        "# Public histories\n\n`cargo run --package migrator-tests --bin histories` has written this page; do not edit it.\n\n{circumstances}\n\n\
         Each history is imported where it is another tool's, applied from zero, and every migration that has a down block is rolled back and applied again where it stands \
         in the history, as `cargo xtask verify` does. A rollback is exact if it restores every fact of the schema, and going up again gives the same facts as the first time.\n\n\
         *all*: migrations. *up*: seconds from zero. *none*: no down block. *order*: exact but for the order of columns. *other*: another schema than before. *fail*: the \
         rollback fails. *no re-up*: the migration does not go up again. *other re-up*: it does, to another schema. *down*: seconds for all rollbacks.\n\n\
         | history | format | all | up | none | exact | order | other | fail | no re-up | other re-up | down |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n"
    );
    judged.iter().for_each(|one| page.push_str(&row(one)));
    let sum = |of: &dyn Fn(&Judged) -> usize| judged.iter().map(of).sum::<usize>();
    let kinds: Vec<String> = (0..KINDS.len()).map(|kind| sum(&|one| one.kinds[kind]).to_string()).collect();
    let seconds = [0, 1].map(|at: usize| judged.iter().map(|one| one.seconds[at]).sum::<f64>());
    let _ = writeln!(
        page,
        "| all | | {} | {:.1} | {} | {} | {} | {:.1} |\n\n\
         A down block of these projects may never have run before: none of the other tools tries it.",
        sum(&|one| one.migrations),
        seconds[0],
        sum(&|one| one.without),
        sum(&|one| one.exact),
        kinds.join(" | "),
        seconds[1]
    );
    page
}
