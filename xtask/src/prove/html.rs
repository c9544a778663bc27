//! The file that a report is written to as a page.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::prove::page::Page;
use migrator_engine::{Error, ErrorKind};

/// A place for a page, proved to be writable before the work begins that takes long.
pub(crate) struct Place {
    path: PathBuf,
    /// What is written, beside it; it takes its place at once and as a whole.
    new: PathBuf,
    file: File,
}

impl Place {
    /// Opens it; what is there stays as it is until the page is written.
    ///
    /// # Errors
    /// The file cannot be created there.
    pub(crate) fn open(path: &Path) -> Result<Place, Error> {
        if path.is_dir() {
            return Err(failed(path, std::io::ErrorKind::IsADirectory.into()));
        }
        let mut new = OsString::from(path);
        new.push(format!(".{}.new", std::process::id()));
        let new = PathBuf::from(new);
        // What a process of the same number has left. Then never a file that is there: in /tmp it may be another user's link.
        let _ = fs::remove_file(&new);
        let file = File::create_new(&new).map_err(|error| failed(path, error))?;
        Ok(Place { path: path.to_owned(), new, file })
    }

    /// Writes the page.
    ///
    /// # Errors
    /// The disk is full, or the place is a directory.
    pub(crate) fn write(mut self, page: &Page<'_>) -> Result<(), Error> {
        let text = page.render();
        let written = self.file.write_all(text.as_bytes()).and_then(|()| fs::rename(&self.new, &self.path));
        written.map_err(|error| failed(&self.path, error))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Once it has been renamed there is none.
        let _ = fs::remove_file(&self.new);
    }
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    let what = format!("cannot write the page `{}`", path.display());
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
        let place = Place::open(&page).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "old");
        assert!(fs::symlink_metadata(&beside).unwrap().is_file());
        drop(place);
        assert!(!beside.exists());
    }
}
