//! Where the PostgreSQL binaries of this machine are: installed, or fetched.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Context, Error, OLDEST_MAJOR, Result};
use crate::kept;
use crate::user::{ServerUser, blocked_directory};

/// Directories of the usual packages; one `*` each stands for any text inside one component.
const USUAL_DIRECTORIES: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// One installed PostgreSQL server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binaries {
    /// The directory of `initdb` and `postgres`.
    pub(crate) directory: PathBuf,
    /// The major release, such as 15.
    pub(crate) major: u32,
    /// What `postgres --version` says, all of it.
    pub(crate) version: String,
}

impl Binaries {
    /// Finds the server of release `major`, or the newest one where `None`, that `user` can execute: an installed one, else one that
    /// has been fetched; where there is none, it is fetched.
    ///
    /// # Errors
    /// Nothing suitable is installed, and none can be fetched: the message says what to do.
    pub(crate) fn find(major: Option<u32>, user: Option<&ServerUser>) -> Result<Binaries> {
        if let Some(directory) = env::var_os("PG_BIN").filter(|value| !value.is_empty()) {
            return exactly(Path::new(&directory), major, user);
        }
        let mut found = Vec::new();
        let mut out_of_reach = None;
        for directory in candidates() {
            match user.and_then(|user| blocked_directory(&directory, user)) {
                Some(blocked) if has_server(&directory) => out_of_reach = Some((directory, blocked)),
                _ => found.extend(inspect(&directory).ok()),
            }
        }
        if let Some(chosen) = choose(&found, major) {
            return Ok(chosen.clone());
        }
        let fetched: Vec<Binaries> =
            kept::directories().iter().filter_map(|directory| inspect(directory).ok()).collect();
        if let Some(chosen) = choose(&fetched, major) {
            return Ok(chosen.clone());
        }
        if let (Some((directory, blocked)), Some(user)) = (out_of_reach, user) {
            return Err(Error::ProgramsOutOfReach { user: user.name.clone(), blocked, directory });
        }
        Binaries::fetch(major, user)
    }

    /// Fetches the server of release `major`, or the one that is preferred where `None`, unless it has been fetched before.
    ///
    /// # Errors
    /// There is none to fetch for this machine or of this release, or it cannot be had, kept or executed.
    pub(crate) fn fetch(major: Option<u32>, user: Option<&ServerUser>) -> Result<Binaries> {
        let directory = kept::fetch(major, user)?;
        if let Some((user, blocked)) = user.and_then(|user| Some((user, blocked_directory(&directory, user)?))) {
            return Err(Error::ProgramsOutOfReach { user: user.name.clone(), blocked, directory });
        }
        inspect(&directory)
    }

    /// The path of one program.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// `PG_BIN` is an order, not a hint: what is wrong with that directory is an error and nothing else is looked at.
fn exactly(directory: &Path, major: Option<u32>, user: Option<&ServerUser>) -> Result<Binaries> {
    let unusable = |source| Error::PgBin { directory: directory.to_owned(), source: Box::new(source) };
    let unfit = |found, needed| Error::PgBinRelease { directory: directory.to_owned(), found, needed };
    if let Some((user, blocked)) = user.and_then(|user| Some((user, blocked_directory(directory, user)?))) {
        let (user, directory) = (user.name.clone(), directory.to_owned());
        return Err(unusable(Error::ProgramsOutOfReach { user, blocked, directory }));
    }
    let found = inspect(directory).map_err(unusable)?;
    match major {
        Some(major) if major != found.major => Err(unfit(found.major, Some(major))),
        _ if found.major < OLDEST_MAJOR => Err(unfit(found.major, None)),
        _ => Ok(found),
    }
}

/// Of several equal ones the first wins: the search order is the user's preference.
fn choose(found: &[Binaries], major: Option<u32>) -> Option<&Binaries> {
    match major {
        Some(major) => found.iter().find(|binaries| binaries.major == major),
        None => found.iter().rev().filter(|binaries| binaries.major >= OLDEST_MAJOR).max_by_key(|found| found.major),
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut all = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        all.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    all.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    all.extend(USUAL_DIRECTORIES.iter().flat_map(|pattern| expand(pattern)));
    let mut distinct: Vec<PathBuf> = Vec::new();
    for directory in all {
        // A link in /usr/local/bin is the same server as the directory that it leads to; only the latter has all programs.
        let Ok(server) = fs::canonicalize(directory.join("postgres")) else { continue };
        if let Some(directory) = server.parent()
            && !distinct.iter().any(|known| known == directory)
        {
            distinct.push(directory.to_owned());
        }
    }
    distinct
}

/// The existing paths that a pattern with one `*` stands for.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else { return vec![PathBuf::from(pattern)] };
    let Some((parent, prefix)) = before.rsplit_once('/') else { return Vec::new() };
    let (suffix, rest) = after.split_once('/').unwrap_or((after, ""));
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let fits = |name: &OsStr| name.to_str().is_some_and(|name| name.starts_with(prefix) && name.ends_with(suffix));
    entries.flatten().filter(|entry| fits(&entry.file_name())).map(|entry| entry.path().join(rest)).collect()
}

/// `pg_config` and a client package point at directories without a server.
fn has_server(directory: &Path) -> bool {
    directory.join("initdb").is_file() && directory.join("postgres").is_file()
}

fn inspect(directory: &Path) -> Result<Binaries> {
    if !has_server(directory) {
        return Err(Error::ProgramsMissing { directory: directory.to_owned() });
    }
    let program = directory.join("postgres");
    let output = Command::new(&program)
        .arg("--version")
        .output()
        .with_context(|| format!("failed to run `{} --version`", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(major) = major_of(&text) else {
        return Err(Error::UnknownRelease { program, said: text.trim().to_owned() });
    };
    Ok(Binaries { directory: directory.to_owned(), major, version: text.trim().to_owned() })
}

/// `postgres (PostgreSQL) 18beta1 (Debian ...)` -> 18.
fn major_of(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL)")?.1.trim_start();
    number[..number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len())].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_major_of_releases_betas_and_distributions() {
        for (text, expected) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("postgres (PostgreSQL) 18beta1", Some(18)),
            ("postgres (PostgreSQL) 13", Some(13)),
            ("postgres (EnterpriseDB) 17.1", None),
            ("postgres (PostgreSQL) devel", None),
        ] {
            assert_eq!(major_of(text), expected, "{text}");
        }
    }

    #[test]
    fn prefers_the_major_of_the_cluster_else_the_newest_and_then_the_first_found() {
        let found = [("/a", 15), ("/b", 17), ("/c", 17), ("/d", 12)].map(|(directory, major)| Binaries {
            directory: directory.into(),
            major,
            version: String::new(),
        });
        let chosen = |major| choose(&found, major).map(|binaries| binaries.directory.clone());
        assert_eq!(chosen(None), Some("/b".into()));
        assert_eq!(chosen(Some(15)), Some("/a".into()));
        assert_eq!(chosen(Some(16)), None);
        assert_eq!(choose(&found[3..], None), None, "12 is too old");
    }

    #[test]
    fn expands_one_star_inside_one_component() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["pgsql-15/bin", "pgsql-17/bin", "other-15/bin"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let mut paths = expand(&format!("{}/pgsql-*/bin", folder.path().display()));
        paths.sort();
        assert_eq!(paths, [folder.path().join("pgsql-15/bin"), folder.path().join("pgsql-17/bin")]);
        assert_eq!(expand("/nowhere/*/bin"), Vec::<PathBuf>::new());
    }
}
