//! `cargo xtask import`: the migrations of other tools become ours, and make the same schema.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::Project;

mod corpora;
mod hostile;
mod layouts;
mod place;
mod refused;
mod said_once;

/// A directory of another tool, and a project to import it into.
pub(crate) struct Import {
    pub(crate) source: TempDir,
    pub(crate) project: Project,
}

impl Import {
    /// These files, and an empty db directory without a database.
    pub(crate) fn of(files: &[(&str, &str)]) -> Import {
        Import::into(Project::without_database(), files)
    }

    /// The same with a database.
    pub(crate) fn with_database(files: &[(&str, &str)]) -> Import {
        Import::into(Project::new(), files)
    }

    fn into(project: Project, files: &[(&str, &str)]) -> Import {
        let source = TempDir::new().unwrap();
        for (path, text) in files {
            let path = source.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Import { source, project }
    }

    /// Imports the directory; what is said, without what differs from run to run.
    pub(crate) fn run(&self, tool: &str, more: &[&str]) -> String {
        self.from(self.source.path(), tool, more)
    }

    pub(crate) fn from(&self, directory: &Path, tool: &str, more: &[&str]) -> String {
        let directory = directory.display().to_string();
        let arguments = [&["import", tool, &directory], more].concat();
        let output = self.project.run(&arguments);
        let output = output.replace(&self.project.db().display().to_string(), "db");
        output.replace(&directory, "DIR").replace(&self.source.path().display().to_string(), "DIR")
    }

    /// Imports, and gives the files of the db directory.
    pub(crate) fn files(&self, tool: &str, more: &[&str]) -> BTreeMap<String, String> {
        let output = self.run(tool, more);
        assert!(output.starts_with("exit 0"), "{output}");
        let problems = migrator_build::load(&self.project.db()).map(drop);
        assert_eq!(problems.map_err(|problems| problems.to_string()), Ok(()));
        tree(&self.project.db())
    }

    /// The text of one of our files.
    pub(crate) fn text(&self, path: &str) -> String {
        let path = self.project.db().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// All files below a directory.
pub(crate) fn tree(root: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let path = entry.path().strip_prefix(root).unwrap().display().to_string();
                files.insert(path, String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned());
            }
        }
    }
    files
}

/// The corpora, where they are at hand.
pub(crate) fn corpora() -> Option<PathBuf> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora");
    if place.is_dir() {
        return Some(place.canonicalize().unwrap());
    }
    crate::support::not_tested("the corpora are not here: no layout of theirs was imported");
    None
}
