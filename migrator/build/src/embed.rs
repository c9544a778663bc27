//! What a build script calls: cargo's side of reading a directory.

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::problem::{Problem, Severity};
use crate::{generate, load};

/// Reads and checks `dir` and hands it to the compiler. For build scripts.
///
/// `dir` is relative to the manifest's directory of the package whose build script calls this. The directory and what is in
/// it are watched, so that a new file is noticed. Problems are printed as cargo's warnings and errors; after an error the
/// build fails. On success `include!(env!("MIGRATOR_EMBEDDED"))` is the generated expression.
///
/// # Panics
///
/// Outside a build script, and if the output directory cannot be written.
#[allow(clippy::print_stdout, reason = "cargo reads a build script's standard output")]
pub fn embed(dir: impl AsRef<Path>) {
    let root = variable("CARGO_MANIFEST_DIR");
    let output = variable("OUT_DIR").join("migrator_embedded.rs");
    print!("{}", report(&root, dir.as_ref(), &output));
}

fn variable(name: &str) -> PathBuf {
    match env::var_os(name) {
        Some(value) => value.into(),
        None => panic!("`{name}` is not set: `migrator_build::embed` is for build scripts"),
    }
}

/// Writes the generated file and returns the instructions for cargo.
fn report(root: &Path, dir: &Path, output: &Path) -> String {
    let directory = root.join(dir);
    let mut lines = Vec::new();
    watch(&directory, dir, &mut lines);
    let problems = match load(&directory) {
        Ok(loaded) => {
            write_if_changed(output, &generate(&loaded.set));
            loaded.warnings
        }
        Err(problems) => problems.0,
    };
    lines.push(format!("cargo::rustc-env=MIGRATOR_EMBEDDED={}", output.display()));
    lines.extend(problems.iter().map(instruction));
    lines.push(String::new());
    lines.join("\n")
}

fn instruction(problem: &Problem) -> String {
    match problem.severity {
        Severity::Error => format!("cargo::error={problem}"),
        Severity::Warning => format!("cargo::warning={problem}"),
    }
}

/// The directory itself is watched too: a folder that does not exist yet changes it when it appears.
fn watch(directory: &Path, shown: &Path, lines: &mut Vec<String>) {
    lines.push(format!("cargo::rerun-if-changed={}", shown.display()));
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        if let Some(name) = entry.file_name()
            && entry.is_dir()
        {
            watch(&entry, &shown.join(name), lines);
        }
    }
}

/// An unchanged file keeps its time, so that cargo does not compile what includes it.
fn write_if_changed(path: &Path, text: &str) {
    if fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return;
    }
    if let Err(error) = fs::write(path, text) {
        panic!("cannot write `{}`: {error}", path.display());
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::testing::directory;

    /// The instructions, with the temporary directory as `ROOT`.
    fn run(files: &[(&str, &str)]) -> (tempfile::TempDir, String) {
        let root = directory(files);
        fs::create_dir_all(root.path().join("app")).unwrap();
        let report = report(&root.path().join("app"), Path::new("../db"), &root.path().join("out.rs"));
        let report = report.replace(&root.path().display().to_string(), "ROOT");
        (root, report)
    }

    #[test]
    fn watches_every_directory_and_names_the_generated_file() {
        let (root, report) = run(&[
            ("db/migrations/001_x.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n"),
            ("db/seeds/test.sql", "SELECT 1;"),
        ]);
        expect![[r#"
            cargo::rerun-if-changed=../db
            cargo::rerun-if-changed=../db/migrations
            cargo::rerun-if-changed=../db/seeds
            cargo::rustc-env=MIGRATOR_EMBEDDED=ROOT/out.rs
        "#]]
        .assert_eq(&report);
        assert!(fs::read_to_string(root.path().join("out.rs")).unwrap().contains("001_x.sql"));
    }

    #[test]
    fn reports_every_problem_in_a_line_of_its_own() {
        let (root, report) = run(&[
            ("db/migrations/001_x.sql", "-- migrate:up\nSELECT 1;\n"),
            ("db/migrations/notes.txt", ""),
            ("db/migrations/002.sql", ""),
        ]);
        expect![[r#"
            cargo::rerun-if-changed=../db
            cargo::rerun-if-changed=../db/migrations
            cargo::rustc-env=MIGRATOR_EMBEDDED=ROOT/out.rs
            cargo::warning=db/migrations/001_x.sql: there is no `-- migrate:down`: dbmate refuses the file [M052]; help: add `-- migrate:down`; a down block without a statement says that there is no way back
            cargo::error=db/migrations/002.sql: `002.sql` is not named `<version>_<name>.sql` [M003]; help: give it a name: `002_<name>.sql`
            cargo::error=db/migrations/notes.txt: `db/migrations/notes.txt` is not an SQL file [M004]; help: move it out of `db/migrations`; only `*.sql`, `README.md` and dot files may be there
        "#]].assert_eq(&report);
        assert!(!root.path().join("out.rs").exists());
    }

    #[test]
    fn watches_a_directory_that_is_missing() {
        let (_root, report) = run(&[]);
        expect![[r#"
            cargo::rerun-if-changed=../db
            cargo::rustc-env=MIGRATOR_EMBEDDED=ROOT/out.rs
            cargo::error=db: there is no directory `db` [M001]; help: create it, or correct the path that is given for it
        "#]].assert_eq(&report);
    }

    #[test]
    fn an_unchanged_file_is_not_written_again() {
        let root = directory(&[("out.rs", "old")]);
        let path = root.path().join("out.rs");
        fs::File::options().write(true).open(&path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        let modified = || fs::metadata(&path).unwrap().modified().unwrap();
        write_if_changed(&path, "old");
        assert_eq!(modified(), std::time::UNIX_EPOCH);
        write_if_changed(&path, "new");
        assert_ne!(modified(), std::time::UNIX_EPOCH);
    }
}
