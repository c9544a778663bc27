//! Reads regular files of a bounded size, and nothing else: others may have put anything into a directory.

use std::fs::{self, File, FileType, Metadata};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// The server accepts no message of 1 GiB or more, and a file is sent as one.
pub(crate) const LARGEST_FILE: u64 = 1 << 30;

/// The bytes of a regular file of less than 1 GiB. Follows symbolic links.
///
/// # Errors
///
/// Refuses a pipe, a socket and a device without opening it, since reading it may never end. Fails if the system cannot read
/// the file, or if it is or becomes too large.
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    check(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    // Someone may have replaced it in between.
    let metadata = file.metadata()?;
    check(&metadata)?;
    let mut bytes = Vec::new();
    // The length is true for a file on a disk; others, such as those of /proc, may be endless.
    bytes.try_reserve(usize::try_from(metadata.len()).unwrap_or(usize::MAX))?;
    file.take(LARGEST_FILE).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == LARGEST_FILE {
        return Err(too_large());
    }
    Ok(bytes)
}

fn check(metadata: &Metadata) -> Result<()> {
    if !metadata.is_file() {
        let message = format!("it is {}, not a file", kind(metadata.file_type()));
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    if metadata.len() >= LARGEST_FILE { Err(too_large()) } else { Ok(()) }
}

fn too_large() -> Error {
    Error::new(ErrorKind::FileTooLarge, "it is 1 GiB or larger, which is more than the server accepts")
}

/// What something is that is not a regular file.
fn kind(file_type: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if file_type.is_fifo() {
            return "a named pipe";
        } else if file_type.is_socket() {
            return "a socket";
        } else if file_type.is_char_device() || file_type.is_block_device() {
            return "a device";
        }
    }
    if file_type.is_dir() { "a directory" } else { "something else" }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn reads_ordinary_files_alone_and_never_waits() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        fs::write(path("file"), "text").unwrap();
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", path("zero")).unwrap();
        std::os::unix::fs::symlink("loop", path("loop")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
        assert!(made.success());
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        File::create(path("sparse")).unwrap().set_len(LARGEST_FILE).unwrap();
        let said = |name: &str| match read_file(&path(name)) {
            Ok(bytes) => String::from_utf8(bytes).unwrap(),
            Err(error) => error.to_string(),
        };
        assert_eq!(said("file"), "text");
        assert_eq!(said("link"), "text");
        assert_eq!(said("zero"), "it is a device, not a file");
        assert_eq!(said("pipe"), "it is a named pipe, not a file");
        assert_eq!(said("socket"), "it is a socket, not a file");
        assert_eq!(said("."), "it is a directory, not a file");
        assert_eq!(said("sparse"), "it is 1 GiB or larger, which is more than the server accepts");
        assert!(read_file(&path("loop")).is_err());
        assert!(read_file(&path("absent")).is_err_and(|error| error.kind() == ErrorKind::NotFound));
    }
}
