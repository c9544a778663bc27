//! `adopt`: another tool's history becomes ours, or is refused.

mod after;
mod dbmate;
mod dumps;
mod planted;
mod tools;

use std::fmt::Write as _;

use crate::support::Project;

/// The map that an import leaves behind.
pub(super) struct Map(String);

impl Map {
    pub(super) fn new(tool: &str) -> Map {
        Map(format!("tool = \"{tool}\"\n"))
    }

    /// A migration that was made of a file.
    pub(super) fn file(&mut self, ours: &str, source: &str, file: &str, checksums: &[String]) -> &mut Map {
        let _ = write!(
            self.0,
            "\n[[migrations]]\nversion = \"{ours}\"\nsource = \"{source}\"\nfile = \"{file}\"\nchecksums = {checksums:?}\n"
        );
        self
    }

    /// A repeatable that was made of a file.
    pub(super) fn repeatable(&mut self, ours: &str, source: &str, file: &str, checksum: &str) -> &mut Map {
        let _ = write!(
            self.0,
            "\n[[repeatables]]\nname = \"{ours}\"\nsource = \"{source}\"\nfile = \"{file}\"\nchecksums = [{checksum:?}]\n"
        );
        self
    }

    pub(super) fn write(&self, project: &Project) {
        project.file("imported.toml", &self.0);
    }
}

/// A database with the tables t1, t2, ... that another tool has made, and what that tool says of them; the migrations make the same.
/// `sources`: what the tool calls them.
pub(super) fn migrated(tool: &str, sources: &[&str], history: &str) -> Project {
    let project = Project::new();
    project.tables(sources.len());
    let mut map = Map::new(tool);
    for (number, source) in (1..).zip(sources) {
        project.query(&format!("CREATE TABLE t{number} (id int)"));
        map.file(&format!("{number:03}"), source, &format!("{source}.sql"), &[format!("{number}{number}")]);
    }
    map.write(&project);
    project.query(history);
    project
}

/// Runs a command that has to end with that code; what it says.
#[track_caller]
pub(super) fn ends(project: &Project, line: &str, code: u8) -> String {
    let said = project.run(&line.split(' ').collect::<Vec<_>>());
    assert!(said.starts_with(&format!("exit {code}\n")), "{line}: {said}");
    said
}

/// All that adoption promises where everything is applied; `drift` only where there are facts.
#[track_caller]
pub(super) fn is_adopted(project: &Project, tool: &str) {
    let again = ends(project, &format!("adopt {tool}"), 0);
    assert!(again.contains("\nnothing to adopt: "), "{again}");
    ends(project, "status --check", 0);
    let up = ends(project, "up", 0);
    assert!(up.contains("\nnothing to apply\n"), "{up}");
}
