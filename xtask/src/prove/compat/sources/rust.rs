//! Rust sources: the string literals that are handed to a client of PostgreSQL.

mod call;
mod modules;
mod scan;
mod scope;
mod search;
mod test_code;
mod text;
mod tokens;
mod value;

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use migrator_engine::words::count;

use self::modules::Modules;
use self::scan::scan;
use self::scope::Scopes;
use self::search::{Asked, Given, Search};
use self::text::Text;
use self::tokens::may_ask;
use self::value::Value;
use super::found::{Found, Harvest};
use super::packages::{Package, Packages, is_shipped, names_client, names_other, uses_builder};
use super::tree::{Content, Tree};
use crate::prove::compat::query::Place;

/// A call with a constant that its file does not have.
struct Pending {
    name: String,
    package: String,
    place: Place,
    counts: bool,
}

/// The constants that are texts, by name: where each is, and the package.
type Constants = HashMap<String, Vec<(String, Vec<Text>)>>;

/// Reads all sources of the packages.
pub(super) struct Reader<'a, T> {
    tree: &'a T,
    packages: &'a Packages,
    modules: Modules<'a, T>,
    pending: Vec<Pending>,
    /// By package, how many files use what makes queries at run time.
    building: HashMap<String, usize>,
}

impl<'a, T: Tree> Reader<'a, T> {
    pub(super) fn of(tree: &'a T, packages: &'a Packages) -> Reader<'a, T> {
        Reader { tree, packages, modules: Modules::of(tree), pending: Vec::new(), building: HashMap::new() }
    }

    /// The queries, and the calls whose text is made at run time.
    ///
    /// # Errors
    /// A file exists and cannot be read.
    pub(super) fn read(mut self, harvest: &mut Harvest) -> Result<()> {
        for path in self.sources(true) {
            match self.tree.read(path)? {
                Content::Text(source) => self.file(path, &source, harvest)?,
                Content::Unreadable(why) => harvest.unreadable(path, why),
                Content::Gone => {}
            }
        }
        self.resolve(harvest)?;
        if harvest.has_unplaced() {
            self.unshipped(harvest)?;
        }
        for package in self.packages.all() {
            let files = self.building.get(&package.folder).copied().unwrap_or_default();
            if let Some(builder) = package.builder.filter(|_| files > 0) {
                let files = count(files, "file");
                let why = format!("`{builder}` makes its queries at run time: what {files} ask is not known");
                harvest.unreadable(&format!("{}Cargo.toml", package.folder), why);
            }
        }
        Ok(())
    }

    /// What may be built for the release, or what is not.
    fn sources(&self, shipped: bool) -> impl Iterator<Item = &'a String> + use<'a, T> {
        let packages = self.packages;
        let is_asker =
            move |path: &&String| packages.of(path).is_none_or(|package| package.may_ask && !package.is_left_out);
        let all = self.tree.paths().iter();
        let is_source = move |path: &&String| path.ends_with(".rs") && is_shipped(path) == shipped;
        all.filter(is_source).filter(|path| !path.starts_with("db/")).filter(is_asker)
    }

    fn file(&mut self, path: &str, source: &str, harvest: &mut Harvest) -> Result<()> {
        let package = self.packages.of(path);
        let folder = package.map_or("", |package| &package.folder);
        let builder = package.and_then(|package| package.builder);
        if builder.is_some_and(|builder| uses_builder(source, builder)) && !self.modules.is_test(path)? {
            *self.building.entry(folder.to_owned()).or_default() += 1;
        }
        if !may_ask(source) {
            return Ok(());
        }
        let has_client = || package.is_some_and(|package| package.has_client) || names_client(source);
        let tokens = match scan(source) {
            Ok(tokens) => tokens,
            Err(why) if has_client() => {
                harvest.unreadable(path, why);
                return Ok(());
            }
            Err(_) => return Ok(()),
        };
        let include = |name: &str, of_package: bool| included(self.tree, folder, path, name, of_package);
        let asked = Search::of(&tokens, Scopes::new(path, source, &include), source);
        if asked.is_empty() || is_of_other(package, source) {
            return Ok(());
        }
        let (has_client, is_test_module) = (has_client(), self.modules.is_test(path)?);
        for Asked { line, is_test, given } in asked {
            if is_test || is_test_module {
                in_tests(&given, harvest);
                continue;
            }
            let place = Place { file: path.to_owned(), line };
            match given {
                Given::Texts(texts) => texts.iter().for_each(|text| add(text, harvest)),
                Given::NoFile(name) => {
                    harvest.unreadable(path, format!("line {line}: the file `{name}` does not exist"))
                }
                Given::Constant { name, counts } => {
                    let counts = counts && has_client;
                    self.pending.push(Pending { name, package: folder.to_owned(), place, counts });
                }
                Given::NotLiteral if has_client => harvest.not_literal(place),
                Given::NotLiteral => {}
            }
        }
        Ok(())
    }

    /// Looks for the texts of tests, benchmarks and examples: the metadata of sqlx has them too.
    fn unshipped(&self, harvest: &mut Harvest) -> Result<()> {
        for path in self.sources(false) {
            let Content::Text(source) = self.tree.read(path)? else { continue };
            if !may_ask(&source) {
                continue;
            }
            let Ok(tokens) = scan(&source) else { continue };
            let folder = self.packages.of(path).map_or("", |package| &package.folder);
            let include = |name: &str, of_package: bool| included(self.tree, folder, path, name, of_package);
            let asked = Search::of(&tokens, Scopes::new(path, &source, &include), &source);
            asked.iter().for_each(|asked| in_tests(&asked.given, harvest));
        }
        Ok(())
    }

    /// Looks for the constants that are in other files than the calls.
    fn resolve(&mut self, harvest: &mut Harvest) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let constants = self.constants()?;
        for Pending { name, package, place, counts } in self.pending.drain(..) {
            let known = constants.get(&name).map(Vec::as_slice).unwrap_or_default();
            let own: Vec<_> = known.iter().filter(|(of, _)| *of == package).collect();
            let meant = if own.is_empty() { known.iter().collect() } else { own };
            match meant.as_slice() {
                [(_, texts)] => texts.iter().for_each(|text| add(text, harvest)),
                _ if counts => harvest.not_literal(place),
                _ => {}
            }
        }
        Ok(())
    }

    /// The texts of the constants that are asked for.
    fn constants(&self) -> Result<Constants> {
        let names: HashSet<&str> = self.pending.iter().map(|pending| &*pending.name).collect();
        let mut constants = Constants::new();
        for path in self.sources(true) {
            let Content::Text(source) = self.tree.read(path)? else { continue };
            if !declares(&source, &names) || self.modules.is_test(path)? {
                continue;
            }
            let Ok(tokens) = scan(&source) else { continue };
            let folder = self.packages.of(path).map_or("", |package| &package.folder);
            let include = |name: &str, of_package: bool| included(self.tree, folder, path, name, of_package);
            for (name, value) in search::constants(&tokens, &mut Scopes::new(path, &source, &include)) {
                if let Value::Texts(texts) = value
                    && names.contains(&*name)
                {
                    constants.entry(name).or_default().push((folder.to_owned(), texts));
                }
            }
        }
        Ok(constants)
    }
}

/// Whether a source speaks SQL with another database.
fn is_of_other(package: Option<&Package>, source: &str) -> bool {
    match package {
        Some(package) if !package.has_other => false,
        Some(package) if !package.has_client => !names_client(source),
        _ => names_other(source) && !names_client(source),
    }
}

/// Whether a source has a constant of one of these names.
fn declares(source: &str, names: &HashSet<&str>) -> bool {
    let ends = |c: char| !(c.is_alphanumeric() || c == '_');
    let after = |word: &'static str| source.split(word).skip(1);
    let mut declared = after("const ").chain(after("static ")).map(|rest| rest.split(ends).next().unwrap_or_default());
    declared.any(|name| names.contains(name))
}

/// Remembers the texts of a call that is not shipped.
fn in_tests(given: &Given, harvest: &mut Harvest) {
    if let Given::Texts(texts) = given {
        texts.iter().for_each(|text| harvest.in_tests(&text.text));
    }
}

/// Adds the statements of a text that ask something.
fn add(text: &Text, harvest: &mut Harvest) {
    for (start, statement) in text.statements() {
        let place = Place { file: text.file.to_string(), line: text.line(start) };
        harvest.query(Found { text: statement.to_owned(), name: None, place, declared: None });
    }
}

/// A file that a source names, from its own folder or from that of the package on.
fn included(tree: &impl Tree, package: &str, source: &str, name: &str, of_package: bool) -> Option<Text> {
    let beside = source.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> =
        if of_package { package } else { beside }.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    match tree.read(&path) {
        Ok(Content::Text(content)) => Some(Text::whole(&path, &content)),
        _ => None,
    }
}
