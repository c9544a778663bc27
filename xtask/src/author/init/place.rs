//! The workspace as it is before anything is written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use cargo_metadata::{Package, TargetKind};

use crate::workspace::Workspace;

/// A workspace, and what is around it.
pub(super) struct Place {
    /// Without links.
    pub(super) root: PathBuf,
    /// The root has no manifest yet.
    pub(super) is_new: bool,
    /// The members, the root package included.
    packages: Vec<Package>,
    /// The root of the git repository, without links; `None`: there is none, or git cannot read it.
    pub(super) repository: Option<PathBuf>,
}

impl Place {
    /// Looks at the workspace around a directory; one without any manifest above it becomes a workspace.
    ///
    /// # Errors
    /// There is no such directory; cargo cannot read the workspace.
    pub(super) fn find(directory: &Path) -> Result<Place> {
        let shown = directory.display();
        let directory = fs::canonicalize(directory).with_context(|| format!("no directory `{shown}`"))?;
        let is_new = !directory.ancestors().any(|above| above.join("Cargo.toml").exists());
        let (root, packages) = match is_new {
            true => (directory, Vec::new()),
            false => {
                let workspace = Workspace::around(&directory)?;
                let root = fs::canonicalize(&workspace.root).context("failed to find the workspace")?;
                (root, workspace.members()?)
            }
        };
        Ok(Place { repository: repository(&root), root, is_new, packages })
    }

    /// The member of that name.
    pub(super) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// The members.
    pub(super) fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// A path below the root, as people write it; `None`: it is not below.
    pub(super) fn below(&self, path: &Path) -> Option<String> {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        Some(path.strip_prefix(&self.root).ok()?.to_string_lossy().into_owned())
    }

    /// Whether git ignores a path below the root already.
    pub(super) fn ignores(&self, path: &str) -> bool {
        let mut git = Command::new("git");
        git.args(["check-ignore", "--no-index", "--quiet", "--", path]).current_dir(&self.root);
        self.repository.is_some() && git.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    /// The branch that others start from, by what git knows of the remote.
    pub(super) fn main_branch(&self) -> String {
        let said = git(&self.root, &["symbolic-ref", "--short", "refs/remotes/origin/HEAD"]);
        let named = said.as_deref().and_then(|name| name.strip_prefix("origin/"));
        // Only a name that means itself in a workflow.
        let is_plain = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
        named.filter(is_plain).unwrap_or("main").to_owned()
    }
}

/// Whether a package depends on another one, in whatever way.
pub(super) fn depends_on(package: &Package, name: &str) -> bool {
    package.dependencies.iter().any(|dependency| dependency.name == name)
}

/// The source of a package's binary, of the one of that name where several are.
pub(super) fn main_of(package: &Package, name: Option<&str>) -> Option<PathBuf> {
    let binaries = || package.targets.iter().filter(|target| target.kind.contains(&TargetKind::Bin));
    let wanted = name.or(package.default_run.as_deref()).unwrap_or(&package.name);
    let binary = binaries().find(|target| target.name == wanted).or_else(|| binaries().next())?;
    Some(binary.src_path.clone().into_std_path_buf())
}

fn repository(root: &Path) -> Option<PathBuf> {
    fs::canonicalize(git(root, &["rev-parse", "--show-toplevel"])?).ok()
}

fn git(directory: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).current_dir(directory).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}
