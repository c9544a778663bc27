//! Clusters as initdb leaves them, kept for the next throw-away server: to copy one takes a tenth of the time.
//!
//! They lie beside the throw-away servers in a directory that only the server's user can enter. Nothing depends on them: what is
//! missing, incomplete, or not beyond doubt ours is left alone, and initdb runs.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::binaries::Binaries;
use super::server;
use super::user::{ServerUser, command, give, spawn_error};

/// What initdb is told; another text is another cluster.
const OPTIONS: [&str; 3] = ["--auth=trust", "--no-sync", "--wal-segsize=1"];

/// An initdb that has not finished within this time never will.
const ABANDONED: Duration = Duration::from_secs(600);

/// What a cluster cannot start without.
const ESSENTIAL: [&str; 3] = ["PG_VERSION", "postgresql.conf", "global/pg_control"];

/// Puts a new cluster into the empty directory `data`, which belongs to the server's user; returns which one was copied, `None`
/// where initdb has made this one.
///
/// # Errors
/// initdb fails.
pub(super) fn fill(
    parent: &Path,
    binaries: &Binaries,
    user: Option<&ServerUser>,
    data: &Path,
) -> Result<Option<PathBuf>> {
    if let Some(entry) = entry(parent, binaries, user)? {
        if copy(&entry, data, user) {
            return Ok(Some(entry));
        }
        empty(data, user)?;
    }
    initdb(binaries, user, data)?;
    Ok(None)
}

/// Puts a cluster of initdb's own into `data`, in place of what is there.
///
/// # Errors
/// initdb fails.
pub(super) fn make(binaries: &Binaries, user: Option<&ServerUser>, data: &Path) -> Result<()> {
    empty(data, user)?;
    initdb(binaries, user, data)
}

/// Throws a kept cluster away that no server can start from.
pub(super) fn discard(entry: &Path, user: Option<&ServerUser>) {
    // First the name, at once, so that nobody takes what is half removed for whole. Two processes may find it broken at the same
    // time: then one of them has nothing to do.
    let Ok(word) = server::random_hex(6) else { return };
    let doomed = entry.with_extension(word);
    if fs::rename(entry, &doomed).is_ok() {
        remove(&doomed, user);
    }
}

/// By the server's user, as everything in its directory. What cannot be removed is tried again later, see [`remove_abandoned`].
fn remove(path: &Path, user: Option<&ServerUser>) {
    let _ = command("rm", user).arg("-rf").arg(path).stdin(Stdio::null()).stderr(Stdio::null()).status();
}

/// The kept cluster for this server; made, if there is none. `None`: none can be kept.
fn entry(parent: &Path, binaries: &Binaries, user: Option<&ServerUser>) -> Result<Option<PathBuf>> {
    let Some(home) = home(parent, user) else { return Ok(None) };
    let entry = home.join(key(binaries)?);
    if is_whole(&entry) {
        return Ok(Some(entry));
    }
    discard(&entry, user);
    remove_abandoned(&home, user);
    let fresh = entry.with_extension(server::random_hex(6)?);
    initdb(binaries, user, &fresh)?;
    // Never half a cluster under that name: somebody else's, made meanwhile, is as good, and the name is taken.
    if fs::rename(&fresh, &entry).is_err() {
        remove(&fresh, user);
    }
    Ok(is_whole(&entry).then_some(entry))
}

/// `migrator-clusters-<uid>`, if it is a directory that belongs to the server's user and that nobody else can enter. In a
/// directory where everybody can write, anybody could have put it there: a link or another owner's is not used.
fn home(parent: &Path, user: Option<&ServerUser>) -> Option<PathBuf> {
    let owner = user.map_or_else(|| rustix::process::geteuid().as_raw(), |user| user.uid);
    let home = parent.join(format!("migrator-clusters-{owner}"));
    if fs::symlink_metadata(&home).is_err() {
        let fresh = home.with_extension(server::random_hex(6).ok()?);
        fs::DirBuilder::new().mode(0o700).create(&fresh).ok()?;
        // Under its name only once it has its owner. Whoever was faster has made the same.
        if give(&fresh, user).is_err() || fs::rename(&fresh, &home).is_err() {
            let _ = fs::remove_dir(&fresh);
        }
    }
    let found = fs::symlink_metadata(&home).ok()?;
    (found.is_dir() && found.uid() == owner && found.mode() & 0o777 == 0o700).then_some(home)
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
    let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{}-{hex}", binaries.major))
}

fn is_whole(entry: &Path) -> bool {
    ESSENTIAL.iter().all(|name| fs::symlink_metadata(entry.join(name)).is_ok_and(|file| file.is_file()))
}

/// By the server's user: root must not follow where another user's links lead.
fn copy(entry: &Path, data: &Path, user: Option<&ServerUser>) -> bool {
    let identity = |path: &Path| fs::symlink_metadata(path).map(|directory| (directory.dev(), directory.ino())).ok();
    let original = identity(entry);
    let mut copy = command("cp", user);
    copy.arg("-R").arg(entry.join(".")).arg(data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Still under its name: so nobody has begun to remove it while it was copied.
    copy.status().is_ok_and(|status| status.success()) && original.is_some() && identity(entry) == original
}

fn initdb(binaries: &Binaries, user: Option<&ServerUser>, data: &Path) -> Result<()> {
    server::initdb(binaries, user, data, &OPTIONS, |_| {})
}

fn empty(data: &Path, user: Option<&ServerUser>) -> Result<()> {
    let program = Path::new("sh");
    let mut remove = command(program, user);
    remove.args(["-c", "rm -rf \"$1\" && mkdir -m 700 \"$1\"", "empty"]).arg(data).stdin(Stdio::null());
    let output = remove.output().map_err(|error| spawn_error(&error, program, user))?;
    anyhow::ensure!(
        output.status.success(),
        "failed to empty `{}`: {}",
        data.display(),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

/// What a killed process has left.
fn remove_abandoned(home: &Path, user: Option<&ServerUser>) {
    let Ok(entries) = fs::read_dir(home) else { return };
    let is_old = |path: &PathBuf| {
        let changed = fs::symlink_metadata(path).and_then(|entry| entry.modified()).unwrap_or(SystemTime::now());
        path.extension().is_some() && changed.elapsed().is_ok_and(|age| age > ABANDONED)
    };
    for path in entries.flatten().map(|entry| entry.path()).filter(is_old) {
        remove(&path, user);
    }
}
