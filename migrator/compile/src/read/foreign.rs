//! Migrations as another tool keeps them: said once, instead of what is wrong with each file.

use std::fs;
use std::path::{Path, PathBuf};

use crate::problem::{Code, Problem};
use crate::read::file::read_file;
use crate::read::names;

/// A tool, as it is called, and how its files become ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tool {
    name: &'static str,
    help: &'static str,
}

const fn tool(name: &'static str, help: &'static str) -> Tool {
    Tool { name, help }
}

/// Lines that only one tool writes: how they begin, in lower case and with single blanks.
const LINES: &[(&str, Tool)] = &[
    (
        "-- +goose ",
        tool(
            "goose",
            "replace `-- +goose Up` by `-- migrate:up` and `-- +goose Down` by `-- migrate:down`, remove `StatementBegin` and \
             `StatementEnd`, and write `transaction:false` behind both markers for `NO TRANSACTION`",
        ),
    ),
    (
        "-- +migrate ",
        tool(
            "sql-migrate",
            "replace `-- +migrate Up` by `-- migrate:up` and `-- +migrate Down` by `-- migrate:down`, remove `StatementBegin` \
             and `StatementEnd`, and write `transaction:false` for `notransaction`",
        ),
    ),
    (
        "-- +micrate ",
        tool("micrate", "replace `-- +micrate Up` by `-- migrate:up` and `-- +micrate Down` by `-- migrate:down`"),
    ),
    (
        "---- create above / drop below",
        tool(
            "tern",
            "write `-- migrate:up` on the first line of each file, and `-- migrate:down` in place of `---- create above / drop \
             below ----`, or at the end",
        ),
    ),
    ("--liquibase formatted sql", LIQUIBASE),
    ("-- liquibase formatted sql", LIQUIBASE),
    (
        "-- up migration",
        tool(
            "node-pg-migrate",
            "replace `-- Up Migration` by `-- migrate:up` and `-- Down Migration` by `-- migrate:down`",
        ),
    ),
    ("--! previous:", GRAPHILE),
    (
        "--> statement-breakpoint",
        tool(
            "Drizzle",
            "write `-- migrate:up` on the first line of each file and `-- migrate:down` at its end, below it what takes the \
             file back, or nothing",
        ),
    ),
];

const LIQUIBASE: Tool = tool(
    "Liquibase",
    "write each changeset as one file, `<version>_<name>.sql`: `-- migrate:up`, its SQL, `-- migrate:down`, what its \
     `--rollback` lines say",
);

const GRAPHILE: Tool = tool(
    "Graphile Migrate",
    "write each committed file as `<version>_<name>.sql`, with `-- migrate:up` in place of the `--!` lines and \
     `-- migrate:down` at its end",
);

const DIRECTORIES: Tool = tool(
    "Diesel or Hasura",
    "write each directory as one file, `<version>_<name>.sql`: `-- migrate:up`, the text of its `up.sql`, `-- migrate:down`, \
     the text of its `down.sql`",
);

const PRISMA: Tool = tool(
    "Prisma or Drizzle",
    "write each directory as one file, `<version>_<name>.sql`: `-- migrate:up`, the text of its `migration.sql`, \
     `-- migrate:down`, what takes it back, or nothing",
);

const PAIRS: &str = "write each pair as one file, `<version>_<name>.sql`: `-- migrate:up`, the text of the `.up.sql`, \
                     `-- migrate:down`, the text of the `.down.sql`";

const LETTERS: &str = "rename `V1__name.sql` to `001_name.sql`, with `-- migrate:up` on its first line and `-- migrate:down` \
                       at its end, below it the text of a `U1__name.sql` of Flyway, or nothing; an `R__name.sql` is \
                       `repeatable/name.sql`";

const ROLLBACKS: &str = "write each pair as one file, `<version>_<name>.sql`: `-- migrate:up`, the text that goes forward, \
                         `-- migrate:down`, the text that takes it back";

const PLAIN: &str = "write `-- migrate:up` on the first line of each file and `-- migrate:down` at its end, below it what takes \
                     the file back, or nothing";

/// One thing in `migrations/`.
pub(crate) struct Item<'a> {
    pub(crate) path: &'a Path,
    pub(crate) name: &'a str,
    pub(crate) directory: bool,
}

/// What is said about a directory of migrations none of which is written for us; `None` if one is, or where it is not
/// clear what they are.
pub(crate) fn recognise(label: &str, directory: &Path, items: &[Item<'_>]) -> Option<Problem> {
    let files: Vec<&Item<'_>> = items.iter().filter(|item| !item.directory && names::is_sql(item.name)).collect();
    let (mut by_line, mut readable) = (None, true);
    for item in &files {
        let bytes = read_file(item.path).unwrap_or_default();
        // In another encoding there may be markers that we do not see.
        readable &= std::str::from_utf8(&bytes).is_ok() && !bytes.contains(&0);
        let text = String::from_utf8_lossy(&bytes);
        match mark(&text) {
            Mark::Ours => return None,
            Mark::Of(tool) => by_line = by_line.or(Some(tool)),
            Mark::None => {}
        }
    }
    let (tool, number, what) = if let Some((tool, number)) = of_directories(items) {
        (tool, number, ["directory", "directories"])
    } else if let Some(tool) = by_line.or_else(|| of_names(&files)) {
        (tool, files.len(), ["file", "files"])
    } else if files.len() > 1 && readable {
        (plain(directory, items), files.len(), ["file", "files"])
    } else {
        return None;
    };
    let message =
        format!("`{label}` holds the migrations of {}: {number} {}", tool.name, what[usize::from(number != 1)]);
    let help = format!("{}; where a database has run them, `migrator stamp` records that", tool.help);
    Some(Problem::whole(Code::ForeignFiles, label, message, help))
}

/// Whose marker a text has.
enum Mark {
    None,
    /// Ours, also a misspelt one: each file is judged on its own.
    Ours,
    Of(Tool),
}

fn mark(text: &str) -> Mark {
    let mut found = Mark::None;
    for line in text.lines().map(str::trim_start).filter(|line| line.starts_with("--")) {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let ours = line.trim_start_matches(['-', ' ']);
        if ours.starts_with("migrate:") || ours.starts_with("migrate :") {
            return Mark::Ours;
        }
        let tool = LINES.iter().find(|(start, _)| format!("{line} ").starts_with(start)).map(|(_, tool)| *tool);
        if let (Mark::None, Some(tool)) = (&found, tool) {
            found = Mark::Of(tool);
        }
    }
    found
}

/// Tools that have a directory for each migration, and how many there are.
fn of_directories(items: &[Item<'_>]) -> Option<(Tool, usize)> {
    let directories: Vec<&Item<'_>> = items.iter().filter(|item| item.directory).collect();
    let holding = |file: &str| directories.iter().filter(|item| item.path.join(file).is_file()).count();
    let (of_diesel, of_prisma) = (holding("up.sql"), holding("migration.sql"));
    let committed = directories.iter().find(|item| item.name == "committed");
    if of_diesel > 0 {
        Some((DIRECTORIES, of_diesel))
    } else if of_prisma > 0 {
        Some((PRISMA, of_prisma))
    } else {
        let number = committed.map_or(0, |committed| sql_files(committed.path));
        let current = items.iter().any(|item| item.name == "current.sql" || item.name == "current");
        (current && number > 0).then_some((GRAPHILE, number))
    }
}

fn sql_files(directory: &Path) -> usize {
    let names = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter(|name| names::is_sql(&name.to_string_lossy())).count()
}

/// Tools that say with a file's name what it is for.
fn of_names(files: &[&Item<'_>]) -> Option<Tool> {
    let any = |test: &dyn Fn(&str) -> bool| files.iter().any(|item| test(&item.name.to_ascii_lowercase()));
    let versioned = |name: &str, letters: &[char]| {
        let rest = name.strip_prefix(letters)?.split_once("__")?.0;
        Some(!rest.is_empty() && rest.starts_with(|c: char| c.is_ascii_digit()))
            .filter(|is| *is)
            .map(|_| rest.to_owned())
    };
    if any(&|name| name.ends_with(".up.sql") || name.ends_with(".down.sql")) {
        // Both count up in any way; times are the first one's habit.
        let times = any(&|name| name.chars().take_while(char::is_ascii_digit).count() == 14);
        let name = if times { "sqlx or golang-migrate" } else { "golang-migrate or sqlx" };
        return Some(Tool { name, help: PAIRS });
    }
    if any(&|name| versioned(name, &['v', 'u', 'b']).is_some() || name.starts_with("r__")) {
        let of_flyway = any(&|name| {
            name.starts_with("r__")
                || versioned(name, &['b']).is_some()
                || versioned(name, &['v', 'u']).is_some_and(|version| version.contains(['.', '_']))
        });
        let name = if of_flyway { "Flyway" } else { "refinery or Flyway" };
        return Some(Tool { name, help: LETTERS });
    }
    if any(&|name| name.contains(".do.") || name.contains(".undo.")) {
        return Some(Tool { name: "Postgrator", help: ROLLBACKS });
    }
    any(&|name| name.ends_with(".rollback.sql") || name.ends_with(".undo.sql"))
        .then_some(Tool { name: "yoyo", help: ROLLBACKS })
}

/// Files of SQL and nothing else: which tool it is says what is beside them.
fn plain(directory: &Path, items: &[Item<'_>]) -> Tool {
    let beside = |file: &str| items.iter().any(|item| item.name == file);
    let above: PathBuf = directory.parent().map(|above| above.join("config.toml")).unwrap_or_default();
    let of_supabase = || read_file(&above).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains("project_id"));
    let name = if beside("atlas.sum") {
        "Atlas"
    } else if beside("meta") {
        "Drizzle"
    } else if of_supabase() {
        "Supabase"
    } else {
        "a tool that has no markers, such as sqlx, Supabase or Atlas"
    };
    Tool { name, help: PLAIN }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn says_once_whose_migrations_they_are() {
        let sql = "CREATE TABLE t (id int);\n";
        let holds = |tool: &str, number: &str| format!("`db/migrations` holds the migrations of {tool}: {number}");
        type Layout<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);
        let table: &[Layout<'_>] = &[
            (
                "sqlx or golang-migrate",
                "2 files",
                &[("migrations/20230101000000_a.up.sql", sql), ("migrations/20230101000000_a.down.sql", "")],
            ),
            (
                "golang-migrate or sqlx",
                "3 files",
                &[
                    ("migrations/000001_a.up.sql", sql),
                    ("migrations/000001_a.down.sql", ""),
                    ("migrations/2.up.sql", sql),
                ],
            ),
            ("refinery or Flyway", "2 files", &[("migrations/V1__a.sql", sql), ("migrations/U2__b.sql", sql)]),
            ("Flyway", "2 files", &[("migrations/V1__a.sql", sql), ("migrations/R__v.sql", sql)]),
            ("Flyway", "1 file", &[("migrations/V1.1__a.sql", sql)]),
            ("goose", "1 file", &[("migrations/001_a.sql", "-- +goose Up\nSELECT 1;\n-- +goose Down\n")]),
            ("goose", "2 files", &[("migrations/1_a.sql", sql), ("migrations/2_b.sql", "--  +GOOSE NO TRANSACTION\n")]),
            ("sql-migrate", "1 file", &[("migrations/1_a.sql", "\n-- +migrate Up\nSELECT 1;\n")]),
            (
                "tern",
                "2 files",
                &[("migrations/001_a.sql", sql), ("migrations/002_b.sql", "\n---- create above / drop below ----\n")],
            ),
            ("Liquibase", "1 file", &[("migrations/a.sql", "--liquibase formatted sql\n--changeset a:1\n")]),
            (
                "node-pg-migrate",
                "1 file",
                &[("migrations/1700_a.sql", "-- Up Migration\nSELECT 1;\n-- Down Migration\n")],
            ),
            ("Graphile Migrate", "1 file", &[("migrations/000001.sql", "--! Previous: -\n--! Hash: sha1:x\n")]),
            (
                "Graphile Migrate",
                "1 directory",
                &[("migrations/committed/000001.sql", sql), ("migrations/current.sql", sql)],
            ),
            ("Drizzle", "1 file", &[("migrations/0000_a.sql", "SELECT 1;\n--> statement-breakpoint\nSELECT 2;\n")]),
            (
                "Diesel or Hasura",
                "2 directories",
                &[
                    ("migrations/00_a/up.sql", sql),
                    ("migrations/2022-01-01-0_b/up.sql", sql),
                    ("migrations/00_a/down.sql", ""),
                ],
            ),
            (
                "Prisma or Drizzle",
                "1 directory",
                &[("migrations/2020_a/migration.sql", sql), ("migrations/migration_lock.toml", "")],
            ),
            ("Postgrator", "2 files", &[("migrations/001.do.a.sql", sql), ("migrations/001.undo.a.sql", sql)]),
            ("yoyo", "2 files", &[("migrations/0001.a.sql", sql), ("migrations/0001.a.rollback.sql", sql)]),
            (
                "Atlas",
                "2 files",
                &[("migrations/1_a.sql", sql), ("migrations/2_b.sql", sql), ("migrations/atlas.sum", "")],
            ),
            (
                "Supabase",
                "2 files",
                &[("migrations/1_a.sql", sql), ("migrations/2_b.sql", sql), ("config.toml", "project_id = 'x'")],
            ),
            (
                "a tool that has no markers, such as sqlx, Supabase or Atlas",
                "2 files",
                &[("migrations/001_a.sql", sql), ("migrations/002_b.sql", sql)],
            ),
        ];
        for (tool, number, files) in table {
            assert_eq!(said(files), holds(tool, number));
        }
    }

    #[test]
    fn a_file_of_ours_is_judged_among_others_one_by_one() {
        let ours = "-- migrate:up\nSELECT 1;\n-- migrate:down\n";
        for text in [ours, "-- Migrate:Up\nSELECT 1;\n", "  --migrate: up\n"] {
            let root = directory(&[("db/migrations/001_a.sql", text), ("db/migrations/V2__b.sql", "SELECT 1;\n")]);
            let problems = load(&root.path().join("db")).unwrap_err();
            assert!(problems.0.iter().all(|problem| problem.code != Code::ForeignFiles), "{problems}");
        }
        let root = directory(&[("db/migrations/001_a.sql", "SELECT 1;\n")]);
        assert_eq!(load(&root.path().join("db")).unwrap_err().0[0].code, Code::NoUpMarker);
    }
}
