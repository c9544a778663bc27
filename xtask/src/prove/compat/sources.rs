//! The queries that a release asks, found in its sources.

mod asks;
mod commit;
mod found;
mod glob;
mod packages;
mod rust;
mod sql;
mod sqlx;
mod statements;
mod tree;
mod working;

#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::{Context, Result};

pub(crate) use self::commit::CommitTree;
use self::found::Harvest;
use self::glob::Glob;
use self::packages::{Packages, is_shipped};
pub(crate) use self::tree::{Content, Tree};
pub(crate) use self::working::WorkingTree;
use super::query::Queries;

/// Where files of SQL are, unless a setting says it.
const QUERIES: &str = "**/queries/**/*.sql";

/// Where else than in Rust sources and in the metadata of sqlx queries are.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Options<'a> {
    /// Patterns of the files of SQL, from the root of the workspace on; none: those in any folder `queries`.
    pub(crate) queries: &'a [String],
    /// A file of statements that a server has recorded: a log, or the rows of pg_stat_statements.
    pub(crate) statements: Option<&'a Path>,
}

/// Finds the queries of a release: in `.sqlx`, in files of SQL, in the literals of Rust sources, and in a file of statements. What is
/// not shipped (tests, benchmarks, examples, migrations, the migrator and the tasks) does not count.
///
/// # Errors
/// A pattern is invalid, the file of statements cannot be read, or git fails. What is in a file is never an error: files that cannot be
/// read are named in [`Queries::unreadable`].
pub(crate) fn collect(tree: &impl Tree, options: Options<'_>) -> Result<Queries> {
    let mut harvest = Harvest::default();
    let packages = Packages::read(tree, &mut harvest)?;
    for name in tree.unnamed().iter().filter(|name| [".rs", ".sql", ".json"].iter().any(|end| name.ends_with(end))) {
        harvest.unreadable(name, "its name is not UTF-8");
    }
    let is_ours =
        |path: &str| packages.of(path).is_some_and(|package| package.is_left_out && !package.folder.is_empty());
    for path in tree.paths().iter().filter(|path| sqlx::is_metadata(path) && is_shipped(path) && !is_ours(path)) {
        with(tree, path, &mut harvest, |text, harvest| sqlx::read(path, text, harvest))?;
    }
    files_of_sql(tree, options.queries, &mut harvest)?;
    rust::Reader::of(tree, &packages).read(&mut harvest)?;
    if let Some(file) = options.statements {
        statements::read(file, &mut harvest).with_context(|| format!("failed to read `{}`", file.display()))?;
    }
    Ok(harvest.merged())
}

/// Reads the files of SQL that the patterns mean.
fn files_of_sql(tree: &impl Tree, patterns: &[String], harvest: &mut Harvest) -> Result<()> {
    let patterns: Vec<Glob> = patterns.iter().map(|pattern| Glob::new(pattern)).collect::<Result<_>>()?;
    let default = [Glob::new(QUERIES)?];
    let (globs, is_set) = if patterns.is_empty() { (&default[..], false) } else { (&patterns[..], true) };
    let mut matched = vec![false; globs.len()];
    for path in tree.paths() {
        let mut is_meant = false;
        for (glob, matched) in globs.iter().zip(&mut matched) {
            let matches = glob.matches(path);
            *matched |= matches;
            is_meant |= matches;
        }
        if is_meant && (is_set || is_shipped(path) && !path.starts_with("db/")) {
            with(tree, path, harvest, |text, harvest| sql::read(path, text, harvest))?;
        }
    }
    for (glob, _) in globs.iter().zip(matched).filter(|(_, matched)| is_set && !matched) {
        harvest.unreadable(glob.text(), "no file matches this pattern");
    }
    Ok(())
}

/// Reads one file.
fn with(tree: &impl Tree, path: &str, harvest: &mut Harvest, read: impl FnOnce(&str, &mut Harvest)) -> Result<()> {
    match tree.read(path)? {
        Content::Text(text) => read(&text, harvest),
        Content::Unreadable(why) => harvest.unreadable(path, why),
        Content::Gone => {}
    }
    Ok(())
}
