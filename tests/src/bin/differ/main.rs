//! Has the differ write every step of public histories anew, judges it by the facts, and writes docs/evidence/diff.md.
//!
//! `differ [CORPORA [HISTORY...]]`: the histories are in ../shared/corpora, beside the repository, or in CORPORA. With names of histories
//! nothing is written but what is said: every pair that is not exact, with its reason. `differ --peers [CORPORA [HISTORY...]]` tries the
//! other differs that are installed, and ours, on every fortieth pair, and writes that part of the page alone, after each history.
#![expect(clippy::print_stderr, reason = "a program for developers says what it does")]

mod page;
mod peers;
mod places;
mod walk;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use migrator_postgres::TemporaryServer;
use migrator_tests::histories::{self, HISTORIES};
use migrator_tests::machine;
use migrator_xtask::author::diff::{Draft, Proof, Reached};
use migrator_xtask::developer::{self, Context};
use migrator_xtask::engine::{Embedded, Exit, Terminal};

use page::{beside, page};
use peers::{Outcome, Peer};
use walk::Walk;

/// What came of one pair of schemas.
struct Pair {
    name: String,
    proof: Result<Proof, String>,
    losses: usize,
    /// One of them may only have another name.
    renamed: bool,
    took: Duration,
    /// The proof calls both directions exact, and pg_dump shows another schema.
    wrong: bool,
    /// What both schemas hold by name, and was dropped on the way all the same.
    destroyed: Vec<String>,
    /// What the other differs make of it, in their order.
    peers: Vec<Outcome>,
}

/// The pairs of a history, and how many of its steps change no schema.
struct History {
    of: &'static histories::History,
    unchanged: usize,
    pairs: Vec<Pair>,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    let peers = arguments.next_if(|argument| argument == "--peers").map(|_| peers::found());
    let corpora = arguments.next().map_or_else(histories::corpora, PathBuf::from);
    let wanted: Vec<String> = arguments.collect();
    match judge(&corpora, &wanted, peers) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Of how many pairs one is tried where there are other differs: the slowest of them makes four in a minute.
const SAMPLE: usize = 40;

fn judge(corpora: &Path, wanted: &[String], peers: Option<Vec<Peer>>) -> Result<()> {
    if !corpora.is_dir() {
        eprintln!("NOT MEASURED: there are no histories in `{}`", corpora.display());
        return Ok(());
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    let mut tries = Tries { every: if peers.is_some() { SAMPLE } else { 1 }, seen: 0, peers: peers.as_deref() };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/evidence/diff.md");
    let (mut histories, mut circumstances) = (Vec::new(), String::new());
    for history in HISTORIES.iter().filter(|history| is_wanted(history.name)) {
        // Roles belong to a server: each history has its own.
        let server = TemporaryServer::start()?;
        circumstances = machine::circumstances_with(server.program_directory());
        let failed = || format!("failed to read the history `{}`", history.name);
        let set = load(history, corpora).with_context(failed)?;
        histories.push(go_through(&server, history, set, &mut tries)?);
        let is_last = histories.len() == HISTORIES.len();
        if wanted.is_empty() && (is_last || peers.is_some()) {
            fs::write(&path, text(&path, (&histories, &circumstances), peers.as_deref()))?;
        }
    }
    if !wanted.is_empty() {
        eprintln!("{}", text(&path, (&histories, &circumstances), peers.as_deref()));
    }
    Ok(())
}

/// The page, of which only one part is new.
fn text(path: &Path, (histories, circumstances): (&[History], &str), peers: Option<&[Peer]>) -> String {
    let old = fs::read_to_string(path).unwrap_or_default();
    match peers {
        Some(peers) => page::with_beside(&old, &beside(histories, peers, circumstances)),
        None => page::with_beside(&page(histories, circumstances), page::beside_of(&old)),
    }
}

/// Which pairs are tried, and by whom.
struct Tries<'p> {
    /// One of so many.
    every: usize,
    /// How many steps there were, of all histories.
    seen: usize,
    peers: Option<&'p [Peer]>,
}

impl Tries<'_> {
    /// Whether the next step is one of them.
    fn is_next(&mut self) -> bool {
        self.seen += 1;
        self.seen.is_multiple_of(self.every)
    }
}

/// The migrations of a history; its db directory is beside this program.
fn load(history: &histories::History, corpora: &Path) -> Result<Embedded> {
    let db = std::env::current_exe()?.with_file_name("differ-db");
    let mut set = history.load(corpora, &db)?.clone();
    set.settings.retry_for_ms = 0;
    Ok(set)
}

fn leak(set: Embedded) -> &'static Embedded {
    Box::leak(Box::new(set))
}

fn go_through(
    server: &TemporaryServer,
    of: &'static histories::History,
    set: Embedded,
    tries: &mut Tries<'_>,
) -> Result<History> {
    let mut history = History { of, unchanged: 0, pairs: Vec::new() };
    let first = until(&set, 0);
    let context = Context::on_throwaway(server, first, Terminal::silent())?;
    let result = &mut history;
    let mut failed = None;
    developer::run(context, async |context| {
        failed = Walk::new(server, context, tries, result).go(&set).await.err();
        Ok(Exit::Done)
    });
    match failed {
        None => Ok(history),
        Some(error) => Err(error.context(format!("the history `{}` cannot be gone through", of.name))),
    }
}

/// The first migrations.
fn until(all: &Embedded, count: usize) -> &'static Embedded {
    let mut set = all.clone();
    set.migrations.to_mut().truncate(count);
    set.repeatables.to_mut().clear();
    leak(set)
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
        Ok(proof) if proof.up.is_same() && proof.down.is_same() => {
            if pair.wrong {
                eprintln!("=== {}\nSILENTLY WRONG", pair.name);
            }
            if !pair.destroyed.is_empty() {
                eprintln!("=== {}\nDESTRUCTIVE WITHOUT NEED: {}", pair.name, pair.destroyed.join(", "));
            }
        }
        Ok(proof) => {
            eprintln!("=== {}\nup: {}\ndown: {}", pair.name, said(&proof.up), said(&proof.down));
            if std::env::var_os("DIFFER_SHOW").is_some() {
                eprintln!("{:#?}", draft.files);
            }
        }
        Err(error) => eprintln!("=== {}\n{error}", pair.name),
    }
}
