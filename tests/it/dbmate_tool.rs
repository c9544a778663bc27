//! The real dbmate, where the environment says that it is there.
#![expect(clippy::print_stderr, reason = "what does not run is said, not passed over in silence")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program in `DBMATE_BIN`, over a directory of migrations and a database.
pub(crate) struct Dbmate<'a> {
    pub(crate) migrations: &'a Path,
    pub(crate) url: String,
    /// The schema in which it works and keeps its history; empty: the default.
    pub(crate) search_path: &'static str,
}

/// True where `MIGRATOR_TEST_DBMATE=1` says that the real dbmate is there, as .ci/run does. Elsewhere a line says that
/// `what` was not run.
pub(crate) fn is_here(what: &str) -> bool {
    let here = std::env::var_os("MIGRATOR_TEST_DBMATE").is_some_and(|value| value == "1");
    if !here {
        eprintln!("not run, because MIGRATOR_TEST_DBMATE is not 1 and .ci/run alone sets it: {what}");
    }
    here
}

impl Dbmate<'_> {
    /// The same place in the way that dbmate writes a socket.
    fn url_of_dbmate(&self) -> String {
        let (user, place, database) = parts(&self.url);
        let (socket, port) = place.rsplit_once(':').unwrap();
        let path = match self.search_path {
            "" => String::new(),
            path => format!("&search_path={path}"),
        };
        format!("postgres://{user}@/{database}?socket={}&port={port}&sslmode=disable{path}", socket.replace("%2F", "/"))
    }

    /// Runs a command of dbmate.
    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        let program = std::env::var_os("DBMATE_BIN").expect("MIGRATOR_TEST_DBMATE=1 needs dbmate's path in DBMATE_BIN");
        let mut command = Command::new(program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG") || name.starts_with("DBMATE_")) {
            command.env_remove(name);
        }
        command.arg("--url").arg(self.url_of_dbmate()).arg("--migrations-dir").arg(self.migrations);
        command.args(["--no-dump-schema", "--env-file", "/dev/null"]).args(arguments).stdin(Stdio::null());
        command.output().expect("DBMATE_BIN cannot be started")
    }

    /// Runs a command of dbmate that has to succeed; its standard output.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "dbmate {arguments:?} over {}:\n{stdout}{stderr}", self.migrations.display());
        stdout.into_owned()
    }
}

/// User, place and database of a URL of our own making.
fn parts(url: &str) -> (&str, &str, &str) {
    let (user, rest) = url.strip_prefix("postgresql://").unwrap().split_once('@').unwrap();
    let (place, database) = rest.split_once('/').unwrap();
    (user, place, database)
}
