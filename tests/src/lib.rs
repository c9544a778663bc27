//! What the tests share with `dir-migrator`: a db directory, loaded at run time, in the form that is embedded otherwise.
//!
//! The same reader and the same checks as in a build; only the last step differs: instead of being written as Rust and
//! compiled, the set is leaked.

pub mod task;

use std::path::Path;

use migrator_build::{Problem, Problems};
use migrator_engine::Embedded;

/// Loads a db directory; warnings are returned beside the set.
///
/// # Errors
/// Every problem of the directory.
pub fn load(directory: &Path) -> Result<(&'static Embedded, Vec<Problem>), Problems> {
    let loaded = migrator_build::load(directory)?;
    Ok((Box::leak(Box::new(loaded.set)), loaded.warnings))
}
