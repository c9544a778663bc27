//! The other tools: found where they are installed, or installed below target/.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::machine::said;
use crate::tool::{Kind, Tool};
use crate::workspace;

/// Where a peer comes from.
struct Peer {
    kind: Kind,
    program: &'static str,
    /// A variable that names it.
    variable: &'static str,
    /// The package, its release and the features that it needs for PostgreSQL.
    package: &'static str,
    release: &'static str,
    features: &'static str,
}

const PEERS: [Peer; 4] = [
    Peer {
        kind: Kind::Dbmate,
        program: "dbmate",
        variable: "DBMATE_BIN",
        package: "dbmate",
        release: "2.36.0",
        features: "",
    },
    Peer {
        kind: Kind::Sqlx,
        program: "sqlx",
        variable: "SQLX_BIN",
        package: "sqlx-cli",
        release: "0.9.0",
        features: "postgres,rustls",
    },
    Peer {
        kind: Kind::Refinery,
        program: "refinery",
        variable: "REFINERY_BIN",
        package: "refinery_cli",
        release: "0.10.0",
        features: "postgresql",
    },
    Peer {
        kind: Kind::Diesel,
        program: "diesel",
        variable: "DIESEL_BIN",
        package: "diesel_cli",
        release: "2.3.14",
        features: "postgres",
    },
];

/// The peers that are there, and why the others are not.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) tools: Vec<Tool>,
    pub(crate) absent: Vec<(Kind, String)>,
}

/// Looks for the peers; installs those that are missing if that is wanted.
pub(crate) fn find(install: bool) -> Found {
    let mut found = Found::default();
    for peer in &PEERS {
        let program = match peer.installed() {
            None if install => peer.install(),
            None => Err(anyhow::anyhow!("not installed; `cargo xtask bench --peers` installs it")),
            Some(program) => Ok(program),
        };
        match program {
            Ok(program) => found.tools.push(Tool { kind: peer.kind, program }),
            Err(error) => {
                eprintln!("absent: {}: {error:#}", peer.kind.name());
                found.absent.push((peer.kind, format!("{error:#}")));
            }
        }
    }
    found
}

/// What a tool says of its version.
pub(crate) fn version(tool: &Tool) -> String {
    said(&tool.program.display().to_string(), &["--version"])
}

impl Peer {
    fn installed(&self) -> Option<PathBuf> {
        let named = std::env::var_os(self.variable).map(PathBuf::from);
        let own = self.own();
        let path = std::env::var_os("PATH").unwrap_or_default();
        // npm's wrapper of dbmate starts node first.
        let on_path = std::env::split_paths(&path).map(|folder| folder.join(self.program));
        named.into_iter().chain(own).chain(on_path).find(|program| program.is_file())
    }

    /// Where it is if we have installed it.
    fn own(&self) -> Option<PathBuf> {
        let folder = folder();
        if self.kind != Kind::Dbmate {
            return Some(folder.join("cargo/bin").join(self.program));
        }
        let packages = std::fs::read_dir(folder.join("npm/node_modules/@dbmate")).ok()?;
        packages.flatten().map(|package| package.path().join("bin/dbmate")).find(|program| program.is_file())
    }

    fn install(&self) -> Result<PathBuf> {
        eprintln!("installing {} {}", self.package, self.release);
        let folder = folder();
        std::fs::create_dir_all(&folder)?;
        if self.kind == Kind::Dbmate {
            let package = format!("{}@{}", self.package, self.release);
            let mut npm = Command::new("npm");
            npm.args(["install", "--no-save", "--no-fund", "--no-audit", "--no-update-notifier", "--loglevel=error"]);
            let status = npm.arg("--prefix").arg(folder.join("npm")).arg(package).status().context("npm")?;
            ensure!(status.success(), "npm does not install it");
        } else {
            self.install_by_cargo(&folder)?;
        }
        self.own().filter(|program| program.is_file()).context("it was installed without a program for this machine")
    }

    fn install_by_cargo(&self, folder: &Path) -> Result<()> {
        let mut cargo = workspace::cargo();
        cargo.current_dir(folder).env("CARGO_TARGET_DIR", folder.join("cargo-target"));
        cargo.args(["install", "--quiet", "--locked", "--no-default-features", "--features", self.features]);
        cargo.arg("--root").arg(folder.join("cargo")).args(["--version", self.release, self.package]);
        let status = cargo.status().context("cargo")?;
        ensure!(status.success(), "`cargo install {}` fails", self.package);
        Ok(())
    }
}

fn folder() -> PathBuf {
    workspace::folder().join("peers")
}
