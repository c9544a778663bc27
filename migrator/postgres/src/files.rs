//! Files beside a server and in its directories, so that no link of another user leads us anywhere.
//!
//! The server's directories belong to its user, who may be another one than we and may be hostile. In them nothing is opened for
//! writing, created, renamed or removed by us: that is done as that user, in a child. What we read there is opened without following
//! links, and counts only where it is a plain file of that user.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::Stdio;

use rustix::fs::{Mode, OFlags};

use crate::error::{Context, Error, Result};
use crate::user::{ServerUser, command, owner, spawn_error};

/// No file that is read in a server's directory is longer.
const LONGEST: u64 = 64 * 1024;

/// A log is looked at from its end.
const END_OF_LOG: u64 = 16 * 1024;

/// A directory itself, not what a link of its name leads to.
pub(crate) fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// The text of a plain file in a directory of the server's user, if that user owns it.
///
/// # Errors
/// It is missing, a link, another user's, or longer than any file that we look at.
pub(crate) fn read_of(user: Option<&ServerUser>, directory: &Path, name: impl AsRef<OsStr>) -> io::Result<String> {
    let directory = open_directory(directory)?;
    // A pipe without a writer would be waited for.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(&directory, name.as_ref(), flags, Mode::empty())?);
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.uid() != owner(user) || metadata.len() > LONGEST {
        return Err(io::Error::other("it is not a plain file of the server's user"));
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// Writes a file that only the server's user can read, as that user.
///
/// # Errors
/// That user cannot write it, or we may not act as that user.
pub(crate) fn write_as(user: Option<&ServerUser>, path: &Path, text: &str) -> Result<()> {
    let program = Path::new("sh");
    let mut write = command(program, user);
    write.args(["-c", "umask 077; cat > \"$1\"", "write"]).arg(path);
    write.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut write = write.spawn().map_err(|error| spawn_error(error, program, user))?;
    // Where the shell cannot open the file it does not read either: what it says is the cause.
    let passed_on = write.stdin.take().map_or(Ok(()), |mut pipe| pipe.write_all(text.as_bytes()));
    let output = write.wait_with_output().with_context(|| "failed to wait for `sh`")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let action = format!("failed to write `{}`", path.display());
        return Err(Error::ProgramFailed { action, said: said.trim().to_owned() });
    }
    passed_on.with_context(|| format!("failed to write `{}`", path.display()))
}

/// Removes a file or directory in a directory of the server's user, as that user; whether nothing is left.
pub(crate) fn remove_as(user: Option<&ServerUser>, path: &Path) -> bool {
    let mut remove = command("rm", user);
    remove.arg("-rf").arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    remove.status().is_ok_and(|status| status.success())
}

/// Writes a file of ours, in a directory of ours, that no one else can read.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    let write = || -> io::Result<()> {
        // A new file instead of an old one: the mode only counts when a file is created.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        File::options().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
    };
    write().with_context(|| format!("failed to write `{}`", path.display()))
}

/// Opens a file of ours, in a directory of ours, that no one else can open: no other user can read a statement in the log, or hold
/// the lock.
pub(crate) fn open_private(path: &Path) -> Result<File> {
    let open = || -> io::Result<File> {
        let no_link = OFlags::NOFOLLOW.bits().cast_signed();
        let file = File::options().read(true).append(true).create(true).mode(0o600).custom_flags(no_link).open(path)?;
        // It may be older than this rule.
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        Ok(file)
    };
    open().with_context(|| format!("failed to open `{}`", path.display()))
}

/// The end of a log, which stays where its writer is.
pub(crate) fn end_of(log: &File) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let length = log.metadata()?.len();
        let start = length.saturating_sub(END_OF_LOG);
        let mut text = vec![0; usize::try_from(length - start).unwrap_or_default()];
        let read = log.read_at(&mut text, start)?;
        text.truncate(read);
        Ok(text)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

/// Whether no other ordinary user can replace what we put into a directory: on the whole way to it, each directory is ours or
/// root's, and lets no one else write, or at least, as /tmp does, remove only what is their own. `path` is without links.
pub(crate) fn is_out_of_reach(path: &Path) -> bool {
    let own = rustix::process::geteuid().as_raw();
    path.ancestors().all(|directory| {
        fs::symlink_metadata(directory).is_ok_and(|found| {
            let owned = found.uid() == 0 || found.uid() == own;
            owned && (found.mode() & 0o022 == 0 || found.mode() & 0o1000 != 0)
        })
    })
}

/// `bytes` random bytes in hexadecimal.
pub(crate) fn random_hex(bytes: usize) -> Result<String> {
    let mut buffer = vec![0; bytes];
    let source = File::open("/dev/urandom");
    let read = source.and_then(|mut source| source.read_exact(&mut buffer));
    read.with_context(|| "failed to read `/dev/urandom`")?;
    Ok(hex::encode(buffer))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_a_plain_file_is_read_in_a_directory_of_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("here");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("plain"), "text").unwrap();
        symlink(path.join("plain"), path.join("link")).unwrap();
        symlink(&path, folder.path().join("other")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, path.join("pipe"), Mode::RUSR | Mode::WUSR).unwrap();
        fs::write(path.join("long"), vec![b'x'; 70_000]).unwrap();
        assert_eq!(read_of(None, &path, "plain").unwrap(), "text");
        for name in ["link", "pipe", "long", "missing", "."] {
            assert!(read_of(None, &path, name).is_err(), "{name}");
        }
        assert!(read_of(None, &folder.path().join("other"), "plain").is_err(), "the directory is a link");
        let another = ServerUser { name: "another".into(), uid: 54_321, gid: 54_321 };
        assert!(read_of(Some(&another), &path, "plain").is_err(), "another user's file");
    }

    #[test]
    fn what_others_can_replace_is_not_out_of_reach() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let path = fs::canonicalize(folder.path()).unwrap();
        let inside = path.join("inside");
        fs::create_dir(&inside).unwrap();
        for (mode, expected) in [(0o700, true), (0o755, true), (0o1777, true), (0o777, false), (0o775, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_out_of_reach(&inside), expected, "{mode:o}");
        }
    }

    #[test]
    fn a_file_of_ours_loses_what_others_could_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let log = open_private(&path).unwrap();
        assert_eq!(log.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(end_of(&log), "old");
    }
}
