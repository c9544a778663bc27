//! Reads a db directory: which files there are, under which names, as text.

use std::fs;
use std::path::{Path, PathBuf};

use migrator_diagnostic::printable;

use crate::nearest::nearest;
use crate::problem::{Code, Problem};
use crate::read::encoding;
use crate::read::facts;
use crate::read::file::read_file;
use crate::read::foreign;
use crate::read::names::{self, Name};
use crate::source::Source;

/// The sub-directories with a meaning; `templates` is read by `cargo xtask new` alone.
const DIRECTORIES: [&str; 5] = ["migrations", "repeatable", "seeds", "checks", "templates"];
const SETTINGS: &str = "migrator.toml";

/// The files of a db directory that could be read.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    /// The name of the directory itself, with which every path in messages starts.
    pub(crate) label: String,
    /// Ascending by the number of the version.
    pub(crate) migrations: Vec<(Name, Source)>,
    /// Name and text, ascending by file name; so are the next two.
    pub(crate) repeatables: Vec<(String, Source)>,
    pub(crate) seeds: Vec<(String, Source)>,
    pub(crate) checks: Vec<(String, Source)>,
    pub(crate) settings: Option<Source>,
    /// Ascending by the major release.
    pub(crate) facts: Vec<(i32, Source)>,
}

/// Reads everything that can be read.
pub(crate) fn read(directory: &Path, problems: &mut Vec<Problem>) -> Folder {
    let mut folder = Folder { label: label(directory), ..Folder::default() };
    let Some(entries) = list(directory, &folder.label, problems) else { return folder };
    for entry in &entries {
        check_known(entry, &folder.label, problems);
    }
    let has = |name: &str| entries.iter().any(|entry| entry.directory && entry.name == name);
    let files = |name: &str, problems: &mut Vec<Problem>| {
        let label = format!("{}/{name}", folder.label);
        if has(name) { sql_files(&directory.join(name), &label, name == "migrations", problems) } else { Vec::new() }
    };
    if !has("migrations") {
        let path = format!("{}/migrations", folder.label);
        let help = "create it, or start with `cargo xtask new init`";
        problems.push(Problem::whole(Code::NoDirectory, &path, format!("there is no directory `{path}`"), help));
    }
    let (migrations, repeatables) = (files("migrations", problems), files("repeatable", problems));
    let (seeds, checks) = (files("seeds", problems), files("checks", problems));
    for entry in migrations {
        match names::migration(&entry.label, &entry.name) {
            Ok(name) => folder.migrations.extend(entry.read(problems).map(|source| (name, source))),
            Err(problem) => problems.push(problem),
        }
    }
    folder.repeatables = scripts(repeatables, problems);
    folder.seeds = scripts(seeds, problems);
    folder.checks = scripts(checks, problems);
    for entry in entries.iter().filter(|entry| !entry.directory) {
        if let Some(major) = facts::major(&entry.name) {
            folder.facts.extend(entry.read(problems).map(|source| (major, source)));
        } else if entry.name == SETTINGS {
            folder.settings = entry.read(problems);
        }
    }
    folder.facts.sort_by_key(|(major, _)| *major);
    folder.migrations.sort_by(|(a, _), (b, _)| (a.number, &a.version).cmp(&(b.number, &b.version)));
    check_duplicates(&folder, problems);
    folder
}

/// A directory `db` that holds one file, which has been read already.
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
        "migrations" => {
            let name = names::migration(label, file_name)?;
            folder.migrations.push((name, encoding::decode(label, bytes)?));
            return Ok(());
        }
        "" if facts::major(file_name).is_some() => {
            let source = encoding::decode(label, bytes)?;
            folder.facts.extend(facts::major(file_name).map(|major| (major, source)));
            return Ok(());
        }
        "" if file_name == SETTINGS => {
            folder.settings = Some(encoding::decode(label, bytes)?);
            return Ok(());
        }
        "repeatable" => &mut folder.repeatables,
        "seeds" => &mut folder.seeds,
        "checks" => &mut folder.checks,
        _ => {
            let help = "the folders are `migrations`, `repeatable`, `seeds` and `checks`";
            return Err(Problem::whole(Code::UnknownFile, label, format!("`{label}` is read by nobody"), help));
        }
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
        let bytes = read_file(&self.path).map_err(|error| unreadable(&self.label, &error));
        match bytes.and_then(|bytes| encoding::decode(&self.label, bytes)) {
            Ok(source) => Some(source),
            Err(problem) => {
                problems.push(problem);
                None
            }
        }
    }
}

fn unreadable(label: &str, error: &std::io::Error) -> Problem {
    let (reason, help) = match error.kind() {
        std::io::ErrorKind::InvalidInput => (error.to_string(), "put an ordinary file in its place, or remove it"),
        std::io::ErrorKind::FileTooLarge => {
            (error.to_string(), "split it, or load data of that size with `psql` and `COPY`")
        }
        kind => (kind.to_string(), "make it readable, or remove it"),
    };
    Problem::whole(Code::Unreadable, label, format!("cannot read `{label}`: {reason}"), help)
}

/// What is in a directory, ascending by name.
fn list(directory: &Path, label: &str, problems: &mut Vec<Problem>) -> Option<Vec<Entry>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(match error.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                    let help = "create it, or correct the path that is given for it";
                    Problem::whole(Code::NoDirectory, label, format!("there is no directory `{label}`"), help)
                }
                _ => unreadable(label, &error),
            });
            return None;
        }
    };
    let mut list = Vec::new();
    for entry in entries {
        match entry.map_err(|error| unreadable(label, &error)).and_then(|entry| describe(&entry.path(), label)) {
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
        let message = format!("the name of `{label}` holds a control character");
        return Err(Problem::whole(
            Code::FileName,
            &label,
            message,
            "rename it: such a name can pass for something else",
        ));
    }
    // Follows symbolic links; one that leads nowhere is named, not skipped.
    let metadata = fs::metadata(path).map_err(|error| unreadable(&label, &error))?;
    Ok(Entry { path: path.to_owned(), name, label, directory: metadata.is_dir() })
}

/// A misspelt `seed/` would otherwise be skipped in silence. Unrelated names are nobody's business.
fn check_known(entry: &Entry, label: &str, problems: &mut Vec<Problem>) {
    let is_facts = facts::major(&entry.name).is_some();
    if is_facts && entry.directory {
        let message = format!("`{}` is a directory", entry.label);
        problems.push(Problem::whole(
            Code::UnknownFile,
            &entry.label,
            message,
            "move it away; `cargo xtask dump` writes the file",
        ));
        return;
    }
    if entry.name.starts_with(facts::PREFIX) {
        if is_facts {
            return;
        }
        let message = format!("`{}` is read by nobody", entry.label);
        let help =
            format!("files of that name end in a major release of PostgreSQL, such as `{label}/{}15`", facts::PREFIX);
        problems.push(Problem::whole(Code::UnknownFile, &entry.label, message, help));
        return;
    }
    let known = if entry.directory { DIRECTORIES.as_slice() } else { &[SETTINGS] };
    if known.contains(&entry.name.as_str()) {
        return;
    }
    let message = if DIRECTORIES.contains(&entry.name.as_str()) {
        format!("`{}` is not a directory", entry.label)
    } else if let Some(meant) = nearest(&entry.name, known.iter().copied()) {
        let help = format!("rename it to `{label}/{meant}`");
        let message = format!("`{}` is read by nobody", entry.label);
        problems.push(Problem::whole(Code::UnknownFile, &entry.label, message, help));
        return;
    } else {
        return;
    };
    problems.push(Problem::whole(Code::UnknownFile, &entry.label, message, "move the file away"));
}

/// The SQL files of one sub-directory; `README.md`, dot files and directories are allowed, anything else is refused.
/// Of migrations that are another tool's all are left out.
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
            let message = format!("`{}` is a directory", entry.label);
            problems.push(Problem::whole(Code::UnknownFile, &entry.label, message, "rename it, or make it a file"));
        } else if entry.directory || entry.name == "README.md" || entry.name.starts_with('.') {
            continue;
        } else if sql {
            files.push(entry);
        } else {
            let message = format!("`{}` is not an SQL file", entry.label);
            let help = format!("move it out of `{label}`; only `*.sql`, `README.md` and dot files may be there");
            problems.push(Problem::whole(Code::UnknownFile, &entry.label, message, help));
        }
    }
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

/// Every version once, compared as a number.
fn check_duplicates(folder: &Folder, problems: &mut Vec<Problem>) {
    let newest = folder.migrations.last().map(|(name, _)| name);
    let width = newest.map_or(0, |name| name.version.len());
    let mut free = newest.and_then(|name| name.number.checked_add(1));
    for pair in folder.migrations.windows(2) {
        let [(a, first), (b, second)] = pair else { continue };
        if a.number != b.number {
            continue;
        }
        let message = if a.version == b.version {
            format!("version `{}` is used twice: `{}` and `{}`", a.version, first.file, second.file)
        } else {
            format!("`{}` and `{}` are the same version: `{}` and `{}`", a.version, b.version, first.file, second.file)
        };
        let help = match free {
            Some(free) => format!(
                "give the one that has not been applied anywhere the next version: rename `{}` to `{free:0width$}_{}.sql`",
                second.file.rsplit('/').next().unwrap_or_default(),
                b.name
            ),
            None => "give the one that has not been applied anywhere a version of its own".to_owned(),
        };
        free = free.and_then(|free| free.checked_add(1));
        problems.push(Problem::whole(Code::VersionUsedTwice, &second.file, message, help));
    }
}
