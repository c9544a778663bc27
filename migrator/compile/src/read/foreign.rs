//! Recognises the migrations of other tools.

use std::fs;
use std::path::{Path, PathBuf};

use crate::contract::foreign_files::{
    self, ATLAS, DIRECTORIES, DRIZZLE, GRAPHILE, LINES, LIQUIBASE, PRISMA, ROLLBACKS, TERN, Tool,
};
use crate::problem::Problem;
use crate::read::bytes::read_file;
use crate::read::names;

/// One thing in `migrations/`.
pub(crate) struct Item<'a> {
    pub(crate) path: &'a Path,
    pub(crate) name: &'a str,
    pub(crate) directory: bool,
}

/// The problem with a directory of another tool's migrations; `None` if one of them is ours, or if the tool is unknown.
pub(crate) fn recognise(label: &str, directory: &Path, items: &[Item<'_>]) -> Option<Problem> {
    let files: Vec<&Item<'_>> = items.iter().filter(|item| !item.directory && names::is_sql(item.name)).collect();
    let (mut by_line, mut readable) = (None, true);
    for item in &files {
        let bytes = read_file(item.path).unwrap_or_default();
        // Another encoding may hide markers.
        readable &= std::str::from_utf8(&bytes).is_ok() && !bytes.contains(&0);
        let text = String::from_utf8_lossy(&bytes);
        match mark(&text) {
            Mark::Ours => return None,
            Mark::Of(tool) => by_line = by_line.or(Some(tool)),
            Mark::None => {}
        }
    }
    let changelogs = changelogs(items);
    let (tool, number, what) = if let Some(found) = of_directories(items) {
        found
    } else if changelogs > 0 {
        (LIQUIBASE, files.len() + changelogs, ["file", "files"])
    } else if let Some(tool) = by_line.or_else(|| of_names(&files)) {
        (tool, files.len(), ["file", "files"])
    } else if files.len() > 1 && readable {
        (plain(directory, items), files.len(), ["file", "files"])
    } else {
        return None;
    };
    Some(foreign_files::problem(label, tool, &format!("{number} {}", what[usize::from(number != 1)])))
}

/// The tool that a marker in a text belongs to.
enum Mark {
    None,
    /// Ours, also a misspelled one: every file is checked on its own.
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

/// How many of Liquibase's changelogs there are that are not SQL.
fn changelogs(items: &[Item<'_>]) -> usize {
    let is_changelog = |item: &&Item<'_>| {
        let ending = item.path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let is_text = ["xml", "yaml", "yml", "json"].iter().any(|known| ending.eq_ignore_ascii_case(known));
        let text = || read_file(item.path).unwrap_or_default();
        is_text && !item.directory && String::from_utf8_lossy(&text()).contains("databaseChangeLog")
    };
    items.iter().filter(is_changelog).count()
}

/// Tools with directories, the number of directories or of files in them, and what is counted.
fn of_directories(items: &[Item<'_>]) -> Option<(Tool, usize, [&'static str; 2])> {
    let directory = ["directory", "directories"];
    let directories: Vec<&Item<'_>> = items.iter().filter(|item| item.directory).collect();
    let holding = |file: &str| directories.iter().filter(|item| item.path.join(file).is_file()).count();
    let (of_diesel, of_prisma) = (holding("up.sql"), holding("migration.sql"));
    let committed = directories.iter().find(|item| item.name == "committed");
    if of_diesel > 0 {
        Some((DIRECTORIES, of_diesel, directory))
    } else if of_prisma > 0 {
        Some((PRISMA, of_prisma, directory))
    } else {
        let number = committed.map_or(0, |committed| sql_files(committed.path));
        let current = items.iter().any(|item| item.name == "current.sql" || item.name == "current");
        (current && number > 0).then_some((GRAPHILE, number, ["file", "files"]))
    }
}

fn sql_files(directory: &Path) -> usize {
    let names = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter(|name| names::is_sql(&name.to_string_lossy())).count()
}

/// Tools that use the names of files.
fn of_names(files: &[&Item<'_>]) -> Option<Tool> {
    let any = |test: &dyn Fn(&str) -> bool| files.iter().any(|item| test(&item.name.to_ascii_lowercase()));
    let versioned = |name: &str, letters: &[char]| {
        let rest = name.strip_prefix(letters)?.split_once("__")?.0;
        Some(!rest.is_empty() && rest.starts_with(|c: char| c.is_ascii_digit()))
            .filter(|is| *is)
            .map(|_| rest.to_owned())
    };
    if any(&|name| name.ends_with(".up.sql") || name.ends_with(".down.sql")) {
        // Both accept any ascending numbers; sqlx usually has times.
        let times = any(&|name| name.chars().take_while(char::is_ascii_digit).count() == 14);
        return Some(if times {
            Tool::import("sqlx or golang-migrate", &["sqlx", "golang-migrate"])
        } else {
            Tool::import("golang-migrate or sqlx", &["golang-migrate", "sqlx"])
        });
    }
    if any(&|name| versioned(name, &['v', 'u', 'b']).is_some() || name.starts_with("r__")) {
        let of_flyway = any(&|name| {
            name.starts_with("r__")
                || versioned(name, &['b']).is_some()
                || versioned(name, &['v', 'u']).is_some_and(|version| version.contains(['.', '_']))
        });
        return Some(if of_flyway {
            Tool::import("Flyway", &["flyway"])
        } else {
            Tool::import("refinery or Flyway", &["refinery", "flyway"])
        });
    }
    if any(&|name| name.contains(".do.") || name.contains(".undo.")) {
        return Some(Tool::by_hand("Postgrator", ROLLBACKS));
    }
    any(&|name| name.ends_with(".rollback.sql") || name.ends_with(".undo.sql"))
        .then_some(Tool::by_hand("yoyo", ROLLBACKS))
}

/// Plain SQL files: the files next to them show the tool.
fn plain(directory: &Path, items: &[Item<'_>]) -> Tool {
    let beside = |file: &str| items.iter().any(|item| item.name == file);
    let above: PathBuf = directory.parent().map(|above| above.join("config.toml")).unwrap_or_default();
    let of_supabase = || read_file(&above).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains("project_id"));
    if beside("atlas.sum") {
        ATLAS
    } else if beside("meta") {
        DRIZZLE
    } else if beside("tern.conf") {
        TERN
    } else if of_supabase() {
        Tool::import("Supabase", &["supabase"])
    } else {
        Tool::import("a tool without markers, such as sqlx, Supabase or Atlas", &["sqlx", "supabase", "plain"])
    }
}
