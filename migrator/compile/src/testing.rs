//! Temporary db directories and files for tests, and what is said about them.

use std::fs;
use std::path::Path;

use expect_test::Expect;
use migrator_model::Settings;

use crate::file::Folder;
use crate::problem::Problem;
use crate::procedures::Procedures;
use crate::read::{names, settings};
use crate::rule::Rule;
use crate::source::Source;
use crate::{load, migration, script};

/// A migration in which nothing is wrong.
pub(crate) const PLAIN: &str = "-- migrate:up\nSELECT 1;\n-- migrate:down\n";

/// Writes files, with the directories above them.
pub(crate) fn write(directory: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// A temporary directory with files.
pub(crate) fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), files);
    directory
}

/// One line for each problem.
pub(crate) fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// Loads a directory called `db`; what is shown are the versions and all problems with their severity.
#[track_caller]
pub(crate) fn check_directory(files: &[(&str, &str)], expect: Expect) {
    let root = directory(files);
    let (versions, problems) = match load(&root.path().join("db")) {
        Ok(loaded) => (loaded.set.migrations.iter().map(|m| m.version.clone()).collect(), loaded.warnings),
        Err(problems) => (Vec::new(), problems.0),
    };
    let problems = problems.iter().map(|problem| format!("{:?} {problem}", problem.severity));
    let lines: Vec<String> = std::iter::once(format!("{versions:?}")).chain(problems).collect();
    expect.assert_eq(&lines.join("\n"));
}

/// What the names of files in `migrations/` are read as, a line each.
#[track_caller]
pub(crate) fn check_names(table: &[&str], expect: Expect) {
    let shown = table.iter().map(|file_name| match names::migration(file_name, file_name) {
        Ok(name) => format!("{} {} {}\n", name.version, name.number, name.name),
        Err(problem) => format!("{problem}\n"),
    });
    expect.assert_eq(&shown.collect::<String>());
}

/// Reads `migrator.toml` beside the seeds `production` and `test`; shows the settings, or what is wrong with them.
#[track_caller]
pub(crate) fn check_settings(text: &str, expect: Expect) {
    let source = Source::new("db/migrator.toml", text);
    let mut problems = Vec::new();
    let settings = settings::read(&source, &["production", "test"], &mut problems);
    expect.assert_eq(&if problems.is_empty() { format!("{settings:#?}") } else { lines(&problems) });
}

/// What a rule finds in a file with this path.
pub(crate) fn found(rule: Rule, path: &str, text: &str) -> Vec<Problem> {
    found_with(rule, path, text, &Settings::new())
}

/// The same with settings.
pub(crate) fn found_with(rule: Rule, path: &str, text: &str, settings: &Settings) -> Vec<Problem> {
    let (mut problems, source) = (Vec::new(), Source::new(path, text));
    let (folder, file) = path.trim_start_matches("db/").split_once('/').unwrap();
    let folder = match folder {
        "repeatable" => Folder::Repeatable,
        "seeds" => Folder::Seeds,
        "checks" => Folder::Checks,
        _ => Folder::Migrations,
    };
    if folder == Folder::Migrations {
        let name = names::migration(path, file).unwrap();
        migration::read(name, source, settings, &Procedures::default(), None, &mut problems);
    } else {
        script::read(names::script(path, file).unwrap(), source, folder, &mut problems);
    }
    problems.retain(|problem| problem.code == rule.code);
    problems
}

/// What a rule says of a migration.
#[track_caller]
pub(crate) fn migration(rule: Rule, text: &str, expect: Expect) {
    expect.assert_eq(&lines(&found(rule, "db/migrations/001_x.sql", text)));
}

/// What a rule says of the up block of a migration, which begins in line 2.
#[track_caller]
pub(crate) fn block(rule: Rule, text: &str, expect: Expect) {
    migration(rule, &format!("-- migrate:up\n{text}"), expect);
}

/// The same for a block with `transaction:false`.
#[track_caller]
pub(crate) fn own_transactions(rule: Rule, text: &str, expect: Expect) {
    migration(rule, &format!("-- migrate:up transaction:false\n{text}"), expect);
}

/// What a rule says of a script.
#[track_caller]
pub(crate) fn script(rule: Rule, folder: Folder, text: &str, expect: Expect) {
    let folder = format!("{folder:?}").to_lowercase();
    expect.assert_eq(&lines(&found(rule, &format!("db/{folder}/x.sql"), text)));
}
