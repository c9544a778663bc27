//! Reads a db directory: the names and texts of its files.

use std::fs;
use std::path::{Path, PathBuf};

use migrator_diagnostic::printable;

use crate::contract::unknown_file::{self, IMPORTED, SETTINGS, SQUASHED};
use crate::contract::{file_name, no_directory, unreadable};
use crate::facts;
use crate::file::Name;
use crate::problem::Problem;
use crate::read::bytes::read_file;
use crate::read::encoding;
use crate::read::foreign;
use crate::read::names;
use crate::source::Source;

/// The readable files of a db directory.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    /// The name of the directory itself, the start of every path in messages.
    pub(crate) label: String,
    /// Ascending by the number of the version.
    pub(crate) migrations: Vec<(Name, Source)>,
    /// Name and text, ascending by file name; so are the next two.
    pub(crate) repeatables: Vec<(String, Source)>,
    pub(crate) seeds: Vec<(String, Source)>,
    pub(crate) checks: Vec<(String, Source)>,
    /// Ascending by the number of the version and the name.
    pub(crate) tests: Vec<(Name, Source)>,
    pub(crate) settings: Option<Source>,
    pub(crate) imported: Option<Source>,
    /// The list of what is squashed.
    pub(crate) squashed_list: Option<Source>,
    /// Its files, ascending by the number of the version and the name.
    pub(crate) squashed: Vec<(Name, Source)>,
    /// Ascending by major version.
    pub(crate) facts: Vec<(i32, Source)>,
    /// The same.
    pub(crate) locks: Vec<(i32, Source)>,
}

/// Reads everything that can be read.
pub(crate) fn read(directory: &Path, problems: &mut Vec<Problem>) -> Folder {
    let mut folder = Folder { label: label(directory), ..Folder::default() };
    let Some(entries) = list(directory, &folder.label, problems) else { return folder };
    for entry in &entries {
        problems.extend(unknown_file::at_root(&folder.label, &entry.name, entry.directory));
    }
    let has = |name: &str| entries.iter().any(|entry| entry.directory && entry.name == name);
    let files = |name: &str, problems: &mut Vec<Problem>| {
        let label = format!("{}/{name}", folder.label);
        if has(name) { sql_files(&directory.join(name), &label, name == "migrations", problems) } else { Vec::new() }
    };
    if !has("migrations") {
        problems.push(no_directory::migrations(&format!("{}/migrations", folder.label)));
    }
    let (migrations, repeatables) = (files("migrations", problems), files("repeatable", problems));
    let (seeds, checks) = (files("seeds", problems), files("checks", problems));
    folder.migrations = versioned(migrations, problems);
    folder.tests = versioned(files("tests", problems), problems);
    folder.squashed = versioned(files("squashed", problems), problems);
    folder.repeatables = scripts(repeatables, problems);
    folder.seeds = scripts(seeds, problems);
    folder.checks = scripts(checks, problems);
    for entry in entries.iter().filter(|entry| !entry.directory) {
        if let Some(major) = facts::major(&entry.name) {
            folder.facts.extend(entry.read(problems).map(|source| (major, source)));
        } else if let Some(major) = facts::major_of_locks(&entry.name) {
            folder.locks.extend(entry.read(problems).map(|source| (major, source)));
        } else if entry.name == SETTINGS {
            folder.settings = entry.read(problems);
        } else if entry.name == IMPORTED {
            folder.imported = entry.read(problems);
        } else if entry.name == SQUASHED {
            folder.squashed_list = entry.read(problems);
        }
    }
    folder.facts.sort_by_key(|(major, _)| *major);
    folder.locks.sort_by_key(|(major, _)| *major);
    folder
}

/// A directory `db` with one file, whose bytes have been read already.
pub(crate) fn single(path: &str, bytes: Vec<u8>, problems: &mut Vec<Problem>) -> Folder {
    let mut folder = Folder { label: "db".to_owned(), ..Folder::default() };
    if let Err(problem) = add(&mut folder, path, &format!("db/{path}"), bytes) {
        problems.push(problem);
    }
    folder
}

fn add(folder: &mut Folder, path: &str, label: &str, bytes: Vec<u8>) -> Result<(), Problem> {
    let (directory, file_name) = path.rsplit_once('/').unwrap_or(("", path));
    let scripts = match directory {
        "migrations" | "tests" | "squashed" => {
            let file = (names::migration(label, file_name)?, encoding::decode(label, bytes)?);
            match directory {
                "tests" => folder.tests.push(file),
                "squashed" => folder.squashed.push(file),
                _ => folder.migrations.push(file),
            }
            return Ok(());
        }
        "" if facts::major(file_name).is_some() => {
            let source = encoding::decode(label, bytes)?;
            folder.facts.extend(facts::major(file_name).map(|major| (major, source)));
            return Ok(());
        }
        "" if facts::major_of_locks(file_name).is_some() => {
            let source = encoding::decode(label, bytes)?;
            folder.locks.extend(facts::major_of_locks(file_name).map(|major| (major, source)));
            return Ok(());
        }
        "" if file_name == SETTINGS => {
            folder.settings = Some(encoding::decode(label, bytes)?);
            return Ok(());
        }
        "" if file_name == IMPORTED => {
            folder.imported = Some(encoding::decode(label, bytes)?);
            return Ok(());
        }
        "" if file_name == SQUASHED => {
            folder.squashed_list = Some(encoding::decode(label, bytes)?);
            return Ok(());
        }
        "repeatable" => &mut folder.repeatables,
        "seeds" => &mut folder.seeds,
        "checks" => &mut folder.checks,
        _ => return Err(unknown_file::elsewhere(label)),
    };
    scripts.push((names::script(label, file_name)?, encoding::decode(label, bytes)?));
    Ok(())
}

/// The last component of the directory: `db` for `../db` and for `.` inside it.
pub(crate) fn label(directory: &Path) -> String {
    let absolute = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    absolute.file_name().map_or_else(|| "db".to_owned(), |name| printable::line(&name.to_string_lossy()).into_owned())
}

/// A file or directory.
struct Entry {
    path: PathBuf,
    name: String,
    label: String,
    directory: bool,
}

impl Entry {
    fn read(&self, problems: &mut Vec<Problem>) -> Option<Source> {
        let bytes = read_file(&self.path).map_err(|error| unreadable::problem(&self.label, &error));
        match bytes.and_then(|bytes| encoding::decode(&self.label, bytes)) {
            Ok(source) => Some(source),
            Err(problem) => {
                problems.push(problem);
                None
            }
        }
    }
}

/// What is in a directory, ascending by name.
fn list(directory: &Path, label: &str, problems: &mut Vec<Problem>) -> Option<Vec<Entry>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(match error.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => no_directory::given(label),
                _ => unreadable::problem(label, &error),
            });
            return None;
        }
    };
    let mut list = Vec::new();
    for entry in entries {
        match entry.map_err(|error| unreadable::problem(label, &error)).and_then(|entry| describe(&entry.path(), label))
        {
            Ok(entry) => list.push(entry),
            Err(problem) => problems.push(problem),
        }
    }
    list.sort_by(|a, b| a.name.cmp(&b.name));
    Some(list)
}

fn describe(path: &Path, label: &str) -> Result<Entry, Problem> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let shown = printable::line(&name);
    let label = format!("{label}/{shown}");
    if shown != name {
        return Err(file_name::control_character(&label));
    }
    // Follows symbolic links; a broken one is reported, not skipped.
    let metadata = fs::metadata(path).map_err(|error| unreadable::problem(&label, &error))?;
    Ok(Entry { path: path.to_owned(), name, label, directory: metadata.is_dir() })
}

/// The SQL files of one subdirectory. `README.md`, dotfiles and directories are allowed, anything else is a problem. Leaves
/// out the migrations of another tool.
fn sql_files(directory: &Path, label: &str, migrations: bool, problems: &mut Vec<Problem>) -> Vec<Entry> {
    let entries = list(directory, label, problems).unwrap_or_default();
    if migrations {
        let item = |entry| {
            let Entry { path, name, directory, .. }: &Entry = entry;
            foreign::Item { path, name, directory: *directory }
        };
        let items: Vec<foreign::Item<'_>> = entries.iter().map(item).collect();
        if let Some(problem) = foreign::recognise(label, directory, &items) {
            problems.push(problem);
            return Vec::new();
        }
    }
    let mut files = Vec::new();
    for entry in entries {
        let sql = names::is_sql(&entry.name);
        if entry.directory && sql {
            problems.push(unknown_file::directory_named_like_a_file(&entry.label));
        } else if entry.directory || entry.name == "README.md" || entry.name.starts_with('.') {
            continue;
        } else if sql {
            files.push(entry);
        } else {
            problems.push(unknown_file::not_sql(label, &entry.label));
        }
    }
    files
}

/// Files whose names have a version, ascending by it.
fn versioned(entries: Vec<Entry>, problems: &mut Vec<Problem>) -> Vec<(Name, Source)> {
    let mut files = Vec::new();
    for entry in entries {
        match names::migration(&entry.label, &entry.name) {
            Ok(name) => files.extend(entry.read(problems).map(|source| (name, source))),
            Err(problem) => problems.push(problem),
        }
    }
    files.sort_by(|(a, _), (b, _)| (a.number, &a.version, &a.name).cmp(&(b.number, &b.version, &b.name)));
    files
}

fn scripts(entries: Vec<Entry>, problems: &mut Vec<Problem>) -> Vec<(String, Source)> {
    let mut scripts = Vec::new();
    for entry in entries {
        match names::script(&entry.label, &entry.name) {
            Ok(name) => scripts.extend(entry.read(problems).map(|source| (name, source))),
            Err(problem) => problems.push(problem),
        }
    }
    scripts
}
