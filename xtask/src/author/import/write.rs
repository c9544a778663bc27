//! Puts the finished files into the db directory: all of them, or none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// What is moved to where.
#[derive(Debug, Default)]
struct Moves {
    /// From and to, to be undone in reverse.
    done: Vec<(PathBuf, PathBuf)>,
    /// Directories that were not there before.
    made: Vec<PathBuf>,
}

/// Moves `files`, which are complete in `stage`, to the same paths in `db`; `settings` replaces the file there. `keep` is where what is in
/// `db/migrations` goes first.
///
/// # Errors
/// Something could not be moved; everything is as it was before.
pub(crate) fn all(stage: &Path, db: &Path, files: &[String], settings: &str, keep: Option<&Path>) -> Result<()> {
    let mut moves = Moves::default();
    let moved = moves.all(stage, db, files, settings, keep);
    if moved.is_err() {
        moves.undo();
    }
    moved
}

impl Moves {
    fn all(&mut self, stage: &Path, db: &Path, files: &[String], settings: &str, keep: Option<&Path>) -> Result<()> {
        if let Some(keep) = keep {
            self.one(&db.join("migrations"), keep)?;
        }
        for path in files {
            self.directory(db.join(path).parent().unwrap_or(db))?;
            self.one(&stage.join(path), &db.join(path))?;
        }
        // The one file that may be there already: it is replaced in one step, as the last.
        let (new, old) = (stage.join(settings), db.join(settings));
        fs::rename(&new, &old).with_context(|| format!("failed to write `{}`", old.display()))
    }

    fn directory(&mut self, path: &Path) -> Result<()> {
        match fs::create_dir(path) {
            Ok(()) => self.made.push(path.to_owned()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("failed to create `{}`", path.display())),
        }
        Ok(())
    }

    /// Never replaces anything.
    fn one(&mut self, from: &Path, to: &Path) -> Result<()> {
        let moved = match rustix::fs::renameat_with(
            rustix::fs::CWD,
            from,
            rustix::fs::CWD,
            to,
            rustix::fs::RenameFlags::NOREPLACE,
        ) {
            // Not every file system can do this in one step.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP)
                if !to.try_exists().unwrap_or(true) =>
            {
                fs::rename(from, to)
            }
            other => other.map_err(io::Error::from),
        };
        moved.with_context(|| format!("failed to write `{}`", to.display()))?;
        self.done.push((from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn undo(&self) {
        for (from, to) in self.done.iter().rev() {
            // The directory that was made in its place is empty by now.
            let _ = fs::remove_dir(from);
            let _ = fs::rename(to, from);
        }
        for directory in self.made.iter().rev() {
            let _ = fs::remove_dir(directory);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn write(path: PathBuf, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn paths(root: &Path) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
                found.insert(entry.path().strip_prefix(root).unwrap().display().to_string());
                folders.extend(entry.file_type().unwrap().is_dir().then(|| entry.path()));
            }
        }
        found
    }

    #[test]
    fn what_cannot_be_finished_has_not_begun() {
        let root = tempfile::tempdir().unwrap();
        let (stage, db) = (root.path().join("stage"), root.path().join("db"));
        let files = ["migrations/1_a.sql", "repeatable/v.sql", "imported.toml"].map(str::to_owned);
        files.iter().for_each(|file| write(stage.join(file), "new"));
        write(stage.join("migrator.toml"), "new");
        write(db.join("migrations/1_a.up.sql"), "old");
        write(db.join("migrator.toml"), "old");
        // The last but one is in the way.
        write(db.join("imported.toml"), "old");
        let before = paths(root.path());
        let keep = db.join("imported-from-sqlx");
        let error = all(&stage, &db, &files, "migrator.toml", Some(&keep)).unwrap_err();
        assert!(format!("{error:#}").contains("imported.toml"), "{error:#}");
        assert_eq!(paths(root.path()), before);
        assert_eq!(fs::read_to_string(db.join("imported.toml")).unwrap(), "old");
        fs::remove_file(db.join("imported.toml")).unwrap();
        all(&stage, &db, &files, "migrator.toml", Some(&keep)).unwrap();
        let after = [
            "imported-from-sqlx",
            "imported-from-sqlx/1_a.up.sql",
            "imported.toml",
            "migrations",
            "migrations/1_a.sql",
            "migrator.toml",
            "repeatable",
            "repeatable/v.sql",
        ];
        assert_eq!(paths(&db), after.map(str::to_owned).into());
        assert_eq!(fs::read_to_string(db.join("migrator.toml")).unwrap(), "new");
    }
}
