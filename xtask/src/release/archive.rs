//! Archives that are the same bytes wherever and whenever they are made.

use std::io::{self, Write};

use flate2::{Compression, GzBuilder};

/// The size of a block of a tar archive, in bytes.
const BLOCK: usize = 512;

/// One file.
pub(super) struct Entry {
    /// At most 100 bytes after a slash that has at most 155 before it.
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
    pub(super) mode: u32,
}

/// The files in their order, all of one time in seconds since 1970; without users and what else belongs to a machine.
///
/// # Errors
/// A path or a file is too long for the format.
pub(super) fn tar_gz(entries: &[Entry], time: u64) -> io::Result<Vec<u8>> {
    let mut out = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
    for entry in entries {
        out.write_all(&header(entry, time)?)?;
        out.write_all(&entry.bytes)?;
        out.write_all(&vec![0; entry.bytes.len().next_multiple_of(BLOCK) - entry.bytes.len()])?;
    }
    out.write_all(&[0; 2 * BLOCK])?;
    out.finish()
}

/// A header of POSIX's ustar format: a plain file of root's.
fn header(entry: &Entry, time: u64) -> io::Result<[u8; BLOCK]> {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, length: usize, text: &str| -> io::Result<()> {
        let bytes = text.as_bytes();
        if bytes.len() > length {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{text}` is too long for an archive")));
        }
        header[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    };
    let (prefix, name) = divided(&entry.path);
    put(0, 100, name)?;
    put(345, 155, prefix)?;
    put(100, 7, &format!("{:07o}", entry.mode))?;
    put(108, 7, "0000000")?;
    put(116, 7, "0000000")?;
    put(124, 11, &format!("{:011o}", entry.bytes.len()))?;
    put(136, 11, &format!("{time:011o}"))?;
    // The sum is taken with spaces in its own place.
    put(148, 8, "        ")?;
    put(156, 1, "0")?;
    put(257, 5, "ustar")?;
    put(263, 2, "00")?;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(header)
}

/// A path as the two fields of the header: what is too long for one is divided at a slash.
fn divided(path: &str) -> (&str, &str) {
    if path.len() <= 100 {
        return ("", path);
    }
    let fits = |at: &usize| *at <= 155 && path.len() - at - 1 <= 100;
    let slash = path.match_indices('/').map(|(at, _)| at).find(fits);
    slash.map_or(("", path), |at| (&path[..at], &path[at + 1..]))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use super::*;

    fn entries() -> Vec<Entry> {
        let entry = |path: &str, bytes: Vec<u8>, mode| Entry { path: path.to_owned(), bytes, mode };
        vec![
            entry("a/program", vec![7; 1000], 0o755),
            entry("a/README.md", b"text\n".to_vec(), 0o644),
            entry("a/empty", Vec::new(), 0o644),
            entry(&format!("a/{}/{}", "d".repeat(90), "f".repeat(90)), b"deep".to_vec(), 0o644),
        ]
    }

    #[test]
    fn tar_unpacks_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.tar.gz");
        fs::write(&file, tar_gz(&entries(), 1_700_000_000).unwrap()).unwrap();
        let status = Command::new("tar").arg("xzf").arg(&file).arg("-C").arg(folder.path()).status().unwrap();
        assert!(status.success());
        for Entry { path, bytes, mode } in entries() {
            let path = folder.path().join(path);
            assert_eq!(fs::read(&path).unwrap(), bytes);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            assert_eq!(modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(), 1_700_000_000);
        }
    }

    #[test]
    fn the_same_files_are_the_same_bytes() {
        let archive = tar_gz(&entries(), 1_700_000_000).unwrap();
        assert_eq!(archive, tar_gz(&entries(), 1_700_000_000).unwrap());
        assert_eq!(archive[4..8], [0; 4], "no time of its own");
        let long = Entry { path: "x".repeat(101), bytes: Vec::new(), mode: 0o644 };
        assert!(tar_gz(&[long], 0).unwrap_err().to_string().ends_with("is too long for an archive"));
    }
}
