//! What a build script calls: reads a directory and reports to cargo.

use std::path::{Path, PathBuf};
use std::{env, fs};

use migrator_diagnostic::printable;
use migrator_model::Blob;

use crate::load::load;
use crate::problem::{Problem, Severity};

/// Reads and checks `dir`, and writes it for [`include!`]. For build scripts.
///
/// `dir` is relative to the directory of the manifest of the package whose build script calls this. Cargo watches the
/// directory and everything in it. Problems are printed as warnings and errors of cargo; an error fails the build. On success,
/// `include!(env!("MIGRATOR_EMBEDDED"))` is the set as a [`Blob`], for a `static`: it includes two files beside it, the texts, verbatim, and a
/// table of where they are.
///
/// # Panics
///
/// Panics outside a build script, or if the output directory cannot be written.
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

/// What the compiler reads. A path in it is relative to the file that it is in.
const EXPRESSION: &str = "\
::migrator_engine::Blob::new(::core::include_bytes!(\"migrator_embedded.table\"), ::core::include_str!(\"migrator_embedded.texts\"))
";

/// Writes the generated files and returns the instructions for cargo.
fn report(root: &Path, dir: &Path, output: &Path) -> String {
    let directory = root.join(dir);
    let problems = match load(&directory) {
        Ok(loaded) => {
            let (table, texts) = Blob::write(&loaded.set);
            write_if_changed(&output.with_extension("table"), &table);
            write_if_changed(&output.with_extension("texts"), texts.as_bytes());
            write_if_changed(output, EXPRESSION.as_bytes());
            loaded.warnings
        }
        Err(problems) => problems.0,
    };
    // Cargo watches everything in a directory, at any depth.
    let mut lines = vec![with_path("rerun-if-changed=", dir), with_path("rustc-env=MIGRATOR_EMBEDDED=", output)];
    lines.extend(problems.iter().map(instruction));
    lines.push(String::new());
    lines.join("\n")
}

/// An instruction is one line and has no escape for a line break: a path with one could give cargo instructions of its own.
fn with_path(instruction: &str, path: &Path) -> String {
    let path = path.display().to_string();
    if path.contains(['\n', '\r']) {
        return format!(
            "cargo::error=the path `{}` contains a line break, which cargo does not accept",
            printable::line(&path)
        );
    }
    format!("cargo::{instruction}{path}")
}

fn instruction(problem: &Problem) -> String {
    let text = problem.to_string();
    match problem.severity {
        Severity::Error => format!("cargo::error={}", printable::line(&text)),
        Severity::Warning => format!("cargo::warning={}", printable::line(&text)),
    }
}

/// An unchanged file keeps its modification time, so that cargo does not recompile what includes it.
fn write_if_changed(path: &Path, bytes: &[u8]) {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return;
    }
    if let Err(error) = fs::write(path, bytes) {
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
    fn watches_the_directory_and_names_the_generated_file() {
        let (root, report) = run(&[
            ("db/migrations/001_x.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n"),
            ("db/seeds/test.sql", "SELECT 1;"),
        ]);
        expect![[r#"
            cargo::rerun-if-changed=../db
            cargo::rustc-env=MIGRATOR_EMBEDDED=ROOT/out.rs
        "#]]
        .assert_eq(&report);
        assert_eq!(fs::read_to_string(root.path().join("out.rs")).unwrap(), EXPRESSION);
        assert!(fs::read_to_string(root.path().join("out.texts")).unwrap().contains("001_x.sql"));
        assert!(fs::read(root.path().join("out.table")).unwrap().starts_with(b"migrator"));
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
            cargo::rustc-env=MIGRATOR_EMBEDDED=ROOT/out.rs
            cargo::warning=db/migrations/001_x.sql: missing `-- migrate:down`: dbmate rejects the file [M052]; help: add `-- migrate:down`; an empty down block says that the migration cannot be rolled back
            cargo::error=db/migrations/002.sql: `002.sql` is not named `<version>_<name>.sql` [M003]; help: add a name: `002_<name>.sql`
            cargo::error=db/migrations/notes.txt: `db/migrations/notes.txt` is not an SQL file [M004]; help: move it out of `db/migrations`; only `*.sql`, `README.md` and dotfiles belong there
        "#]].assert_eq(&report);
        assert!(!root.path().join("out.rs").exists());
    }

    #[test]
    fn watches_a_directory_that_is_missing() {
        let (_root, report) = run(&[]);
        expect![[r#"
            cargo::rerun-if-changed=../db
            cargo::rustc-env=MIGRATOR_EMBEDDED=ROOT/out.rs
            cargo::error=db: directory `db` does not exist [M001]; help: create it, or fix the path
        "#]]
        .assert_eq(&report);
    }

    #[cfg(unix)]
    #[test]
    fn no_name_and_no_text_gives_cargo_an_instruction() {
        let planted = "x\ncargo::rustc-cfg=planted\ncargo:warning=planted";
        let settings = "\"a\\ncargo::rustc-cfg=planted\" = 1\n[check]\nallow = [\"b\\ncargo::rustc-cfg=planted\"]\n";
        let (root, report) = run(&[
            (&format!("db/{planted}/deep/{planted}/file"), ""),
            (&format!("db/migrations/{planted}/file"), ""),
            (&format!("db/migrations/001_{planted}.sql"), ""),
            (&format!("db/seeds/{planted}.sql"), "SELECT 1;"),
            (&format!("db/schema.facts.{planted}"), ""),
            ("db/migrations/001_a.sql", "-- migrate:up\nSELEC \u{1b}[2K\u{85};\n"),
            ("db/migrator.toml", settings),
        ]);
        for line in report.lines() {
            assert!(
                ["cargo::rerun-if-changed=../db", "cargo::rustc-env=MIGRATOR_EMBEDDED=ROOT/out.rs"].contains(&line)
                    || line.starts_with("cargo::error=db")
                    || line.starts_with("cargo::warning=db"),
                "{report}"
            );
            assert!(!line.contains(char::is_control), "{line:?}");
        }
        assert_eq!(report.matches("contains a control character [M003]").count(), 5, "{report}");
        drop(root);
        // Neither do the paths that are passed in.
        let root = directory(&[(
            &format!("{planted}/db/migrations/001_a.sql"),
            "-- migrate:up\nSELECT 1;\n-- migrate:down\n",
        )]);
        let report =
            super::report(root.path(), &Path::new(planted).join("db"), &root.path().join(planted).join("out.rs"));
        assert!(report.lines().all(|line| line.starts_with("cargo::error=the path `")), "{report}");
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_in_circles_are_not_followed() {
        use std::os::unix::fs::symlink;
        let root =
            directory(&[("db/migrations/001_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n"), ("db/docs/x", "")]);
        let db = root.path().join("db");
        for name in ["docs/a", "docs/b", "docs/c", "migrations/a", "migrations/b"] {
            symlink(&db, db.join(name)).unwrap();
        }
        symlink("loop", db.join("migrations/002_loop.sql")).unwrap();
        let report = report(root.path(), Path::new("db"), &root.path().join("out.rs"));
        assert_eq!(report.lines().count(), 3, "{report}");
        assert!(report.contains("cannot read `db/migrations/002_loop.sql`"), "{report}");
    }

    #[test]
    fn an_unchanged_file_is_not_written_again() {
        let root = directory(&[("out.rs", "old")]);
        let path = root.path().join("out.rs");
        fs::File::options().write(true).open(&path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        let modified = || fs::metadata(&path).unwrap().modified().unwrap();
        write_if_changed(&path, b"old");
        assert_eq!(modified(), std::time::UNIX_EPOCH);
        write_if_changed(&path, b"new");
        assert_ne!(modified(), std::time::UNIX_EPOCH);
    }
}
