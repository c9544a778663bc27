//! M008: the migrations of another tool, reported once instead of every mistake in every file.

use crate::code::Meaning;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M008", "migrations of another tool"));

/// The directory `label` holds this: `2 files`.
pub(crate) fn problem(label: &str, tool: Tool, number: &str) -> Problem {
    let message = format!("`{label}` contains migrations for {}: {number}", tool.name);
    let help = match tool.way {
        Way::Import([first, others @ ..]) => {
            let others: Vec<String> = others.iter().map(|name| format!("`{name}`")).collect();
            let others = if others.is_empty() { String::new() } else { format!(" (or {})", others.join(", ")) };
            format!("run `cargo xtask import {first} {label}`{others}")
        }
        Way::Import([]) => String::new(),
        Way::ByHand(how) => format!("{how}; if a database has run them already, record that with `migrator stamp`"),
    };
    Problem::whole(RULE.code, label, message, help)
}

/// A tool, and how its files become ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) way: Way,
}

/// How the files of a tool become ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By `cargo xtask import`, with one of these names, the likeliest first.
    Import(&'static [&'static str]),
    /// By hand, and how.
    ByHand(&'static str),
}

impl Tool {
    pub(crate) const fn import(name: &'static str, tools: &'static [&'static str]) -> Tool {
        Tool { name, way: Way::Import(tools) }
    }

    pub(crate) const fn by_hand(name: &'static str, how: &'static str) -> Tool {
        Tool { name, way: Way::ByHand(how) }
    }
}

/// The start of lines that only one tool writes, in lower case and with single spaces.
pub(crate) const LINES: &[(&str, Tool)] = &[
    ("-- +goose ", Tool::import("goose", &["goose"])),
    ("-- +migrate ", Tool::import("sql-migrate", &["sql-migrate"])),
    (
        "-- +micrate ",
        Tool::by_hand(
            "micrate",
            "replace `-- +micrate Up` with `-- migrate:up` and `-- +micrate Down` with `-- migrate:down`",
        ),
    ),
    ("---- create above / drop below", TERN),
    ("---- tern: disable-tx", TERN),
    ("--liquibase formatted sql", LIQUIBASE),
    ("-- liquibase formatted sql", LIQUIBASE),
    ("-- up migration", Tool::import("node-pg-migrate", &["node-pg-migrate"])),
    ("--! previous:", GRAPHILE),
    ("-- running upgrade ", Tool::import("Alembic", &["alembic"])),
    ("--> statement-breakpoint", DRIZZLE),
];

pub(crate) const LIQUIBASE: Tool = Tool::import("Liquibase", &["liquibase"]);

pub(crate) const TERN: Tool = Tool::import("tern", &["tern"]);

pub(crate) const ATLAS: Tool = Tool::import("Atlas", &["plain"]);

pub(crate) const DRIZZLE: Tool = Tool::import("Drizzle", &["plain"]);

pub(crate) const GRAPHILE: Tool = Tool::import("Graphile Migrate", &["graphile-migrate"]);

pub(crate) const DIRECTORIES: Tool = Tool::import("Diesel or Hasura", &["diesel"]);

pub(crate) const PRISMA: Tool = Tool::import("Prisma or Drizzle", &["prisma"]);

pub(crate) const ROLLBACKS: &str = "write each pair as one file, `<version>_<name>.sql`: `-- migrate:up`, the forward SQL, \
                         `-- migrate:down`, and the SQL that undoes it";

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::contract::no_up_marker;
    use crate::load;
    use crate::testing::directory;

    /// What is said about a db directory with these files; there must be one problem.
    fn said(files: &[(&str, &str)]) -> String {
        let files: Vec<(String, &str)> = files.iter().map(|(path, text)| (format!("db/{path}"), *text)).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        let root = directory(&files);
        let problems = load(&root.path().join("db")).unwrap_err().0;
        assert_eq!(problems.len(), 1, "{problems:#?}");
        problems[0].message.clone()
    }

    const SQL: &str = "CREATE TABLE t (id int);\n";

    /// A tool, how many of its files or directories there are, and the files of a db directory.
    type Layout = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

    const LAYOUTS: &[Layout] = &[
        (
            "sqlx or golang-migrate",
            "2 files",
            &[("migrations/20230101000000_a.up.sql", SQL), ("migrations/20230101000000_a.down.sql", "")],
        ),
        (
            "golang-migrate or sqlx",
            "3 files",
            &[("migrations/000001_a.up.sql", SQL), ("migrations/000001_a.down.sql", ""), ("migrations/2.up.sql", SQL)],
        ),
        ("refinery or Flyway", "2 files", &[("migrations/V1__a.sql", SQL), ("migrations/U2__b.sql", SQL)]),
        ("Flyway", "2 files", &[("migrations/V1__a.sql", SQL), ("migrations/R__v.sql", SQL)]),
        ("Flyway", "1 file", &[("migrations/V1.1__a.sql", SQL)]),
        ("goose", "1 file", &[("migrations/001_a.sql", "-- +goose Up\nSELECT 1;\n-- +goose Down\n")]),
        ("goose", "2 files", &[("migrations/1_a.sql", SQL), ("migrations/2_b.sql", "--  +GOOSE NO TRANSACTION\n")]),
        ("sql-migrate", "1 file", &[("migrations/1_a.sql", "\n-- +migrate Up\nSELECT 1;\n")]),
        (
            "tern",
            "2 files",
            &[("migrations/001_a.sql", SQL), ("migrations/002_b.sql", "\n---- create above / drop below ----\n")],
        ),
        ("tern", "2 files", &[("migrations/1_a.sql", SQL), ("migrations/2_b.sql", SQL), ("migrations/tern.conf", "")]),
        ("Liquibase", "1 file", &[("migrations/a.sql", "--liquibase formatted sql\n--changeset a:1\n")]),
        (
            "Liquibase",
            "2 files",
            &[
                ("migrations/db.changelog-master.yaml", "databaseChangeLog:\n- include:\n    file: changes/a.sql\n"),
                ("migrations/more.xml", "<databaseChangeLog/>"),
                ("migrations/changes/a.sql", SQL),
            ],
        ),
        ("node-pg-migrate", "1 file", &[("migrations/1700_a.sql", "-- Up Migration\nSELECT 1;\n-- Down Migration\n")]),
        ("Graphile Migrate", "1 file", &[("migrations/000001.sql", "--! Previous: -\n--! Hash: sha1:x\n")]),
        ("Graphile Migrate", "1 file", &[("migrations/committed/000001.sql", SQL), ("migrations/current.sql", SQL)]),
        ("Drizzle", "1 file", &[("migrations/0000_a.sql", "SELECT 1;\n--> statement-breakpoint\nSELECT 2;\n")]),
        (
            "Diesel or Hasura",
            "2 directories",
            &[
                ("migrations/00_a/up.sql", SQL),
                ("migrations/2022-01-01-0_b/up.sql", SQL),
                ("migrations/00_a/down.sql", ""),
            ],
        ),
        ("Alembic", "1 file", &[("migrations/up.sql", "BEGIN;\n-- Running upgrade  -> ae10\nSELECT 1;\n")]),
        (
            "Prisma or Drizzle",
            "1 directory",
            &[("migrations/2020_a/migration.sql", SQL), ("migrations/migration_lock.toml", "")],
        ),
        ("Postgrator", "2 files", &[("migrations/001.do.a.sql", SQL), ("migrations/001.undo.a.sql", SQL)]),
        ("yoyo", "2 files", &[("migrations/0001.a.sql", SQL), ("migrations/0001.a.rollback.sql", SQL)]),
        ("Atlas", "2 files", &[("migrations/1_a.sql", SQL), ("migrations/2_b.sql", SQL), ("migrations/atlas.sum", "")]),
        (
            "Supabase",
            "2 files",
            &[("migrations/1_a.sql", SQL), ("migrations/2_b.sql", SQL), ("config.toml", "project_id = 'x'")],
        ),
        (
            "a tool without markers, such as sqlx, Supabase or Atlas",
            "2 files",
            &[("migrations/001_a.sql", SQL), ("migrations/002_b.sql", SQL)],
        ),
    ];

    #[test]
    fn says_once_whose_migrations_they_are() {
        for (tool, number, files) in LAYOUTS {
            assert_eq!(said(files), format!("`db/migrations` contains migrations for {tool}: {number}"));
        }
    }

    #[test]
    fn names_the_command_that_imports_them() {
        let help = |files: &[(&str, &str)]| {
            let root = directory(files);
            load(&root.path().join("db")).unwrap_err().0[0].help.clone()
        };
        assert_eq!(
            help(&[("db/migrations/1_a.sql", "-- +goose Up\nSELECT 1;\n")]),
            "run `cargo xtask import goose db/migrations`"
        );
        assert_eq!(
            help(&[("db/migrations/1_a.sql", SQL), ("db/migrations/2_b.sql", SQL)]),
            "run `cargo xtask import sqlx db/migrations` (or `supabase`, `plain`)"
        );
        assert_eq!(
            help(&[("db/migrations/1_a.sql", SQL), ("db/migrations/2_b.sql", SQL), ("db/migrations/atlas.sum", "")]),
            "run `cargo xtask import plain db/migrations`"
        );
        let by_hand = help(&[(
            "db/migrations/1_a.sql",
            "-- +micrate Up
SELECT 1;
",
        )]);
        assert!(by_hand.starts_with("replace `-- +micrate Up`") && by_hand.ends_with("`migrator stamp`"), "{by_hand}");
    }

    #[test]
    fn a_file_of_ours_is_judged_among_others_one_by_one() {
        let ours = "-- migrate:up\nSELECT 1;\n-- migrate:down\n";
        for text in [ours, "-- Migrate:Up\nSELECT 1;\n", "  --migrate: up\n"] {
            let root = directory(&[("db/migrations/001_a.sql", text), ("db/migrations/V2__b.sql", "SELECT 1;\n")]);
            let problems = load(&root.path().join("db")).unwrap_err();
            assert!(problems.0.iter().all(|problem| problem.code != RULE.code), "{problems}");
        }
        let root = directory(&[("db/migrations/001_a.sql", "SELECT 1;\n")]);
        assert_eq!(load(&root.path().join("db")).unwrap_err().0[0].code, no_up_marker::RULE.code);
    }
}
