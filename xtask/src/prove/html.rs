//! The file that a report is written to as a page.

use std::path::Path;

use crate::prove::page::Page;
use migrator_engine::Error;

/// A place for a page, proved to be writable before the work begins that takes long.
pub(crate) struct Place(migrator_engine::Place);

impl Place {
    /// Opens it; what is there stays as it is until the page is written.
    ///
    /// # Errors
    /// The file cannot be created there.
    pub(crate) fn open(path: &Path) -> Result<Place, Error> {
        migrator_engine::Place::open(path, "the page").map(Place)
    }

    /// Writes the page.
    ///
    /// # Errors
    /// The disk is full, or the place is a directory.
    pub(crate) fn write(self, page: &Page<'_>) -> Result<(), Error> {
        self.0.write(&page.render())
    }
}
