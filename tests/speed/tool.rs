//! The programs that are compared, and how each is told to apply everything that is pending.

use std::path::{Path, PathBuf};

use crate::server::Place;

/// A program with its arguments and the variables that it is to see.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) variables: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    /// The extended protocol: one message for each statement, one Sync at the end.
    FloorExtended,
    /// Guarded simple queries.
    FloorSimple,
    Psql,
    Dbmate,
    Sqlx,
    Refinery,
    Diesel,
}

/// A program of a kind.
#[derive(Debug, Clone)]
pub(crate) struct Tool {
    pub(crate) kind: Kind,
    pub(crate) program: PathBuf,
}

impl Kind {
    /// As the page names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Ours => "us",
            Kind::FloorExtended => "floor",
            Kind::FloorSimple => "floor, simple",
            Kind::Psql => "psql",
            Kind::Dbmate => "dbmate",
            Kind::Sqlx => "sqlx",
            Kind::Refinery => "refinery",
            Kind::Diesel => "diesel",
        }
    }

    /// Whether it keeps a history, so that running it again does nothing.
    pub(crate) fn has_history(self) -> bool {
        self != Kind::Psql
    }

    /// Another migration tool.
    pub(crate) fn is_peer(self) -> bool {
        matches!(self, Kind::Dbmate | Kind::Sqlx | Kind::Refinery | Kind::Diesel)
    }

    /// Whether it comes without TLS and passwords.
    pub(crate) fn is_floor(self) -> bool {
        matches!(self, Kind::FloorExtended | Kind::FloorSimple)
    }
}

impl Tool {
    /// Applies what is pending of the forms in a folder. `history`: the table of dbmate's history, where its default is taken.
    pub(crate) fn up(&self, folder: &Path, place: &Place, history: Option<&str>) -> Line {
        let below = |name: &str| folder.join(name).display().to_string();
        let url = place.url();
        let line = |arguments: &[&str], variables: &[(&str, &str)]| Line {
            program: self.program.clone(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            variables: variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
        };
        let floor = |protocol: &str| {
            line(&["up", &place.socket().display().to_string(), &place.database, &below("floor"), protocol], &[])
        };
        match self.kind {
            // The tests' own migrator reads the directory when it starts.
            Kind::Ours if self.program.ends_with("dir-migrator") => {
                line(&[&below("db"), "up"], &[("DATABASE_URL", &url)])
            }
            Kind::Ours => line(&["up"], &[("DATABASE_URL", &url)]),
            Kind::FloorExtended => floor("extended"),
            Kind::FloorSimple => floor("simple"),
            Kind::Psql => line(&["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", &below("all.sql"), &url], &[]),
            Kind::Dbmate => {
                let (url, migrations) = (place.dbmate_url(), below("db/migrations"));
                let mut arguments = vec!["--url", &url, "--migrations-dir", &migrations, "--no-dump-schema"];
                arguments.extend(["--env-file", "/dev/null"]);
                arguments.extend(history.iter().flat_map(|table| ["--migrations-table", table]));
                arguments.push("migrate");
                line(&arguments, &[])
            }
            Kind::Sqlx => {
                let source = below("sqlx");
                line(&["migrate", "run", "--no-dotenv", "--source", &source], &[("DATABASE_URL", &place.sqlx_url())])
            }
            Kind::Refinery => {
                let source = below("refinery");
                line(&["migrate", "-e", "DATABASE_URL", "-p", &source], &[("DATABASE_URL", &url)])
            }
            Kind::Diesel => {
                let source = below("diesel");
                line(&["migration", "run", "--migration-dir", &source], &[("DATABASE_URL", &url)])
            }
        }
    }
}
