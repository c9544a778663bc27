//! Reads, checks and embeds a db directory of PostgreSQL migrations at build time.
//!
//! A workspace has one package for its migrator binary, whose build script is
//!
//! ```no_run
//! migrator_build::embed("../db");
//! ```
//!
//! Every mistake in the directory is a build error, all of them at once, each with file, line, column and the way out.
//! [`load`] does the same for programs that want the data, [`generate`] writes it as Rust.

use std::path::Path;

mod checksum;
mod classify;
mod code;
mod document;
mod duration;
mod embed;
mod encoding;
mod folder;
mod generate;
mod lexer;
mod markers;
mod migration;
mod names;
mod nearest;
mod options;
mod problem;
mod script;
pub mod set;
mod settings;
mod source;
mod statements;
mod words;

pub use embed::embed;
pub use generate::generate;
pub use problem::{Code, Problem, Problems, Severity};

use set::Set;

/// A directory without errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Everything in it.
    pub set: Set,
    /// What is worth a look, sorted by file, line and column.
    pub warnings: Vec<Problem>,
}

/// Reads and checks a db directory. Writes nothing, prints nothing.
///
/// # Errors
///
/// Everything that is wrong in the directory, warnings among it, if at least one problem is an error.
pub fn load(dir: &Path) -> Result<Loaded, Problems> {
    let mut problems = Vec::new();
    let set = read(dir, &mut problems);
    problem::sort(&mut problems);
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(Problems(problems));
    }
    Ok(Loaded { set, warnings: problems })
}

fn read(dir: &Path, problems: &mut Vec<Problem>) -> Set {
    let folder = folder::read(dir, problems);
    let digest = digest(&folder);
    let settings = set::Settings::default();
    let scripts = |scripts: Vec<(String, source::Source)>, problems: &mut Vec<Problem>| {
        scripts.into_iter().map(|(name, source)| script::read(name, source, problems)).collect()
    };
    Set {
        migrations: folder
            .migrations
            .into_iter()
            .filter_map(|(name, source)| migration::read(name, source, problems))
            .collect(),
        repeatables: scripts(folder.repeatables, problems),
        seeds: scripts(folder.seeds, problems),
        checks: scripts(folder.checks, problems),
        settings,
        digest,
    }
}

/// Over the paths inside the directory and the normalised texts: where the directory lies does not matter.
fn digest(folder: &folder::Folder) -> String {
    let scripts = folder.repeatables.iter().chain(&folder.seeds).chain(&folder.checks).map(|(_, source)| source);
    let sources = folder.migrations.iter().map(|(_, source)| source).chain(scripts).chain(&folder.settings);
    checksum::texts(sources.map(|source| (&source.file[folder.label.len()..], source.text.as_str())))
}
