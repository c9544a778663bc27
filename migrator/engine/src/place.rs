//! The file that a report is written to.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};

/// A place for a report, proved to be writable before the work begins that takes long.
///
/// The umask decides who can read the file.
pub struct Place {
    path: PathBuf,
    /// What it is, in messages: `the page`.
    what: &'static str,
    /// What is written, beside it; it takes its place at once and as a whole.
    new: PathBuf,
    file: File,
}

impl Place {
    /// Opens it; what is there stays as it is until the report is written. `what` it is, is for messages: `the page`.
    ///
    /// # Errors
    /// The file cannot be created there.
    pub fn open(path: &Path, what: &'static str) -> Result<Place, Error> {
        if path.is_dir() {
            return Err(failed(path, what, std::io::ErrorKind::IsADirectory.into()));
        }
        let mut new = OsString::from(path);
        new.push(format!(".{}.new", std::process::id()));
        let new = PathBuf::from(new);
        // What a process of the same number has left. Then never a file that is there: in /tmp it may be another user's link.
        let _ = fs::remove_file(&new);
        let file = File::create_new(&new).map_err(|error| failed(path, what, error))?;
        Ok(Place { path: path.to_owned(), what, new, file })
    }

    /// Writes the report.
    ///
    /// # Errors
    /// The disk is full, or the place is a directory.
    pub fn write(mut self, text: &str) -> Result<(), Error> {
        let written = self.file.write_all(text.as_bytes()).and_then(|()| fs::rename(&self.new, &self.path));
        written.map_err(|error| failed(&self.path, self.what, error))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Once it has been renamed there is none.
        let _ = fs::remove_file(&self.new);
    }
}

fn failed(path: &Path, what: &str, error: std::io::Error) -> Error {
    let what = format!("cannot write {what} `{}`", path.display());
    Error::from(ErrorKind::Io { what, reason: error.to_string() })
        .help("check that the directory exists and that you can write to it")
        .caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_users_link_in_place_of_the_file_beside_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (victim, page) = (folder.path().join("victim"), folder.path().join("page.html"));
        fs::write(&victim, "old").unwrap();
        let beside = folder.path().join(format!("page.html.{}.new", std::process::id()));
        std::os::unix::fs::symlink(&victim, &beside).unwrap();
        let place = Place::open(&page, "the page").unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "old");
        assert!(fs::symlink_metadata(&beside).unwrap().is_file());
        drop(place);
        assert!(!beside.exists());
    }
}
