//! docs/adopt: how to move from each tool. The pages are rendered from one table, and their commands are tried on a database of that
//! tool.

mod go;
mod guide;
mod others;
mod rust;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use expect_test::expect_file;
use migrator_engine::model::Tool;
use tempfile::TempDir;

use crate::support::Project;
use guide::Guide;

fn guides() -> impl Iterator<Item = &'static Guide> {
    rust::GUIDES.iter().chain(go::GUIDES).chain(others::GUIDES)
}

/// Its name for readers.
fn title(guide: &Guide) -> &'static str {
    Tool::parse(guide.tool).unwrap().title()
}

/// The commands that convert the files.
fn conversion(guide: &Guide) -> String {
    let Guide { tool, directory, .. } = guide;
    format!(
        "cargo xtask import {tool} {directory} --dry-run\ncargo xtask import {tool} {directory}\nDATABASE_URL= cargo xtask migrate up\n"
    )
}

/// The commands for a database that the tool has migrated.
fn adoption(guide: &Guide) -> String {
    let tool = guide.tool;
    if guide.history.is_empty() {
        return "cargo xtask migrate stamp --all\ncargo xtask migrate status --check\ncargo xtask migrate drift\n"
            .to_owned();
    }
    format!(
        "cargo xtask migrate adopt {tool} --dry-run\ncargo xtask migrate adopt {tool}\ncargo xtask migrate status --check\ncargo xtask \
         migrate drift\n"
    )
}

fn page(guide: &Guide) -> String {
    let Guide { tool, commands, changes, back, history, .. } = guide;
    let title = title(guide);
    let mut page = format!(
        "# From {title} to migrator\n\n## Convert the files\n\nSet up the workspace with \
         [`init`](../../README.md#in-your-own-workspace) first, then:\n\n```sh\n{}```\n\n`import --dry-run` shows what will become of each \
         file and writes nothing. The last command applies everything to an empty database on the workspace's own PostgreSQL: with an empty \
         `DATABASE_URL`, the one in your `.env` is left alone.\n\n## Take over the databases\n\nOn every database that has these migrations already, with \
         `DATABASE_URL` set to it:\n\n```sh\n{}```\n\n",
        conversion(guide),
        adoption(guide),
    );
    if history.is_empty() {
        page.push_str(
            "`stamp` records every migration as applied without running it. `drift` then compares the schema.\n\n",
        );
    } else {
        let _ = write!(
            page,
            "`adopt` reads what {title} has recorded, compares checksums where there are some, and writes it to our history in one \
             transaction. It changes nothing else, and refuses a history with a failed or unknown migration. In production, the binary \
             of the release does the same: `migrator adopt {tool}`. `drift` then compares the schema; if the server is of another major \
             release of PostgreSQL than yours, let `PG_BIN=... cargo xtask dump` write the facts of that release first.\n\n"
        );
    }
    let _ = write!(page, "## Commands\n\n| {title} | migrator |\n|---|---|\n");
    let code = |text: &str| {
        let is_command = |part: &str| part.starts_with("cargo ") || part == "migrator up";
        let shown = |part: &str| if is_command(part) { format!("`{part}`") } else { part.to_owned() };
        let join = |text: &str, word: &str| text.split(word).map(shown).collect::<Vec<_>>().join(word);
        if text.contains(", then ") { join(text, ", then ") } else { join(text, ", or ") }
    };
    for (before, after) in *commands {
        let before = if before.starts_with("a ") || before.starts_with("notes") || before.contains(" in the ") {
            (*before).to_owned()
        } else {
            format!("`{before}`")
        };
        let _ = writeln!(page, "| {before} | {} |", code(after));
    }
    page.push_str("\n## What changes\n\n");
    for change in *changes {
        let _ = writeln!(page, "- {change}");
    }
    let _ = write!(page, "\n## Go back\n\n{back}");
    if !history.is_empty() && *tool != "dbmate" {
        let _ = write!(
            page,
            " Then drop our two tables, which db/migrator.toml names: `schema_migrations` and `schema_migration_events` unless you have \
             set others. Your original files are where they were; if they were in db/migrations, they are in db/imported-from-{tool}."
        );
    }
    page.push('\n');
    page
}

#[test]
fn the_pages_say_what_the_table_says() {
    let mut index = String::from(
        "# Moving to migrator\n\nHow to convert the files of another tool, take over its databases, and go back:\n\n",
    );
    for guide in guides() {
        expect_file![format!("../../docs/adopt/{}.md", guide.tool)].assert_eq(&page(guide));
        let _ = writeln!(index, "- [{}]({}.md)", title(guide), guide.tool);
    }
    index.push_str(
        "\nAnother tool, or none: start from the schema that is there, with `cargo xtask init --baseline URL`.\n",
    );
    expect_file!["../../docs/adopt/README.md"].assert_eq(&index);
}

#[test]
fn every_tool_has_a_guide() {
    let mut known: Vec<&str> = Tool::ALL.iter().map(|tool| tool.name()).collect();
    let mut with_guide: Vec<&str> = guides().map(|guide| guide.tool).collect();
    known.sort_unstable();
    with_guide.sort_unstable();
    assert_eq!(with_guide, known);
}

/// Writes the tool's files into a directory.
fn write_files(guide: &Guide, directory: &Path) {
    for (path, text) in guide.files {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = text.replace("{hash 1}", &"1".repeat(40)).replace("{hash 2}", &"2".repeat(40));
        fs::write(path, text).unwrap();
    }
}

/// Runs the commands of a page in a project; each has to succeed.
fn run(project: &Project, commands: &str, directory: &Path) {
    for command in commands.lines() {
        // The database is the project's own.
        let words = command.strip_prefix("DATABASE_URL= ").unwrap_or(command).strip_prefix("cargo xtask ").unwrap();
        let words: Vec<&str> = words.strip_prefix("migrate ").unwrap_or(words).split(' ').collect();
        let mut words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        if words[0] == "import" {
            words[2] = directory.display().to_string();
        }
        let said = project.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(said.starts_with("exit 0\n"), "{command}: {said}");
    }
}

/// The history, with the checksums that the import has written down.
fn history(guide: &Guide, project: &Project) -> String {
    let map = fs::read_to_string(project.db().join("imported.toml")).unwrap();
    let mut history = guide.history.to_owned();
    let checksums = map.lines().filter_map(|line| line.strip_prefix("checksums = [\""));
    for (number, checksum) in (1..).zip(checksums.map(|rest| rest.split('"').next().unwrap())) {
        history = history.replace(&format!("{{checksum {number}}}"), checksum);
    }
    history
}

#[test]
fn the_commands_of_every_guide_work() {
    for guide in guides() {
        let source = TempDir::new().unwrap();
        let directory = source.path().join(guide.directory);
        write_files(guide, &directory);
        let fresh = Project::new();
        run(&fresh, &conversion(guide), &directory);
        assert_eq!(fresh.query("SELECT count(*) FROM one, two"), "0\n", "{}", guide.tool);

        let old = Project::new();
        run(&old, &conversion(guide).replace("DATABASE_URL= cargo xtask migrate up\n", ""), &directory);
        old.query(&format!("{}{}{}", guide::ONE, guide::TWO, history(guide, &old)));
        // What `dump` writes after `up` in a workspace.
        old.file(&format!("schema.facts.{}", crate::dump::major()), &crate::drift::facts(&fresh));
        run(&old, &adoption(guide), &directory);
        let up = old.run(&["up"]);
        assert!(up.starts_with("exit 0\n") && up.contains("nothing to apply"), "{}: {up}", guide.tool);
    }
}
