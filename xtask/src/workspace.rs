//! The workspace that the command was called in, and the programs that know more about it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use cargo_metadata::{Artifact, CargoOpt, Message, Metadata, MetadataCommand, Package, TargetKind};
use xshell::Shell;

use crate::building;

/// The package that embeds `db/`, in every workspace.
pub(crate) const MIGRATOR: &str = "migrator";

/// A cargo workspace with a `db` directory.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
}

/// What cargo has built.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Built {
    pub(crate) executable: PathBuf,
}

impl Workspace {
    /// Finds the workspace around the current directory.
    pub(crate) fn locate() -> Result<Workspace> {
        Workspace::around(Path::new("."))
    }

    /// Finds the workspace around a directory.
    pub(crate) fn around(directory: &Path) -> Result<Workspace> {
        let output = cargo()
            .current_dir(directory)
            .args(["locate-project", "--workspace", "--message-format", "plain"])
            .output()
            .context("failed to run `cargo locate-project`")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            if let Some(manifest) = manifest_at_fault(directory) {
                let said = said.trim().trim_start_matches("error: ");
                bail!("cargo cannot read `{}`: {said}", manifest.display());
            }
            bail!("no cargo workspace around the current directory: {}", said.trim().trim_start_matches("error: "));
        }
        let manifest = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        let root = manifest.parent().context("`cargo locate-project` named no directory")?;
        Ok(Workspace { root: root.to_owned() })
    }

    /// The directory with the SQL.
    pub(crate) fn db(&self) -> PathBuf {
        self.root.join("db")
    }

    /// A shell in the root.
    pub(crate) fn shell(&self) -> Result<Shell> {
        let shell = Shell::new()?;
        shell.change_dir(&self.root);
        Ok(shell)
    }

    /// `cargo metadata`, with every optional dependency switched on.
    pub(crate) fn metadata(&self) -> Result<Metadata> {
        let mut ask = MetadataCommand::new();
        ask.cargo_path(program()).current_dir(&self.root).features(CargoOpt::AllFeatures);
        ask.exec().context("failed to read the workspace with `cargo metadata`")
    }

    /// The packages that are members; no lock file is read or written.
    pub(crate) fn members(&self) -> Result<Vec<Package>> {
        let mut ask = MetadataCommand::new();
        ask.cargo_path(program()).current_dir(&self.root).no_deps();
        let metadata = ask.exec().context("failed to read the workspace with `cargo metadata`")?;
        let is_member = |package: &Package| metadata.workspace_members.contains(&package.id);
        Ok(metadata.packages.iter().filter(|package| is_member(package)).cloned().collect())
    }

    /// The version of the migrator's package, which the history records as the release.
    ///
    /// # Errors
    /// There is no such package.
    pub(crate) fn release(&self) -> Result<String> {
        let members = self.members()?;
        let package = members.iter().find(|package| package.name == MIGRATOR);
        let package = package.with_context(|| format!("the workspace has no package `{MIGRATOR}`"))?;
        Ok(package.version.to_string())
    }

    /// Builds the migrator; cargo's own messages go to stderr. `None`: the build failed and cargo has said why.
    pub(crate) fn build_migrator(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Option<Built>> {
        self.build(MIGRATOR, arguments, variables)
    }

    /// Builds the binary of a package; as [`Workspace::build_migrator`].
    ///
    /// Only this one package is selected: cargo would unite the features of several.
    pub(crate) fn build(&self, package: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Option<Built>> {
        let mut build = cargo();
        build.current_dir(&self.root).args(["build", "--package", package]);
        build.args(arguments).arg("--message-format=json-render-diagnostics");
        let Some(messages) = building::run(build.envs(variables.iter().copied()))? else { return Ok(None) };
        let built = built(package, &messages).with_context(|| {
            let help = if package == MIGRATOR { "\nhelp: its src/main.rs is `migrator_engine::main!();`" } else { "" };
            format!("the package `{package}` has no binary{help}")
        })?;
        Ok(Some(built))
    }
}

/// The manifest around a directory that is not valid TOML, else the nearest one; `None`: there is none.
fn manifest_at_fault(directory: &Path) -> Option<PathBuf> {
    let directory = std::path::absolute(directory).ok()?;
    let manifests = || directory.ancestors().map(|above| above.join("Cargo.toml")).filter(|path| path.exists());
    let is_broken = |path: &PathBuf| {
        std::fs::read_to_string(path).is_ok_and(|text| text.parse::<toml_edit::DocumentMut>().is_err())
    };
    manifests().find(is_broken).or_else(|| manifests().next())
}

/// The cargo that runs us: with rustup another one could be first in the PATH.
fn program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// A call of cargo, without what the cargo that runs us has set for this very package.
///
/// A build script may look at those variables, as ring's does: it would run again, and everything above it would be built again, with
/// each `cargo xtask` and with each build from here in turn.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(program());
    let of_package = |name: &str| {
        ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|start| name.starts_with(start))
            || ["CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name)
    };
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(of_package)) {
        command.env_remove(name);
    }
    command
}

/// A path as the user can use it: relative to the current directory if it is below.
pub(crate) fn shown(path: &Path) -> PathBuf {
    let current = env::current_dir().unwrap_or_default();
    path.strip_prefix(&current).unwrap_or(path).to_owned()
}

/// What the messages of `cargo build` say.
fn built(package: &str, messages: &[u8]) -> Option<Built> {
    let artifacts: Vec<Artifact> = Message::parse_stream(messages)
        .filter_map(|message| match message {
            Ok(Message::CompilerArtifact(artifact)) => Some(artifact),
            _ => None,
        })
        .collect();
    let is_binary =
        |artifact: &&Artifact| artifact.executable.is_some() && artifact.target.kind.first() == Some(&TargetKind::Bin);
    let binaries: Vec<&Artifact> = artifacts.iter().filter(is_binary).collect();
    // A package may have further binaries; the one of its own name is meant.
    let binary = binaries.iter().find(|artifact| artifact.target.name == package).or(binaries.first())?;
    Some(Built { executable: binary.executable.clone()?.into_std_path_buf() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_the_binary_of_the_packages_name() {
        let artifact = |name: &str, kind: &str, executable: Option<&str>| {
            let target =
                json!({ "name": name, "kind": [kind], "src_path": "/w/src.rs", "doctest": false, "test": false });
            let profile = json!({
                "opt_level": "0", "debug_assertions": true, "overflow_checks": true, "test": false, "debuginfo": 0
            });
            let message = json!({
                "reason": "compiler-artifact", "package_id": name, "manifest_path": "/w/Cargo.toml", "target": target,
                "profile": profile, "features": [], "filenames": [], "executable": executable, "fresh": false,
            });
            message.to_string()
        };
        let engine = artifact("migrator_engine", "lib", None);
        let script = artifact("build-script-build", "custom-build", Some("/t/build"));
        let other = artifact("a", "bin", Some("/t/a"));
        let own = artifact("migrator", "bin", Some("/t/migrator"));
        let check = |lines: &[&str]| built(MIGRATOR, lines.join("\n").as_bytes()).map(|built| built.executable);
        assert_eq!(check(&[&engine, &script, &other, &own]), Some("/t/migrator".into()));
        assert_eq!(check(&["no json", &other]), Some("/t/a".into()));
        assert_eq!(check(&[&engine, &script]), None);
    }
}
