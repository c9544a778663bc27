//! Where the new packages take the libraries from.

use std::path::{Component, Path, PathBuf};

use anyhow::{Result, bail};
use toml_edit::Value;

use crate::output::Usage;

/// Where the libraries come from; by default from where this program was built.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(id = "source", multiple = false)]
pub(super) struct Args {
    /// Depend on the libraries of this release from the registry
    #[arg(long)]
    registry: bool,
    /// Depend on the libraries in a git repository
    #[arg(long, value_name = "URL")]
    git: Option<String>,
    /// Depend on the libraries in a clone of migrator's repository
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

/// The commit in a git repository; by default what its main branch is at.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(id = "reference", multiple = false)]
pub(super) struct Reference {
    /// The tag to depend on
    #[arg(long, requires = "git")]
    tag: Option<String>,
    /// The commit to depend on
    #[arg(long, requires = "git")]
    rev: Option<String>,
    /// The branch to depend on
    #[arg(long, requires = "git")]
    branch: Option<String>,
}

/// The same, decided.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    Registry,
    Git {
        url: String,
        /// `tag`, `rev` or `branch`, and its value.
        reference: Option<(&'static str, String)>,
    },
    /// A clone; absolute, without `..`.
    Path(PathBuf),
}

/// Our libraries that other packages name, and where they are in a clone.
const FOLDERS: [(&str, &str); 3] =
    [("migrator-engine", "migrator/engine"), ("migrator-build", "migrator/compile"), ("migrator-xtask", "xtask")];

impl Source {
    /// What the arguments say, else where this program comes from: the registry, or a clone that is still there.
    ///
    /// # Errors
    /// A path without the libraries; nothing says where they are.
    pub(super) fn choose(args: &Args, reference: &Reference) -> Result<Source> {
        if let Some(url) = &args.git {
            let named = [("tag", &reference.tag), ("rev", &reference.rev), ("branch", &reference.branch)];
            let reference = named.into_iter().find_map(|(key, value)| Some((key, value.clone()?)));
            return Ok(Source::Git { url: url.clone(), reference });
        }
        if let Some(path) = &args.path {
            let path = normal(&std::path::absolute(path)?);
            if !is_clone(&path) {
                let message = format!("`--path {}` has no `{}` in it", path.display(), FOLDERS[0].1);
                return Err(Usage(format!("{message}\nhelp: name a clone of migrator's repository")).into());
            }
            return Ok(Source::Path(path));
        }
        let built_from = Path::new(env!("CARGO_MANIFEST_DIR"));
        if args.registry || built_from.to_string_lossy().contains("/registry/src/") {
            return Ok(Source::Registry);
        }
        match built_from.parent() {
            Some(clone) if is_clone(clone) && !clone.to_string_lossy().contains("/git/checkouts/") => {
                Ok(Source::Path(clone.to_owned()))
            }
            _ => bail!(Usage(
                "say where the libraries come from\nhelp: pass `--registry`, `--git URL` or `--path DIR`".to_owned()
            )),
        }
    }

    /// The line of a manifest in `package` for one of our libraries.
    pub(super) fn line(&self, library: &str, package: &Path) -> String {
        let quoted = |text: &str| Value::from(text).to_string();
        let value = match self {
            Source::Registry => quoted(env!("CARGO_PKG_VERSION")),
            Source::Git { url, reference } => {
                let reference = reference.as_ref().map(|(key, value)| format!(", {key} = {}", quoted(value)));
                format!("{{ git = {}{} }}", quoted(url), reference.unwrap_or_default())
            }
            Source::Path(clone) => {
                let folder = FOLDERS.iter().find(|(name, _)| *name == library).map_or(library, |(_, folder)| folder);
                format!("{{ path = {} }}", quoted(&relative(package, &clone.join(folder)).to_string_lossy()))
            }
        };
        format!("{library} = {value}")
    }
}

fn is_clone(directory: &Path) -> bool {
    FOLDERS.iter().all(|(_, folder)| directory.join(folder).join("Cargo.toml").is_file())
}

/// Without `.` and `..`, by the names alone.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(out.pop()),
            part => out.push(part),
        }
    }
    out
}

/// The way from a directory to another one; absolute where they have nothing but the root in common.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let common = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    if common <= 1 {
        return to.to_owned();
    }
    let up = from.components().skip(common).map(|_| Component::ParentDir);
    up.chain(to.components().skip(common)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_written_for_every_source() {
        let line = |source: &Source| source.line("migrator-build", Path::new("/home/me/shop/migrator"));
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(line(&Source::Registry), format!("migrator-build = \"{version}\""));
        let git = |reference| Source::Git { url: "https://h/m.git".into(), reference };
        assert_eq!(line(&git(None)), "migrator-build = { git = \"https://h/m.git\" }");
        let tagged = git(Some(("tag", "v\"1".into())));
        assert_eq!(line(&tagged), "migrator-build = { git = \"https://h/m.git\", tag = 'v\"1' }");
        let path = |clone: &str| line(&Source::Path(clone.into()));
        assert_eq!(path("/home/me/migrator"), "migrator-build = { path = \"../../migrator/migrator/compile\" }");
        assert_eq!(path("/home/me/shop/vendor/m"), "migrator-build = { path = \"../vendor/m/migrator/compile\" }");
        assert_eq!(path("/opt/m"), "migrator-build = { path = \"/opt/m/migrator/compile\" }");
    }

    #[test]
    fn a_path_without_the_libraries_is_refused() {
        let args = Args { path: Some("/".into()), ..Args::default() };
        assert!(Source::choose(&args, &Reference::default()).unwrap_err().is::<Usage>());
        assert_eq!(normal(Path::new("/a/./b/../c")), Path::new("/a/c"));
        let built_here = Source::choose(&Args::default(), &Reference::default()).unwrap();
        assert!(matches!(built_here, Source::Path(clone) if clone.join("xtask").is_dir()));
    }
}
