//! Fetched servers, kept for all workspaces: one directory each, whole or not there.
//!
//! They are executed, so they count only where no other user can have put them there or changed them.

use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Context, Error, Result};
use crate::fetch;
use crate::files::{is_out_of_reach, open_private, random_hex};
use crate::pinned::{self, Archive};
use crate::progress::say;
use crate::unpack::unpack;
use crate::user::{ServerUser, blocked_directory};

/// Root's servers run as another user, who cannot enter root's home.
const OF_THE_MACHINE: &str = "/var/cache/migrator/postgres";

/// What begins like this is being made, or was left by a process that was killed.
const UNFINISHED: &str = ".new-";

/// The directories of programs of all fetched servers: this user's, then the machine's.
pub(crate) fn directories() -> Vec<PathBuf> {
    let archives = pinned::ARCHIVES;
    let homes = own().into_iter().chain(named().is_none().then(|| PathBuf::from(OF_THE_MACHINE)));
    homes.flat_map(|home| archives.iter().filter_map(move |archive| programs_in(&home, archive))).collect()
}

/// The directory of the programs of a server of release `major`, or of any where `None`; fetched unless it is kept already.
///
/// # Errors
/// There is none for this machine or of this release; it cannot be fetched, is not what it should be, or cannot be kept.
pub(crate) fn fetch(major: Option<u32>, user: Option<&ServerUser>) -> Result<PathBuf> {
    let mut archives = pinned::for_this_machine();
    archives.retain(|archive| major.is_none_or(|major| archive.major == major));
    let first = archives.first().ok_or(Error::NothingToFetch { major })?;
    let home = home(user)?;
    let kept = |home: &Path| archives.iter().find_map(|archive| programs_in(home, archive));
    // Who says where the cache is means no other place.
    let of_the_machine = || kept(Path::new(OF_THE_MACHINE)).filter(|_| named().is_none());
    if let Some(programs) = kept(&home).or_else(of_the_machine) {
        return Ok(programs);
    }
    fetch::refuse_offline(first)?;
    make_home(&home)?;
    let _lock = lock(&home)?;
    // Another process may have been faster.
    if let Some(programs) = kept(&home) {
        return Ok(programs);
    }
    remove_unfinished(&home);
    say(&format!(
        "fetching PostgreSQL {} ({} MB), once; it is kept in {}",
        first.release,
        first.length.div_ceil(1_000_000),
        home.display()
    ));
    let room = home.join(format!("{UNFINISHED}{}", random_hex(6)?));
    let made = make_directory(&room).and_then(|()| install(&archives, &home, &room));
    // Nothing is left where it failed, and what is left otherwise is of no use.
    let _ = fs::remove_dir_all(&room);
    let archive = made?;
    programs_in(&home, archive).ok_or_else(|| Error::NotPrivateCache { directory: home.clone() })
}

/// Fetches one of the archives and puts it in its place, whole.
fn install<'a>(archives: &[&'a Archive], home: &Path, room: &Path) -> Result<&'a Archive> {
    let download = room.join("download");
    make_directory(&download)?;
    let (archive, bytes) = fetch::bring(archives, &download)?;
    let server = room.join("server");
    make_directory(&server)?;
    unpack(&bytes, &server)?;
    // A machine that loses power must not find a whole directory with empty files.
    rustix::fs::sync();
    let place = home.join(archive.kept_as());
    fs::rename(&server, &place).with_context(|| format!("failed to create `{}`", place.display()))?;
    Ok(archive)
}

/// The programs of an archive, if it is kept in a directory and no other user can have touched them.
fn programs_in(home: &Path, archive: &Archive) -> Option<PathBuf> {
    let programs = fs::canonicalize(home.join(archive.kept_as()).join(archive.programs)).ok()?;
    is_out_of_reach(&programs).then_some(programs)
}

/// Where this process keeps what it fetches.
///
/// # Errors
/// No place is known, or other users can write there.
fn home(user: Option<&ServerUser>) -> Result<PathBuf> {
    let usable = |home: &Path| user.is_none_or(|user| blocked_directory(&existing(home), user).is_none());
    let home = match own().filter(|home| usable(home)) {
        Some(home) => home,
        None if user.is_some() => PathBuf::from(OF_THE_MACHINE),
        None => return Err(Error::NoCache),
    };
    let existing = existing(&home);
    let real = fs::canonicalize(&existing).with_context(|| format!("failed to find `{}`", existing.display()))?;
    match is_out_of_reach(&real) {
        true => Ok(home),
        // Root by way of `sudo`, with the home of another user.
        false if user.is_some() && named().is_none() => Ok(PathBuf::from(OF_THE_MACHINE)),
        false => Err(Error::NotPrivateCache { directory: existing }),
    }
}

/// The cache directory of the user who runs us, by the rules of the system.
fn own() -> Option<PathBuf> {
    let in_home = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
    let cache = named().or_else(|| Some(absolute("HOME")?.join(in_home)))?;
    Some(cache.join("migrator/postgres"))
}

/// The cache directory that the user has named.
fn named() -> Option<PathBuf> {
    absolute("XDG_CACHE_HOME")
}

fn absolute(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The nearest directory on the way to a path that exists.
fn existing(path: &Path) -> PathBuf {
    path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/")).to_owned()
}

fn make_home(home: &Path) -> Result<()> {
    let missing: Vec<&Path> = home.ancestors().take_while(|path| !path.exists()).collect();
    missing.iter().rev().try_for_each(|path| make_directory(path))
}

/// A directory that everyone can enter and only we can write to, whatever the umask is.
fn make_directory(path: &Path) -> Result<()> {
    let make = || -> io::Result<()> {
        match DirBuilder::new().mode(0o755).create(path) {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            other => other?,
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))
    };
    make().with_context(|| format!("failed to create `{}`", path.display()))
}

/// Held by the one process that fetches; it ends with the value.
fn lock(home: &Path) -> Result<File> {
    let path = home.join("lock");
    let file = open_private(&path).map_err(|error| match error {
        Error::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            Error::NotPrivateCache { directory: home.to_owned() }
        }
        error => error,
    })?;
    if file.try_lock().is_err() {
        say("another process is fetching PostgreSQL: waiting for it");
        file.lock().with_context(|| format!("failed to lock `{}`", path.display()))?;
    }
    Ok(file)
}

/// What killed processes have left; the lock is ours, so none of it is in use.
fn remove_unfinished(home: &Path) {
    let names = fs::read_dir(home).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let is_unfinished = |name: &OsString| name.to_string_lossy().starts_with(UNFINISHED);
    for name in names.filter(is_unfinished) {
        let _ = fs::remove_dir_all(home.join(name));
    }
}
