//! The test of a new migration.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::output::Usage;

/// It passes as it is.
pub(super) const TEMPLATE: &str = include_str!("../templates/test.sql");

/// The test of a migration: the file of its name in `db/tests`.
///
/// # Errors
/// It is a repeatable, which runs at no version.
pub(super) fn beside(db: &Path, migration: &Path) -> Result<PathBuf> {
    if migration.parent() != Some(&db.join("migrations")) {
        let message = "a repeatable has no version that a test could run at\nhelp: leave out `--with-test`";
        return Err(Usage(message.to_owned()).into());
    }
    let name = migration.file_name().context("the migration has no name")?;
    Ok(db.join("tests").join(name))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use migrator_build::Moment;

    use super::*;

    #[test]
    fn the_skeleton_is_a_test_that_asserts_something_and_expects_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("db");
        let migration = db.join("migrations/001_test_after.sql");
        let test = beside(&db, &migration).unwrap();
        for (path, text) in [
            (&migration, "-- migrate:up\nCREATE TABLE t ();\n-- migrate:down\nDROP TABLE t;\n"),
            (&test, &*TEMPLATE.replace("{{purpose}}", "test after")),
        ] {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let loaded = migrator_build::load(&db).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(loaded.warnings.is_empty());
        let [block] = &loaded.tests[0].blocks[..] else { panic!("{:?}", loaded.tests) };
        assert_eq!((block.moment, block.statements.len()), (Moment::After, 1));
        assert!(beside(&db, &db.join("repeatable/v.sql")).is_err());
    }
}
