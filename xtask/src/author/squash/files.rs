//! The files of a squash: what is written, what is moved, what goes.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use migrator_engine::Embedded;
use migrator_engine::embedded::Migration;

use super::part::Part;
use crate::author::baseline::order::Ordered;
use crate::author::baseline::statements;

/// The list, in the db directory.
const LIST: &str = "squashed.txt";

/// What is to be done in a db directory; every path is from there.
pub(super) struct Change {
    /// Path and text.
    pub(super) written: Vec<(String, String)>,
    /// From and to.
    pub(super) moved: Vec<(String, String)>,
    /// Tests of what new databases do not run any more.
    pub(super) removed: Vec<String>,
    baseline: Text,
}

/// The baseline before it is known whether our parser takes it.
struct Text {
    purpose: String,
    statements: Vec<String>,
    unchecked_bodies: bool,
}

impl Text {
    fn render(&self, unchecked_syntax: bool) -> String {
        let migration = statements::Migration {
            purpose: &self.purpose,
            no_rollback: "a database that is older goes back by the migrations in db/squashed",
            statements: &self.statements,
            unchecked_bodies: self.unchecked_bodies,
            unchecked_syntax,
        };
        migration.text()
    }
}

impl Change {
    /// What a squash of this part does. `db` is read for the tests in it.
    ///
    /// # Errors
    /// The folder of the tests cannot be read.
    pub(super) fn of(db: &Path, part: &Part, ordered: &Ordered) -> Result<Change> {
        let Part { embedded, migrations, last } = *part;
        let name = if last.name == "baseline" { "baseline_2" } else { "baseline" };
        let first = embedded.squashed.first().map_or(&migrations[0], |squashed| &squashed.migration);
        let purpose = format!("the schema that migrations {} to {} make", first.version, last.version);
        let baseline = Text { purpose, statements: ordered.statements.clone(), unchecked_bodies: ordered.unchecked };
        let path = format!("migrations/{}_{name}.sql", last.version);
        let list = list(embedded, migrations, &format!("{}_{name}", last.version));
        let moved = migrations.iter().map(|migration| {
            let file = file(migration);
            (format!("migrations/{file}"), format!("squashed/{file}"))
        });
        Ok(Change {
            written: vec![(path, baseline.render(false)), (LIST.to_owned(), list)],
            moved: moved.collect(),
            removed: tests(db, last.number).context("failed to read `db/tests`")?,
            baseline,
        })
    }

    /// Tries it on a copy; returns the set that a build will read then, and the change as a build takes it.
    ///
    /// # Errors
    /// A build would refuse it, which is a defect of ours.
    pub(super) fn tried(mut self, db: &Path) -> Result<(&'static Embedded, Change)> {
        let scratch = tempfile::tempdir().context("failed to create a temporary directory")?;
        let there = scratch.path().join("db");
        copy(db, &there).and_then(|()| self.apply(&there)).context("failed to write into a temporary directory")?;
        let mut loaded = migrator_build::load(&there);
        let is_syntax = |problems: &migrator_build::Problems| {
            let mut errors = problems.0.iter().filter(|problem| problem.severity == migrator_build::Severity::Error);
            errors.all(|problem| problem.code.as_str() == "M020" && problem.file.ends_with(&self.written[0].0))
        };
        if loaded.as_ref().is_err_and(is_syntax) {
            self.written[0].1 = self.baseline.render(true);
            fs::write(there.join(&self.written[0].0), &self.written[0].1)
                .context("failed to write into a temporary directory")?;
            loaded = migrator_build::load(&there);
        }
        let set = loaded.map_err(|problems| anyhow!("a build would refuse the new files\n{problems}"))?.set;
        // It lives until the process ends, as a compiled one does.
        Ok((Box::leak(Box::new(set)), self))
    }

    /// Does it.
    ///
    /// # Errors
    /// The system refuses; what was done stays.
    pub(super) fn apply(&self, db: &Path) -> io::Result<()> {
        fs::create_dir_all(db.join("squashed"))?;
        for (from, to) in &self.moved {
            fs::rename(db.join(from), db.join(to))?;
        }
        for path in &self.removed {
            fs::remove_file(db.join(path))?;
        }
        for (path, text) in &self.written {
            fs::write(db.join(path), text)?;
        }
        Ok(())
    }
}

/// The name of a migration's file.
fn file(migration: &Migration) -> String {
    format!("{}.sql", migration.label())
}

/// The list with these migrations behind those that it has.
fn list(embedded: &Embedded, migrations: &[Migration], baseline: &str) -> String {
    let earlier = embedded.baseline().map(|baseline| baseline.number);
    let line = |migration: &Migration, is_baseline: bool| {
        let mark = if is_baseline { " baseline" } else { "" };
        format!("{} {} {}{mark}\n", migration.version, migration.name, migration.checksum)
    };
    let mut text = format!(
        "# The migrations that {baseline} stands for: version, name, checksum. Databases have run them: never edit this file.\n"
    );
    text.extend(embedded.squashed.iter().map(|squashed| line(&squashed.migration, squashed.is_baseline)));
    text.extend(migrations.iter().map(|migration| line(migration, Some(migration.number) == earlier)));
    text
}

/// The tests of versions up to that one.
fn tests(db: &Path, last: i64) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(db.join("tests")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut tests = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
        if name.ends_with(".sql") && digits.parse().is_ok_and(|number: i64| number <= last) {
            tests.push(format!("tests/{name}"));
        }
    }
    tests.sort();
    Ok(tests)
}

/// Copies a directory with what is in it; follows links, as a build does.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match fs::metadata(entry.path())?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => fs::copy(entry.path(), target).map(|_| ())?,
        }
    }
    Ok(())
}
