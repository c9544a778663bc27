//! Where the new packages take the libraries from.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Result, bail};
use cargo_metadata::{Dependency, Package};
use toml_edit::Value;

use super::place::Place;
use crate::output::Usage;
use crate::workspace::MIGRATOR;

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
#[derive(Debug, Clone, PartialEq, Eq)]
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

impl Args {
    /// Whether one of them says where the libraries come from.
    pub(super) fn is_given(&self) -> bool {
        self.registry || self.git.is_some() || self.path.is_some()
    }
}

/// Where this program was built. `dist` builds it for other machines, where a folder of that name is anybody's.
const BUILT_FROM: Option<&str> = match option_env!("MIGRATOR_DIST") {
    None => Some(env!("CARGO_MANIFEST_DIR")),
    Some(_) => None,
};

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
        let built_from = BUILT_FROM.map(Path::new);
        if args.registry || built_from.is_some_and(|folder| folder.to_string_lossy().contains("/registry/src/")) {
            return Ok(Source::Registry);
        }
        match built_from.and_then(Path::parent) {
            Some(clone) if is_clone(clone) && !clone.to_string_lossy().contains("/git/checkouts/") => {
                Ok(Source::Path(clone.to_owned()))
            }
            _ => bail!(Usage(
                "say where the libraries come from\nhelp: pass `--registry`, `--git URL` or `--path DIR`".to_owned()
            )),
        }
    }

    /// Where a workspace that has its migrator takes the libraries from; else this.
    pub(super) fn of_workspace(&self, place: &Place) -> Source {
        let engine = place.package(MIGRATOR).and_then(|package| dependency(package, FOLDERS[0].0));
        engine.and_then(read).unwrap_or_else(|| self.clone())
    }

    /// The clone, if it is not below that directory.
    pub(super) fn outside(&self, directory: &Path) -> Option<&Path> {
        let Source::Path(clone) = self else { return None };
        let is_below = fs::canonicalize(clone).is_ok_and(|clone| clone.starts_with(directory));
        (!is_below).then_some(clone)
    }

    /// What to say where the packages that are there take the libraries from elsewhere: `init` does not change that.
    pub(super) fn differs(&self, place: &Place) -> Option<String> {
        let mut there = Vec::new();
        for package in place.packages() {
            for (library, _) in FOLDERS {
                let Some(found) = dependency(package, library).and_then(read) else { continue };
                if !found.is_same(self) {
                    let manifest = place.below(package.manifest_path.as_std_path()).unwrap_or_default();
                    there.push(format!("`{library}` in `{manifest}` is {}", found.shown()));
                }
            }
        }
        (!there.is_empty()).then(|| {
            format!(
                "the dependencies stay as they are: {}\nhelp: to change them, edit these manifests",
                there.join(", ")
            )
        })
    }

    fn is_same(&self, other: &Source) -> bool {
        match (self, other) {
            (Source::Path(one), Source::Path(other)) => {
                let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
                real(one) == real(other)
            }
            _ => self == other,
        }
    }

    fn shown(&self) -> String {
        match self {
            Source::Registry => "from the registry".to_owned(),
            Source::Git { url, reference: None } => format!("from `{url}`"),
            Source::Git { url, reference: Some((key, value)) } => format!("from `{url}`, {key} `{value}`"),
            Source::Path(clone) => format!("in `{}`", clone.display()),
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

/// What a package says of that library.
fn dependency<'p>(package: &'p Package, library: &str) -> Option<&'p Dependency> {
    package.dependencies.iter().find(|dependency| dependency.name == library)
}

/// Where it comes from; `None`: from where none of our sources is.
fn read(dependency: &Dependency) -> Option<Source> {
    if let Some(path) = &dependency.path {
        let (_, folder) = FOLDERS.iter().find(|(name, _)| *name == dependency.name)?;
        let path = normal(path.as_std_path());
        return Some(Source::Path(path.ancestors().nth(Path::new(folder).components().count())?.to_owned()));
    }
    let named = dependency.source.as_ref()?.to_string();
    let Some(url) = named.strip_prefix("git+") else { return Some(Source::Registry) };
    let (url, query) = url.split_once('?').unwrap_or((url, ""));
    let reference = ["tag", "rev", "branch"].into_iter().find_map(|key| {
        let value = query.strip_prefix(key)?.strip_prefix('=')?;
        Some((key, value.to_owned()))
    });
    Some(Source::Git { url: url.to_owned(), reference })
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
