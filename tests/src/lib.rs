//! What the tests share with `dir-migrator`: a db directory, loaded at run time, in the form that is embedded otherwise.
//!
//! The same reader and the same checks as in a build; only the last step differs: the bytes that would be compiled in are leaked, and
//! read as in a binary.

pub mod dump;
pub mod histories;
pub mod machine;
pub mod task;

use std::path::Path;

use migrator_build::model::Blob;
use migrator_build::{Problem, Problems};

/// Loads a db directory; warnings are returned beside the set.
///
/// # Errors
/// Every problem of the directory.
pub fn load(directory: &Path) -> Result<(&'static Blob, Vec<Problem>), Problems> {
    let loaded = migrator_build::load(directory)?;
    let (table, texts) = Blob::write(&loaded.set);
    Ok((Box::leak(Box::new(Blob::new(table.leak(), texts.leak()))), loaded.warnings))
}
