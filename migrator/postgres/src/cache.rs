//! Clusters as initdb leaves them, kept for the next throwaway server: to copy one takes a tenth of the time.
//!
//! They lie beside the throwaway servers in a directory that only the server's user can enter. Nothing depends on them: what is
//! missing, incomplete, or not beyond doubt ours is left alone, and initdb runs. They let no one in: a server that starts from a
//! copy brings its own pg_hba.conf.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Dir, FileType, statat};
use sha2::{Digest, Sha256};

use crate::binaries::Binaries;
use crate::error::{Context, Error, Result};
use crate::files::{open_directory, random_hex, remove_as};
use crate::server;
use crate::user::{ServerUser, command, give, owner, spawn_error};

/// What initdb is told; another text is another cluster.
const OPTIONS: [&str; 3] = ["--auth=reject", "--no-sync", "--wal-segsize=1"];

/// An initdb that has not finished within this time never will.
const ABANDONED: Duration = Duration::from_secs(600);

/// So many clusters of 33 MB each are kept, the newest.
const MOST_KEPT: usize = 12;

/// Copies the cluster in `$1` into `$2`, by the server's user: root must not follow where another user's links lead. Without these
/// files no server starts. In the end it is still under its name: so no one has begun to remove it while it was copied.
const COPY: &str = r#"
cd "$1" || exit 1
for file in PG_VERSION postgresql.conf global/pg_control; do [ -f "$file" ] && [ ! -L "$file" ] || exit 1; done
cp -R . "$2" && [ "$1" -ef . ]
"#;

/// A kept cluster.
pub(crate) struct Entry {
    home: OwnedFd,
    directory: PathBuf,
    name: String,
}

/// Puts a new cluster into the empty directory `data`, which belongs to the server's user; returns which one was copied, `None`
/// where initdb has made this one.
///
/// # Errors
/// initdb fails.
pub(crate) fn fill(
    parent: &Path,
    binaries: &Binaries,
    user: Option<&ServerUser>,
    data: &Path,
) -> Result<Option<Entry>> {
    if let Some(entry) = entry(parent, binaries, user, data)? {
        return Ok(Some(entry));
    }
    make(binaries, user, data)?;
    Ok(None)
}

/// Puts a cluster of initdb's own into `data`, in place of what is there.
///
/// # Errors
/// initdb fails.
pub(crate) fn make(binaries: &Binaries, user: Option<&ServerUser>, data: &Path) -> Result<()> {
    empty(data, user)?;
    initdb(binaries, user, data)
}

impl Entry {
    /// Throws a kept cluster away that no server can start from.
    pub(crate) fn discard(&self, user: Option<&ServerUser>) {
        // First the name, at once, so that no one takes what is half removed for whole. Two processes may find it broken at the
        // same time: then one of them has nothing to do.
        let Ok(doomed) = self.beside() else { return };
        if self.rename(&self.name, &doomed) {
            // What cannot be removed is tried again later, see [`remove_abandoned`].
            remove_as(user, &self.directory.join(doomed));
        }
    }

    /// A new name, which [`remove_abandoned`] recognises.
    fn beside(&self) -> Result<String> {
        Ok(format!("{}.{}", self.name, random_hex(6)?))
    }

    /// By descriptor: the directory is the server user's, who can make its name lead elsewhere, and we may be root.
    fn rename(&self, from: &str, to: &str) -> bool {
        rustix::fs::renameat(&self.home, from, &self.home, to).is_ok()
    }

    /// False where there is no whole cluster of this name.
    fn copy(&self, data: &Path, user: Option<&ServerUser>) -> bool {
        let mut copy = command("sh", user);
        copy.args(["-c", COPY, "copy"]).arg(self.directory.join(&self.name)).arg(data);
        copy.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        copy.status().is_ok_and(|status| status.success())
    }
}

/// Copies the kept cluster for this server; it is made, if there is none. `None`: none can be kept.
fn entry(parent: &Path, binaries: &Binaries, user: Option<&ServerUser>, data: &Path) -> Result<Option<Entry>> {
    let Some((home, directory)) = home(parent, user) else { return Ok(None) };
    let entry = Entry { home, directory, name: key(binaries)? };
    if entry.copy(data, user) {
        return Ok(Some(entry));
    }
    empty(data, user)?;
    entry.discard(user);
    remove_abandoned(&entry, user);
    let fresh = entry.beside()?;
    initdb(binaries, user, &entry.directory.join(&fresh))?;
    // Never half a cluster under that name: another process's, made meanwhile, is as good, and the name is taken.
    if !entry.rename(&fresh, &entry.name) {
        remove_as(user, &entry.directory.join(&fresh));
    }
    discard_surplus(&entry, user);
    Ok(entry.copy(data, user).then_some(entry))
}

/// `migrator-clusters-<uid>`, if it is a directory that belongs to the server's user and that no one else can enter. In a
/// directory where everyone can write, anyone could have put it there: a link or another owner's is not used.
fn home(parent: &Path, user: Option<&ServerUser>) -> Option<(OwnedFd, PathBuf)> {
    let directory = parent.join(format!("migrator-clusters-{}", owner(user)));
    if fs::symlink_metadata(&directory).is_err() {
        let fresh = directory.with_extension(random_hex(6).ok()?);
        fs::DirBuilder::new().mode(0o700).create(&fresh).ok()?;
        // Under its name only once it has its owner. Another process that was faster has made the same.
        if give(&fresh, user).is_err() || fs::rename(&fresh, &directory).is_err() {
            let _ = fs::remove_dir(&fresh);
        }
    }
    let home = open_directory(&directory).ok()?;
    let found = fs::File::from(home.try_clone().ok()?).metadata().ok()?;
    (found.uid() == owner(user) && found.mode() & 0o777 == 0o700).then_some((home, directory))
}

/// Names a cluster after all that decides how it looks: the very binaries, their release, the options.
fn key(binaries: &Binaries) -> Result<String> {
    let mut hash = Sha256::new();
    for program in ["initdb", "postgres"] {
        let path = binaries.program(program);
        let file = fs::metadata(&path).with_context(|| format!("failed to look at `{}`", path.display()))?;
        hash.update(format!("{}\0{}\0{}\0{}\0", path.display(), file.len(), file.mtime(), file.mtime_nsec()));
    }
    hash.update(format!("{}\0{}\0{}", binaries.version, OPTIONS.join(" "), server::CHARACTER_TYPE));
    let digest = hash.finalize();
    Ok(format!("{}-{}", binaries.major, hex::encode(&digest[..8])))
}

fn initdb(binaries: &Binaries, user: Option<&ServerUser>, data: &Path) -> Result<()> {
    server::initdb(binaries, user, data, &OPTIONS, |_| {})
}

/// As its owner, who cannot remove the directory itself where it lies in one of ours.
fn empty(data: &Path, user: Option<&ServerUser>) -> Result<()> {
    let program = Path::new("sh");
    let mut remove = command(program, user);
    remove.args(["-c", "cd \"$1\" && rm -rf -- * .[!.]* ..?*", "empty"]).arg(data).stdin(Stdio::null());
    let output = remove.output().map_err(|error| spawn_error(error, program, user))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::ProgramFailed { action: format!("failed to empty `{}`", data.display()), said })
}

/// What a killed process has left.
fn remove_abandoned(entry: &Entry, user: Option<&ServerUser>) {
    // A kept cluster has no dot in its name.
    for (name, made) in kept(&entry.home, |name| Path::new(name).extension().is_some()) {
        if SystemTime::now().duration_since(made).is_ok_and(|age| age > ABANDONED) {
            remove_as(user, &entry.directory.join(name));
        }
    }
}

/// Each update of the server, and each other place of its programs, leaves a cluster that no one will copy again.
fn discard_surplus(entry: &Entry, user: Option<&ServerUser>) {
    let mut whole = kept(&entry.home, |name| Path::new(name).extension().is_none());
    whole.sort_unstable_by_key(|(_, made)| std::cmp::Reverse(*made));
    for (name, _) in whole.into_iter().skip(MOST_KEPT) {
        let (Ok(home), Ok(name)) = (entry.home.try_clone(), name.into_string()) else { continue };
        Entry { home, directory: entry.directory.clone(), name }.discard(user);
    }
}

/// The directories in there whose names fit, and when they were made.
fn kept(home: &OwnedFd, fits: impl Fn(&OsStr) -> bool) -> Vec<(OsString, SystemTime)> {
    let Ok(entries) = Dir::read_from(home) else { return Vec::new() };
    let names = entries.flatten().map(|found| OsString::from_vec(found.file_name().to_bytes().to_owned()));
    let dated = |name: OsString| {
        let found = statat(home, &name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let seconds = u64::try_from(found.st_mtime).unwrap_or_default();
        let made = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        (FileType::from_raw_mode(found.st_mode) == FileType::Directory).then_some((name, made))
    };
    names.filter(|name| name != "." && name != ".." && fits(name)).filter_map(dated).collect()
}
