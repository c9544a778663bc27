//! The backend never sees migrations: no build script but the migrator's reads the db directory.

use std::fs;
use std::path::{Component, Path, PathBuf};

use cargo_metadata::Metadata;

use super::report::Finding;
use crate::workspace::MIGRATOR;

const CHECK: &str = "separation";

/// Looks for the db directory in the string literals of every workspace member's build script.
pub(super) fn check(metadata: &Metadata, root: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        if name == MIGRATOR || name.ends_with("-tests") {
            continue;
        }
        for target in package.targets.iter().filter(|target| target.is_custom_build()) {
            let script = target.src_path.as_std_path();
            // cargo itself says it when a build script is not there.
            let Ok(text) = fs::read_to_string(script) else { continue };
            let directory = package.manifest_path.parent().map_or(root, |directory| directory.as_std_path());
            findings.extend(
                mention(&text, directory, root).map(|(line, literal)| finding(name, script, root, line, literal)),
            );
        }
    }
    findings
}

fn finding(name: &str, script: &Path, root: &Path, line: usize, literal: &str) -> Finding {
    let file = script.strip_prefix(root).unwrap_or(script).display().to_string();
    let message = format!("the build script of `{name}` reads the db directory: `{literal}`");
    let help = format!(
        "remove it: only the package `{MIGRATOR}` and packages called `...-tests` may read the db directory; a backend knows \
         the schema only through its queries"
    );
    Finding { line, column: 1, ..Finding::of_check(CHECK, Some(file), message, help) }
}

/// The first literal that leads into the db directory of the workspace, with its line.
fn mention<'a>(script: &'a str, package: &Path, root: &Path) -> Option<(usize, &'a str)> {
    let db = root.join("db");
    let leads_there = |literal: &str| {
        let path = Path::new(literal);
        // A path may be put together: `.join("..").join("db")`.
        let piece = path.components().next() == Some(Component::Normal("db".as_ref())) && !package.join("db").exists();
        piece || resolve(&package.join(path)).starts_with(&db)
    };
    script.lines().enumerate().find_map(|(index, line)| {
        // `//` in a path does not begin a comment, hence only whole lines.
        if line.trim_start().starts_with("//") {
            return None;
        }
        let literal = line.split('"').skip(1).step_by(2).find(|literal| leads_there(literal))?;
        Some((index + 1, literal))
    })
}

/// Without `.` and `..`, as far as the text of a path says it.
fn resolve(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(resolved.pop()),
            other => resolved.push(other),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<&str>) {
        let script = format!("fn main() {{\n    // \"../db\"\n    {line}\n}}\n");
        let found = mention(&script, Path::new("/w/backend"), Path::new("/w"));
        assert_eq!(found, expected.map(|literal| (3, literal)), "{line}");
    }

    #[test]
    fn finds_the_db_directory_however_its_path_is_written() {
        check(r#"migrator_build::embed("../db");"#, Some("../db"));
        check(
            r#"let text = include_str!("./../db/migrations/001_init.sql");"#,
            Some("./../db/migrations/001_init.sql"),
        );
        check(r#"println!("{}", root.join("..").join("db").display());"#, Some("db"));
        check(r#"read("x", "/w/db/schema.sql")"#, Some("/w/db/schema.sql"));
    }

    #[test]
    fn other_paths_and_words_are_free() {
        check(r#"read("src/db/mod.rs")"#, None);
        check(r#"read("../database")"#, None);
        check(r#"read("/elsewhere/db")"#, None);
        check(r#"println!("cargo::rustc-cfg=db")"#, None);
    }
}
