//! M002: a file that the system does not let us read, or that is not a regular file.

use std::io::{Error, ErrorKind};

use crate::code::Meaning;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M002", "unreadable file"));

/// A file or directory that could not be read.
pub(crate) fn problem(label: &str, error: &Error) -> Problem {
    let (reason, help) = match error.kind() {
        ErrorKind::InvalidInput => (error.to_string(), "replace it with a regular file, or remove it"),
        ErrorKind::FileTooLarge => (error.to_string(), "split it, or load data of that size with `psql` and `COPY`"),
        kind => (kind.to_string(), "make it readable, or remove it"),
    };
    Problem::whole(RULE.code, label, format!("cannot read `{label}`: {reason}"), help)
}

#[cfg(all(test, unix))]
mod tests {
    use expect_test::expect;

    use crate::load;
    use crate::testing::{PLAIN, directory};

    #[test]
    fn a_link_that_leads_nowhere_is_named() {
        let root = directory(&[("db/migrations/001_a.sql", PLAIN)]);
        std::os::unix::fs::symlink("nowhere", root.path().join("db/migrations/002_b.sql")).unwrap();
        expect!["db/migrations/002_b.sql: cannot read `db/migrations/002_b.sql`: entity not found [M002]; help: make it readable, or remove it"].assert_eq(&load(&root.path().join("db")).unwrap_err().to_string());
    }

    #[test]
    fn what_is_not_an_ordinary_file_is_refused_without_being_read() {
        let root = directory(&[("db/migrations/001_a.sql", PLAIN)]);
        let db = root.path().join("db");
        for folder in ["repeatable", "seeds", "checks", "templates"] {
            std::fs::create_dir(db.join(folder)).unwrap();
        }
        for file in ["migrations/002_b.sql", "repeatable/a.sql", "seeds/a.sql", "migrator.toml", "schema.facts.15"] {
            std::os::unix::fs::symlink("/dev/zero", db.join(file)).unwrap();
        }
        for file in
            ["migrations/003_c.sql", "checks/a.sql", "schema.facts.16", "templates/a.sql", "pipe", "migrations/.x"]
        {
            assert!(std::process::Command::new("mkfifo").arg(db.join(file)).status().unwrap().success());
        }
        expect![[r#"
            db/checks/a.sql: cannot read `db/checks/a.sql`: it is a named pipe, not a file [M002]; help: replace it with a regular file, or remove it
            db/migrations/002_b.sql: cannot read `db/migrations/002_b.sql`: it is a device, not a file [M002]; help: replace it with a regular file, or remove it
            db/migrations/003_c.sql: cannot read `db/migrations/003_c.sql`: it is a named pipe, not a file [M002]; help: replace it with a regular file, or remove it
            db/migrator.toml: cannot read `db/migrator.toml`: it is a device, not a file [M002]; help: replace it with a regular file, or remove it
            db/repeatable/a.sql: cannot read `db/repeatable/a.sql`: it is a device, not a file [M002]; help: replace it with a regular file, or remove it
            db/schema.facts.15: cannot read `db/schema.facts.15`: it is a device, not a file [M002]; help: replace it with a regular file, or remove it
            db/schema.facts.16: cannot read `db/schema.facts.16`: it is a named pipe, not a file [M002]; help: replace it with a regular file, or remove it
            db/seeds/a.sql: cannot read `db/seeds/a.sql`: it is a device, not a file [M002]; help: replace it with a regular file, or remove it"#]].assert_eq(&load(&db).unwrap_err().to_string());
    }
}
