//! An archive as a directory: all of it, or nothing.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Cursor, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use zip::ZipArchive;
use zip::read::ZipFile;

use crate::error::{Context, Error, Result};

/// No server needs more: an archive that unpacks to more is not one.
const MOST_BYTES: u64 = 512 << 20;
const MOST_ENTRIES: usize = 20_000;

/// The kind of a file in a Unix mode, and two of its values.
const KIND: u32 = 0o170_000;
const PLAIN: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;

/// Everyone may write. Set-user-ID and its like are never seen: the reader of the archive leaves them out, and we set every mode.
const WRITABLE: u32 = 0o002;

/// Unpacks a zip file into the directory `into`, which exists and is empty. Files in a `bin` directory can be executed. Everyone can
/// read, only the owner can write, whatever the umask and the archive say.
///
/// # Errors
/// The archive is damaged or hostile: an entry would be outside `into`, is a link or another special file, or is there twice. Nothing
/// has been written then. Or a file cannot be written: then a part is there.
pub(crate) fn unpack(archive: &[u8], into: &Path) -> Result<()> {
    let mut archive = ZipArchive::new(Cursor::new(archive)).map_err(|error| damaged(&error))?;
    let entries = check(&mut archive)?;
    for (index, path) in entries.iter().enumerate() {
        let mut entry = archive.by_index(index).map_err(|error| damaged(&error))?;
        let path = into.join(path);
        write(&mut entry, &path).with_context(|| format!("failed to write `{}`", path.display()))?;
    }
    Ok(())
}

/// The path of each entry, once all of them are known to be harmless.
fn check(archive: &mut ZipArchive<Cursor<&[u8]>>) -> Result<Vec<PathBuf>> {
    if archive.len() > MOST_ENTRIES {
        return Err(hostile(format!("it has {} entries", archive.len())));
    }
    let (mut paths, mut files, mut bytes) = (Vec::new(), std::collections::HashSet::new(), 0_u64);
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|error| damaged(&error))?;
        let name = String::from_utf8_lossy(entry.name_raw()).escape_debug().to_string();
        let path = inside(&entry).ok_or_else(|| hostile(format!("`{name}` leads out of it")))?;
        let mode = entry.unix_mode().unwrap_or(0);
        let kind = if entry.is_dir() { DIRECTORY } else { PLAIN };
        if entry.is_symlink() || ![0, kind].contains(&(mode & KIND)) {
            return Err(hostile(format!("`{name}` is a link or another special file")));
        }
        if mode & WRITABLE != 0 {
            return Err(hostile(format!("everyone may write to `{name}`: its mode is {:o}", mode & 0o777)));
        }
        bytes = bytes.saturating_add(entry.size());
        if bytes > MOST_BYTES {
            return Err(hostile("it unpacks to more than a server needs"));
        }
        if entry.is_file() && !files.insert(path.clone()) {
            return Err(hostile(format!("`{name}` is in it twice")));
        }
        paths.push(path);
    }
    // A file where a directory must be would be found while half of it is written.
    if let Some(path) = paths.iter().find(|path| path.ancestors().skip(1).any(|above| files.contains(above))) {
        return Err(hostile(format!("`{}` is in a file", path.display())));
    }
    Ok(paths)
}

/// The path of an entry, if it is one below the directory that it is unpacked into on every system.
fn inside<R: Read>(entry: &ZipFile<'_, R>) -> Option<PathBuf> {
    let name = std::str::from_utf8(entry.name_raw()).ok()?;
    let is_plain = !name.is_empty() && !name.contains(['\\', '\0', ':']);
    let path = Path::new(name);
    (is_plain && path.components().all(|part| matches!(part, Component::Normal(_)))).then(|| path.to_owned())
}

fn write<R: Read>(entry: &mut ZipFile<'_, R>, path: &Path) -> io::Result<()> {
    if entry.is_dir() {
        return make_directory(path);
    }
    let parent = path.parent().unwrap_or(path);
    make_directory(parent)?;
    let mode = if parent.ends_with("bin") { 0o755 } else { 0o644 };
    let mut file = File::options().write(true).create_new(true).mode(mode).open(path)?;
    // No more than was announced: the sum of that has been checked.
    let size = entry.size();
    let written = io::copy(&mut entry.take(size.saturating_add(1)), &mut file)?;
    if written != size {
        return Err(io::Error::other("it is longer or shorter in the archive than announced"));
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// The directory and those above it that are missing; the mode does not depend on the umask.
fn make_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_directory(parent)?;
    }
    DirBuilder::new().mode(0o755).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

fn damaged(error: &zip::result::ZipError) -> Error {
    hostile(error.to_string())
}

fn hostile(why: impl Into<String>) -> Error {
    Error::BadArchive { why: why.into() }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(fill: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        fill(&mut writer);
        writer.finish().unwrap().into_inner()
    }

    fn file(writer: &mut ZipWriter<Cursor<Vec<u8>>>, name: &str, mode: u32) {
        writer.start_file(name, SimpleFileOptions::default().unix_permissions(mode)).unwrap();
        writer.write_all(b"text").unwrap();
    }

    /// Everything below a directory.
    fn all(directory: &Path) -> Vec<PathBuf> {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    fn refused(archive: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let error = unpack(archive, folder.path()).unwrap_err();
        assert_eq!(all(folder.path()), Vec::<PathBuf>::new(), "nothing is written");
        error.to_string()
    }

    #[test]
    fn programs_can_be_executed_and_nothing_can_be_written_by_others() {
        let bytes = archive(|writer| {
            writer.add_directory("pg", SimpleFileOptions::default().unix_permissions(0o700)).unwrap();
            file(writer, "pg/bin/postgres", 0o600);
            file(writer, "pg/share/a.sql", 0o664);
        });
        let folder = tempfile::tempdir().unwrap();
        unpack(&bytes, folder.path()).unwrap();
        let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(
            [mode("pg"), mode("pg/bin"), mode("pg/bin/postgres"), mode("pg/share/a.sql")],
            [0o755, 0o755, 0o755, 0o644]
        );
        assert_eq!(fs::read(folder.path().join("pg/share/a.sql")).unwrap(), b"text");
    }

    #[test]
    fn an_entry_outside_the_directory_refuses_all_of_it() {
        for name in ["../a", "a/../../b", "/etc/a", "C:\\a", "a\\..\\..\\b", "c:a"] {
            let bytes = archive(|writer| {
                file(writer, "first", 0o644);
                file(writer, name, 0o644);
            });
            assert!(refused(&bytes).contains("leads out of it"), "{name}");
        }
    }

    #[test]
    fn links_and_special_modes_refuse_all_of_it() {
        let link = archive(|writer| {
            file(writer, "first", 0o644);
            writer.add_symlink("link", "/etc/passwd", SimpleFileOptions::default()).unwrap();
        });
        assert!(refused(&link).contains("`link` is a link"));
        let writable = archive(|writer| file(writer, "bin/a", 0o757));
        assert!(refused(&writable).contains("everyone may write to `bin/a`: its mode is 757"));
        let mut patched = archive(|writer| file(writer, "bin/a", 0o755));
        // The mode is in the entry of the directory at the end, 40 bytes from its beginning.
        let entry = patched.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
        patched[entry + 40..entry + 42].copy_from_slice(&0o010_644_u16.to_le_bytes());
        assert!(refused(&patched).contains("`bin/a` is a link or another special file"), "a pipe");
        patched[entry + 40..entry + 42].copy_from_slice(&0o104_755_u16.to_le_bytes());
        let folder = tempfile::tempdir().unwrap();
        unpack(&patched, folder.path()).unwrap();
        let mode = fs::metadata(folder.path().join("bin/a")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o755, "no program runs as another user");
        let through_a_file = archive(|writer| {
            file(writer, "a", 0o644);
            file(writer, "a/b", 0o644);
        });
        assert!(refused(&through_a_file).contains("`a/b` is in a file"));
    }

    #[test]
    fn a_cut_archive_is_refused() {
        let bytes = archive(|writer| file(writer, "a", 0o644));
        assert!(refused(&bytes[..bytes.len() / 2]).starts_with("the archive is not a server"));
        assert!(refused(b"").starts_with("the archive is not a server"));
    }
}
