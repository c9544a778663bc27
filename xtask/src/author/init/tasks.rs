//! `cargo xtask`: a package of its own, or our tasks in the one that is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::place::{Place, main_of};
use super::plan::Plan;
use super::source::Source;
use super::{manifest, rust};

const LIBRARY: &str = "migrator-xtask";

/// The tasks of ours that have another meaning in this workspace.
#[derive(Debug, Default)]
pub(super) struct Taken(BTreeSet<String>);

impl Taken {
    /// How a task of ours is called here.
    pub(super) fn call(&self, task: &str) -> String {
        let is_taken = task.split(' ').next().is_some_and(|name| self.0.contains(name));
        let own = if is_taken { "migrator " } else { "" };
        format!("cargo xtask {own}{task}")
    }
}

/// How `cargo xtask` will be in this workspace.
pub(super) struct Tasks {
    pub(super) taken: Taken,
    /// Its package is to be made a member.
    pub(super) is_new: bool,
    /// It runs our tasks when all is written; nothing is left to do by hand.
    pub(super) work: bool,
}

/// The workspace's own xtask.
struct Own {
    name: String,
    /// The folder, from the root.
    folder: String,
    /// The file with `fn main`, from the root.
    main: String,
}

/// What `cargo xtask` runs.
enum Found {
    /// Nothing yet.
    Nothing,
    Own(Own),
    /// Our own binary.
    Ours,
    /// A package that is not there: what the alias is, and the name.
    Missing(String, String),
    /// It cannot be said.
    Unknown(String),
}

/// Plans the package or the call, the alias, and says which tasks are left to the workspace.
///
/// # Errors
/// A file cannot be read or edited.
pub(super) fn plan(plan: &mut Plan, place: &Place, source: &Source, names: &[&str]) -> Result<Tasks> {
    let mut configuration = Configuration::read(place)?;
    let mut found = find(place, configuration.alias.as_deref());
    if configuration.is_above && matches!(found, Found::Missing(..) | Found::Unknown(_)) {
        // It is of another workspace; one in the root takes precedence.
        configuration.alias = None;
        found = find(place, None);
    }
    if configuration.alias.is_none() {
        let package = match &found {
            Found::Own(own) => own.name.clone(),
            _ => "xtask".to_owned(),
        };
        plan.edit(configuration.file, |text| manifest::with_alias(text, &package))?;
    }
    match found {
        Found::Nothing => {
            let version = version_line(plan)?;
            let text = include_str!("files/xtask.package.toml").replace("{version}", version);
            let text = text.replace("{xtask}", &source.line(LIBRARY, &place.root.join("xtask")));
            plan.create("xtask/src/main.rs", include_str!("files/xtask.main"))?;
            plan.create("xtask/Cargo.toml", &text)?;
            Ok(Tasks { taken: Taken::default(), is_new: true, work: true })
        }
        Found::Ours => Ok(Tasks { taken: Taken::default(), is_new: false, work: true }),
        Found::Own(own) => join(plan, place, source, names, &own),
        Found::Missing(alias, package) => {
            plan.note(format!(
                "`cargo xtask` runs `{alias}`, and `{package}` is not a package of this workspace\nhelp: make the alias \
                 `run --package xtask --` in `{}`, and run this again",
                configuration.file
            ));
            Ok(Tasks { taken: Taken::default(), is_new: false, work: false })
        }
        Found::Unknown(alias) => {
            plan.note(format!(
                "`cargo xtask` runs `{alias}`, which is not a package of this workspace\nhelp: make it depend on `{LIBRARY}`, \
                 and call `migrator_xtask::intercept(&[])` first in its `main`"
            ));
            Ok(Tasks { taken: Taken::default(), is_new: false, work: false })
        }
    }
}

/// The line for the version of a new package: the workspace's own, where it has one.
///
/// # Errors
/// The manifest cannot be read.
pub(super) fn version_line(plan: &Plan) -> Result<&'static str> {
    let inherits = plan.text("Cargo.toml")?.is_some_and(|manifest| manifest::has_version(&manifest));
    Ok(if inherits { "version.workspace = true" } else { "version = \"1.0.0\"" })
}

/// Cargo's configuration in the root.
struct Configuration {
    /// From the root.
    file: &'static str,
    /// What `cargo xtask` runs there, else in a directory above.
    alias: Option<Vec<String>>,
    is_above: bool,
}

impl Configuration {
    fn read(place: &Place) -> Result<Configuration> {
        // Cargo reads the old name first.
        let names = [".cargo/config", ".cargo/config.toml"];
        let file = if place.root.join(names[0]).is_file() { names[0] } else { names[1] };
        for directory in place.root.ancestors() {
            let Some(path) = names.iter().map(|name| directory.join(name)).find(|path| path.is_file()) else {
                continue;
            };
            let read = || manifest::alias(fs::read_to_string(&path)?.trim_start_matches('\u{feff}'));
            let alias = read().with_context(|| format!("failed to read `{}`", path.display()))?;
            if alias.is_some() {
                return Ok(Configuration { file, alias, is_above: directory != place.root });
            }
        }
        Ok(Configuration { file, alias: None, is_above: false })
    }
}

fn find(place: &Place, alias: Option<&[String]>) -> Found {
    let Some(words) = alias else {
        return match place.package("xtask").map(|package| own(place, package, None)) {
            None => Found::Nothing,
            Some(Some(own)) => Found::Own(own),
            Some(None) => Found::Unknown("the package `xtask`, which has no binary".to_owned()),
        };
    };
    let option = |names: &[&str]| {
        words.iter().enumerate().find_map(|(index, word)| {
            let (name, value) = word.split_once('=').map_or((&**word, None), |(name, value)| (name, Some(value)));
            names.contains(&name).then(|| value.or(words.get(index + 1).map(String::as_str)))?
        })
    };
    let binary = option(&["--bin"]);
    if let Some(name) = option(&["--package", "-p"]) {
        return match place.package(name) {
            Some(package) if package.name == LIBRARY => Found::Ours,
            Some(package) => own(place, package, binary).map_or(Found::Unknown(words.join(" ")), Found::Own),
            // An alias that is there already, for the package that is to be made.
            None if name == "xtask" => Found::Nothing,
            None => Found::Missing(words.join(" "), name.to_owned()),
        };
    }
    // Beside the workspace, with a manifest of its own.
    let manifest = option(&["--manifest-path"]).map(|path| place.root.join(path));
    let folder = manifest.as_deref().and_then(Path::parent).and_then(|folder| place.below(folder));
    match folder.filter(|folder| place.root.join(folder).join("src/main.rs").is_file()) {
        Some(folder) => {
            let main = format!("{folder}/src/main.rs");
            let name = folder.rsplit('/').next().unwrap_or_default().to_owned();
            Found::Own(Own { name, main, folder })
        }
        None => Found::Unknown(words.join(" ")),
    }
}

fn own(place: &Place, package: &cargo_metadata::Package, binary: Option<&str>) -> Option<Own> {
    let folder = place.below(package.manifest_path.parent()?.as_std_path())?;
    let main = place.below(&main_of(package, binary)?)?;
    Some(Own { name: package.name.to_string(), folder, main })
}

/// Plans the dependency and the call in an xtask that is there.
fn join(plan: &mut Plan, place: &Place, source: &Source, names: &[&str], own: &Own) -> Result<Tasks> {
    let sources = sources(&place.root.join(&own.main))?;
    let taken: BTreeSet<&str> = sources.iter().flat_map(|source| rust::tasks(source, names)).collect();
    let list = taken.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let call = format!(
        "    if let Some(code) = migrator_xtask::intercept(&[{list}]) {{\n        std::process::exit(code);\n    }}"
    );
    let known = Taken(taken.iter().map(|name| (*name).to_owned()).collect());
    if sources.iter().any(|source| rust::uses(source, "migrator_xtask")) {
        return Ok(Tasks { taken: known, is_new: false, work: true });
    }
    let line = source.line(LIBRARY, &place.root.join(&own.folder));
    plan.edit(&join_path(&own.folder, "Cargo.toml"), |text| manifest::with_dependency(text, &line))?;
    let text = plan.text(&own.main)?.unwrap_or_default();
    let is_understood = rust::with_call(&text.replace("\r\n", "\n"), &call).is_some();
    match is_understood {
        true => plan.edit(&own.main, |text| Ok(rust::with_call(text, &call).unwrap_or_default()))?,
        false => plan.note(format!(
            "`{}` has no `fn main()` that could be edited\nhelp: add these lines where your program starts:\n{call}",
            own.main
        )),
    }
    if !taken.is_empty() {
        let names: Vec<String> = taken.iter().map(|name| format!("`{name}`")).collect();
        plan.note(format!(
            "`cargo xtask` has {} of its own, which stay what they are; ours are `{}`, ...",
            names.join(", "),
            known.call(taken.first().copied().unwrap_or_default())
        ));
    }
    if own.name != "xtask" && !own.name.ends_with("-xtask") {
        plan.note(format!(
            "`cargo xtask check` lets only `migrator`, `xtask`, `...-xtask` and `...-tests` depend on the engine: rename `{}`",
            own.name
        ));
    }
    Ok(Tasks { taken: known, is_new: false, work: is_understood })
}

fn join_path(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// The sources of a binary: its file, and those beside it and below.
fn sources(main: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut directories: Vec<PathBuf> = main.parent().map(Path::to_owned).into_iter().collect();
    while let Some(directory) = directories.pop() {
        let entries = fs::read_dir(&directory).with_context(|| format!("failed to read `{}`", directory.display()))?;
        for entry in entries {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                directories.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
                found.extend(fs::read_to_string(&path));
            }
        }
    }
    Ok(found)
}
