//! Other differs, on the same pairs, with the same judge.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use migrator_postgres::TemporaryServer;
use migrator_xtask::developer::Context;
use migrator_xtask::engine::ConnectionTarget;
use migrator_xtask::engine::client::Connection;
use migrator_xtask::engine::facts::Facts;

use crate::places::Places;
use crate::walk::wait;

/// How long one of them may take for one direction of a pair, in seconds.
const LIMIT: &str = "60";

/// Another differ that is installed.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// What it says of its release; empty where it does not say.
    version: String,
    program: PathBuf,
    /// What is run, for the page.
    pub(crate) how: &'static str,
    way: Way,
}

/// What it works on.
#[derive(Clone, Copy)]
enum Way {
    /// It compares two databases and prints statements, which psql runs: its arguments, with FROM and TO in the place of the URLs.
    Prints(&'static [&'static str]),
    /// It makes a database as a file of definitions says.
    Applies,
}

/// How migra and those that follow it are run.
const HOW_MIGRA: &str = "`migra --unsafe --with-privileges`, psql";
const AS_MIGRA: Way = Way::Prints(&["--unsafe", "--with-privileges", "FROM", "TO"]);

/// Those that are looked for: the name, the variable that names the program, what is run.
const KNOWN: &[(&str, &str, &str, Way)] = &[
    ("migra", "MIGRA_BIN", HOW_MIGRA, AS_MIGRA),
    // Its successor has the same command line.
    ("migradiff", "MIGRADIFF_BIN", HOW_MIGRA, AS_MIGRA),
    ("@pgkit/migra", "PGKIT_MIGRA_BIN", HOW_MIGRA, Way::Prints(&["FROM", "TO", "--unsafe", "--with-privileges"])),
    (
        "results",
        "RESULTS_BIN",
        "`results dbdiff --with-privileges`, psql",
        Way::Prints(&["dbdiff", "--with-privileges", "FROM", "TO"]),
    ),
    (
        "pg-schema-diff",
        "PG_SCHEMA_DIFF_BIN",
        "`pg-schema-diff diff --no-transaction`, psql",
        Way::Prints(&["diff", "--no-transaction", "--source", "FROM", "--target", "TO"]),
    ),
    ("pgmold", "PGMOLD_BIN", "`pgmold apply --allow-destructive` of what pg_dump shows", Way::Applies),
];

/// What came of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The facts are those that were wanted.
    Exact,
    /// Everything succeeded, and the facts are others.
    Wrong,
    /// It refused, failed, or wrote statements that fail.
    Failed,
}

/// What came of a pair.
pub(crate) struct Outcome {
    /// Up, and down.
    pub(crate) ends: [End; 2],
    /// What both schemas hold by name, and was dropped on the way all the same, where it has led anywhere.
    pub(crate) destroys: [bool; 2],
    pub(crate) took: Duration,
}

/// Those that are named by a variable, or on the search path.
pub(crate) fn found() -> Vec<Peer> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut peers = Vec::new();
    for (name, variable, how, way) in KNOWN {
        let named = std::env::var_os(variable).map(PathBuf::from);
        let on_path = std::env::split_paths(&path).map(|folder| folder.join(name));
        match named.into_iter().chain(on_path).find(|program| program.is_file()) {
            Some(program) => peers.push(Peer { name, version: version(name, &program), program, how, way: *way }),
            None => eprintln!("absent: {name}: not installed; {variable} names it"),
        }
    }
    peers
}

impl Peer {
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// The version that pip or npm has put there, else what the program says of itself.
fn version(name: &str, program: &Path) -> String {
    let said = |program: &Path, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
    };
    let value = |text: &str, before: &str| {
        let (_, rest) = text.split_once(before)?;
        rest.split(['\n', '"']).next().map(|version| version.trim().to_owned())
    };
    let pip = program.with_file_name("pip");
    let package = program.canonicalize().unwrap_or_default();
    let package = package.ancestors().map(|folder| folder.join("package.json")).find(|file| file.is_file());
    let by_pip = pip.is_file().then(|| value(&said(&pip, &["show", name]), "Version: ")).flatten();
    let by_npm = || value(&std::fs::read_to_string(package?).ok()?, "\"version\": \"");
    by_pip
        .or_else(by_npm)
        .unwrap_or_else(|| said(program, &["--version"]).trim().trim_start_matches(name).trim().to_owned())
}

/// A step of a history: the database before it and the one after it.
pub(crate) struct Steps<'a> {
    pub(crate) server: &'a TemporaryServer,
    pub(crate) context: &'a Context,
    pub(crate) root: &'a Connection,
    pub(crate) databases: [&'a str; 2],
}

impl Steps<'_> {
    /// What each of the peers makes of the step, up and down.
    ///
    /// # Errors
    /// The server, a database that cannot be copied.
    pub(crate) async fn outcomes(&self, peers: &[Peer], facts: [&Facts; 2]) -> Result<Vec<Outcome>> {
        let [older, newer] = self.databases;
        let mut outcomes = Vec::new();
        for peer in peers {
            let begun = Instant::now();
            let up = self.end(peer, older, newer, facts[1]).await?;
            let down = self.end(peer, newer, older, facts[0]).await?;
            let took = begun.elapsed();
            outcomes.push(Outcome { ends: [up.0, down.0], destroys: [up.1, down.1], took });
        }
        Ok(outcomes)
    }

    /// How it ends, and whether it has destroyed what it did not have to.
    async fn end(&self, peer: &Peer, from: &str, to: &str, wanted: &Facts) -> Result<(End, bool)> {
        let copy = format!("{}_peer", self.databases[0]);
        wait(self.root, from).await?;
        self.root.client().batch_execute(&format!("CREATE DATABASE {copy} TEMPLATE {from}")).await?;
        let changed = self.change(peer, &copy, to);
        let end = match changed {
            Err(error) => {
                eprintln!("--- {}, {from} to {to}: {error:#}", peer.name);
                End::Failed
            }
            Ok(()) if self.facts(&copy).await?.without_order() == wanted.without_order() => End::Exact,
            Ok(()) => End::Wrong,
        };
        let destroyed = match end {
            End::Failed => Vec::new(),
            _ => self.places(from).await?.destroyed(&self.places(to).await?, &self.places(&copy).await?),
        };
        if !destroyed.is_empty() {
            eprintln!("--- {}, {from} to {to}: DESTRUCTIVE WITHOUT NEED: {}", peer.name, destroyed.join(", "));
        }
        self.root.client().batch_execute(&format!("DROP DATABASE {copy} WITH (FORCE)")).await?;
        Ok((end, !destroyed.is_empty()))
    }

    async fn places(&self, database: &str) -> Result<Places> {
        Places::read(&self.open(database).await?).await
    }

    async fn open(&self, database: &str) -> Result<Connection> {
        let target = ConnectionTarget::read(Some(&self.server.url(database)), |_| None)?;
        Ok(self.context.migrator.open(&target).await?)
    }

    async fn facts(&self, database: &str) -> Result<Facts> {
        let connection = self.open(database).await?;
        let mut facts = connection.facts(&self.context.migrator.tables()).await?;
        facts.ignore(&[], false);
        Ok(facts)
    }

    /// Has the peer make of one database what the other one is.
    fn change(&self, peer: &Peer, database: &str, like: &str) -> Result<()> {
        // Not every client decodes a socket directory in the place of the host.
        let (folder, port) = (self.server.socket_directory().display().to_string(), self.server.port());
        let url = |database: &str| format!("postgresql://postgres@/{database}?host={folder}&port={port}");
        match peer.way {
            Way::Prints(arguments) => {
                let (from, to) = (url(database), url(like));
                let url = |argument: &'static str| match argument {
                    "FROM" => &*from,
                    "TO" => &*to,
                    other => other,
                };
                let arguments: Vec<&str> = arguments.iter().map(|argument| url(argument)).collect();
                let statements = run(&peer.program, &arguments, &[0, 2], "")?;
                let psql = self.server.program_directory().join("psql");
                let quiet = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", &from];
                run(&psql, &quiet, &[0], &statements).map(|_| ())
            }
            Way::Applies => {
                let dump = self.server.program_directory().join("pg_dump");
                let definitions = run(&dump, &["--schema-only", "--no-owner", &url(like)], &[0], "")?;
                let folder = std::env::current_exe()?.with_file_name("differ-wanted.sql");
                std::fs::write(&folder, definitions)?;
                let schema = format!("sql:{}", folder.display());
                let arguments = ["apply", "--schema", &schema, "--database", &url(database), "--allow-destructive"];
                run(&peer.program, &arguments, &[0], "").map(|_| ())
            }
        }
    }
}

/// What a program prints.
fn run(program: &Path, arguments: &[&str], codes: &[i32], input: &str) -> Result<String> {
    let mut command = Command::new("timeout");
    command.arg(LIMIT).arg(program).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("failed to start `{}`", program.display()))?;
    let mut stdin = child.stdin.take().ok_or_else(|| anyhow!("no standard input"))?;
    let input = input.to_owned();
    // It may stop reading at an error.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output()?;
    let _ = writer.join();
    if !output.status.code().is_some_and(|code| codes.contains(&code)) {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        bail!("{} ends with {}: {last}", program.display(), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
