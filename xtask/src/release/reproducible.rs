//! What makes two builds of the same commit the same bytes, in whatever folder and at whatever time.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::cmd;

use crate::workspace::Workspace;

/// How a release is built: what is given to cargo, and the moment that stands for all of its times.
pub(super) struct Recipe {
    /// Arguments of `cargo build`.
    pub(super) arguments: Vec<String>,
    /// Environment variables.
    pub(super) variables: Vec<(String, String)>,
    /// Seconds since 1970.
    pub(super) epoch: u64,
    /// The folders that no file of the release may name.
    folders: Vec<PathBuf>,
}

impl Recipe {
    /// That of a workspace.
    ///
    /// # Errors
    /// SOURCE_DATE_EPOCH is not a number; cargo cannot say where it builds.
    pub(super) fn of(workspace: &Workspace) -> Result<Recipe> {
        let epoch = epoch(workspace)?;
        let target = workspace.metadata()?.target_directory.into_std_path_buf();
        // The last one that fits is taken: the root must come before what is inside it.
        let mut folders = vec![(workspace.root.clone(), "/build"), (target, "/build/target")];
        folders.extend(cargo_home().map(|home| (home, "/cargo")));
        let flags = folders.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
        let mut variables = vec![("SOURCE_DATE_EPOCH".to_owned(), epoch.to_string())];
        let mut arguments = Vec::new();
        // cargo takes the flags of one place only: those of the environment before those of a file.
        match (env::var("CARGO_ENCODED_RUSTFLAGS"), env::var("RUSTFLAGS")) {
            (Ok(own), _) => {
                let all: Vec<String> = own.split('\u{1f}').map(str::to_owned).chain(flags).collect();
                variables.push(("CARGO_ENCODED_RUSTFLAGS".to_owned(), all.join("\u{1f}")));
            }
            (_, Ok(own)) => {
                let all: Vec<String> = own.split_whitespace().map(str::to_owned).chain(flags).collect();
                variables.push(("CARGO_ENCODED_RUSTFLAGS".to_owned(), all.join("\u{1f}")));
            }
            _ => {
                let list: toml_edit::Array = flags.collect();
                arguments.extend(["--config".to_owned(), format!("build.rustflags={list}")]);
            }
        }
        Ok(Recipe { arguments, variables, epoch, folders: folders.into_iter().map(|(from, _)| from).collect() })
    }

    /// The folder of this machine that a binary names, if any: another machine would build another one.
    pub(super) fn folder_in(&self, binary: &[u8]) -> Option<&Path> {
        let names = |folder: &&PathBuf| {
            let name = folder.as_os_str().as_encoded_bytes();
            name.len() > 1 && binary.windows(name.len()).any(|window| window == name)
        };
        self.folders.iter().find(names).map(PathBuf::as_path)
    }
}

/// Where cargo keeps the sources of others.
fn cargo_home() -> Option<PathBuf> {
    let set = env::var_os("CARGO_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    set.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))
}

/// The moment of the release: that of the environment, else of the commit, else 1970.
fn epoch(workspace: &Workspace) -> Result<u64> {
    if let Ok(given) = env::var("SOURCE_DATE_EPOCH").map(|given| given.trim().to_owned())
        && !given.is_empty()
    {
        let help = "help: set it to seconds since 1970, or unset it";
        return given.parse().with_context(|| format!("invalid SOURCE_DATE_EPOCH `{given}`\n{help}"));
    }
    let shell = workspace.shell()?;
    let commit = cmd!(shell, "git log -1 --format=%ct").quiet().ignore_stderr().read();
    Ok(commit.ok().and_then(|seconds| seconds.trim().parse().ok()).unwrap_or(0))
}
