//! One directory per way of writing, below `tests/fixtures`: what is said about it stands beside it in `expected.txt`.
//!
//! A directory is called after the code that it triggers, or `accepted_*` where nothing is said, or `several_*`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use migrator_build::model::Blob;
use migrator_build::{Code, Problem, load};

/// Every fixture of what is accepted or refused, ascending by name; those of hazards have a test of their own.
pub(crate) fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut directories: Vec<PathBuf> =
        std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    directories.retain(|path| !name(path).starts_with("hazard_"));
    directories.sort();
    directories
}

/// The last component of a fixture's path.
pub(crate) fn name(fixture: &Path) -> String {
    fixture.file_name().unwrap().to_string_lossy().into_owned()
}

/// Everything that is said about a db directory.
pub(crate) fn problems(db: &Path) -> Vec<Problem> {
    match load(db) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems.0,
    }
}

/// The codes of problems, each once.
pub(crate) fn codes(problems: &[Problem]) -> BTreeSet<&'static str> {
    problems.iter().map(|problem| problem.code.as_str()).collect()
}

#[test]
fn every_message_is_as_it_stands_beside_its_fixture() {
    for fixture in fixtures() {
        let rendered: Vec<String> =
            problems(&fixture.join("db")).iter().map(|problem| problem.render(false) + "\n").collect();
        expect_file![fixture.join("expected.txt")].assert_eq(&rendered.join("\n"));
    }
}

#[test]
fn a_binary_reads_what_the_build_has_read() {
    let mut sets = 0;
    for loaded in fixtures().iter().filter_map(|fixture| load(&fixture.join("db")).ok()) {
        let (table, texts) = Blob::write(&loaded.set);
        let blob: &'static Blob = Box::leak(Box::new(Blob::new(table.leak(), texts.leak())));
        assert_eq!(blob.set(), Ok(&loaded.set));
        sets += 1;
    }
    assert!(sets > 10, "only {sets} fixtures can be embedded");
}

#[test]
fn a_fixture_gives_the_code_of_its_name_and_no_other() {
    for fixture in fixtures() {
        let name = name(&fixture);
        let found = codes(&problems(&fixture.join("db")));
        if name.starts_with("accepted_") {
            assert_eq!(found, BTreeSet::new(), "{name}");
        } else if name.starts_with("several_") {
            assert!(found.len() > 1, "{name} has only {found:?}");
        } else {
            let code = name.split('_').next().unwrap().to_uppercase();
            assert_eq!(found, BTreeSet::from([code.as_str()]), "{name}");
        }
    }
}

#[test]
fn every_code_has_a_fixture() {
    let names: Vec<String> = fixtures().iter().map(|fixture| name(fixture)).collect();
    for code in Code::ALL {
        let prefix = format!("{}_", code.as_str().to_lowercase());
        assert!(names.iter().any(|name| name.starts_with(&prefix)), "no fixture shows {code} ({})", code.title());
    }
}

#[test]
fn several_problems_of_several_files_are_shown_together() {
    let problems = problems(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/several_problems/db"));
    let files: BTreeSet<&str> = problems.iter().map(|problem| problem.file.as_str()).collect();
    assert!(files.len() >= 8, "{files:?}");
    let in_one_file = problems.iter().filter(|problem| problem.file == "db/migrations/002_two.sql").count();
    assert!(in_one_file >= 5, "{in_one_file}");
    let places: Vec<(&str, usize, usize)> =
        problems.iter().map(|problem| (problem.file.as_str(), problem.line, problem.column)).collect();
    assert!(places.is_sorted(), "a reader walks through each file once: {places:?}");
}
