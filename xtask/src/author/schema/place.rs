//! Files that do not lead where they should: for a person to finish.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Files as far as they go.
pub(crate) struct Partial {
    /// Name and text of each.
    pub(crate) files: Vec<(String, String)>,
}

impl Partial {
    /// Writes them beside the migrations, under names that no build reads. Returns the names.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(crate) fn write(&self, db: &Path) -> Result<Vec<String>> {
        let mut written = Vec::new();
        for (name, text) in &self.files {
            let name = format!("{name}.partial");
            fs::write(db.join(&name), text).with_context(|| format!("failed to write `db/{name}`"))?;
            written.push(format!("db/{name}"));
        }
        Ok(written)
    }
}
