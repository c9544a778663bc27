//! What the README shows is what happens.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::workspace::{Workspace, files, repository, section};

/// This repository's db directory in a workspace of its own, as the README's reader has it after a clone.
fn own() -> Workspace {
    let version = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
    let below = |path: &str| files(&repository().join(path)).into_iter();
    let packages = below("tests/foreign").filter(|(path, _)| !path.starts_with("db") && !path.starts_with("backend"));
    let local = |(path, text): (PathBuf, Vec<u8>)| {
        let text = String::from_utf8(text).unwrap();
        (path, text.replace("version = \"1.0.0\"", &version).replace("\"backend\", ", "").into_bytes())
    };
    let db = below("db").map(|(path, text)| (PathBuf::from("db").join(path), text));
    Workspace::of("crm", &packages.map(local).chain(db).collect::<Vec<_>>())
}

/// On another release of PostgreSQL than the committed schema's the reader's `up` leaves that alone and says so; here it belongs to
/// this one, whichever that is.
fn adopt_schema(workspace: &Workspace) {
    if !workspace.path(format!("db/schema.facts.{}", crate::dump::major())).exists() {
        fs::remove_file(workspace.path("db/schema.sql")).unwrap();
    }
}

#[test]
fn a_fresh_clone_is_as_clean_after_up_as_before() {
    let workspace = own();
    let git = |line: &str| {
        let mut git = workspace.program("git");
        git.args(["-c", "user.name=reader", "-c", "user.email=reader@localhost", "-c", "commit.gpgsign=false"]);
        workspace.output(git.args(line.split_whitespace()))
    };
    // Cargo brings its lock file into its own form first.
    workspace.run(&mut workspace.cargo("xtask --help"));
    for line in ["init --quiet", "add --all", "commit --quiet --message clone"] {
        let output = git(line);
        assert_eq!(output.code, "0", "{line}: {}", output.stderr);
    }
    let up = workspace.run(&mut workspace.cargo("xtask migrate up"));
    assert!(up.starts_with("exit 0"), "{up}");
    let status = git("status --porcelain");
    assert_eq!((&*status.code, &*status.stdout), ("0", ""));
    fs::remove_dir_all(workspace.path(".git")).unwrap();
}

/// A command and what is shown below it.
struct Shown {
    command: String,
    output: String,
}

/// The commands of the console blocks in a section of the README.
fn commands(heading: &str) -> Vec<Shown> {
    let section = section(&format!("## {heading}"));
    let mut found: Vec<Shown> = Vec::new();
    for block in section.split("```console\n").skip(1) {
        for line in block.split_once("```").unwrap().0.lines() {
            match line.strip_prefix("$ ") {
                Some(command) => {
                    let command = command.split(" #").next().unwrap_or_default().trim_end().to_owned();
                    found.push(Shown { command, output: String::new() });
                }
                None => found.last_mut().unwrap().output.push_str(&format!("{line}\n")),
            }
        }
    }
    found
}

/// The lines of the first block of plain commands in a section of the README.
fn lines(heading: &str) -> Vec<String> {
    let section = section(&format!("## {heading}"));
    let (_, block) = section.split_once("```sh\n").unwrap();
    let lines = block.split_once("```").unwrap().0.lines();
    lines.map(|line| line.split(" #").next().unwrap_or_default().trim_end().to_owned()).collect()
}

#[test]
fn the_schema_first_ends_where_everything_agrees() {
    let workspace = own();
    adopt_schema(&workspace);
    // The database and the schema that the reader has already.
    workspace.run(&mut workspace.cargo("xtask migrate up"));
    let schema = fs::read_to_string(workspace.path("db/schema.sql")).unwrap();
    let (before, table) = schema.split_once("CREATE TABLE core.users (").unwrap();
    let edited = format!("{before}CREATE TABLE core.users ({}", table.replacen("\n);", ",\n    phone text\n);", 1));
    workspace.write("db/schema.sql", edited);
    let all = lines("The schema first");
    assert_eq!(all.len(), 3, "{all:?}");
    for command in all {
        let happened = workspace.run(&mut workspace.cargo(command.strip_prefix("cargo ").unwrap()));
        assert!(happened.starts_with("exit 0\n"), "{command}: {happened}");
    }
    assert!(fs::read_to_string(workspace.path("db/schema.sql")).unwrap().contains("    phone text\n);"));
}

#[test]
fn the_tour_shows_what_happens() {
    let workspace = own();
    let file = "db/migrations/014_add_customers_notes.sql";
    let down = "-- migrate:down\nALTER TABLE core.customers DROP COLUMN notes;\n";
    // What the reader is asked to write before each `migrate up`, or before what looks at it first.
    let mut written = [
        "ALTER TABLE core.customers ADD COLUM notes text;",
        "ALTER TABLE core.custmers ADD COLUMN notes text;",
        "ALTER TABLE core.customers ADD COLUMN notes text;",
    ]
    .iter();
    let mut planned = false;
    let all: Vec<Shown> = commands("A 60-second tour");
    assert_eq!(all.len(), 8);
    adopt_schema(&workspace);
    // The database that the reader has already.
    workspace.run(&mut workspace.cargo("xtask migrate up"));
    for Shown { command, output } in all {
        let is_up = command == "cargo xtask migrate up";
        if command == "cargo xtask migrate plan --locks" || is_up && !std::mem::take(&mut planned) {
            planned = !is_up;
            let up = written.next().unwrap();
            workspace.write(file, format!("-- Purpose: add customers notes\n-- migrate:up\n{up}\n\n{down}"));
        }
        if command == "cargo xtask dist" {
            // A release build takes minutes; what it prints is held by the tests of xtask.
            continue;
        }
        // As a terminal shows it: both streams in one.
        let cargo = workspace.cargo(command.strip_prefix("cargo ").unwrap());
        let mut shell = workspace.program("sh");
        shell.args(["-c", "exec \"$0\" \"$@\" 2>&1"]).arg(cargo.get_program()).args(cargo.get_args());
        let happened = workspace.output(&mut shell);
        if output.is_empty() {
            assert_eq!(happened.code, "0", "{command}: {}", happened.stdout);
        } else {
            // It was typed on this repository's release.
            let expected = workspace
                .normalise(&output)
                .replace("schema.facts.15", "schema.facts.MAJOR")
                .replace("db/locks.15", "db/locks.MAJOR");
            assert_eq!(happened.stdout, expected, "{command}");
        }
    }
    assert!(written.next().is_none());
}

/// The names of the commands in a program's help.
fn in_help(help: &str) -> BTreeSet<String> {
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let name = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    let names = commands.lines().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("    ")).map(name);
    names.collect()
}

/// The first word of everything in backticks in the first column of a table.
fn in_table(section: &str) -> BTreeSet<String> {
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    // A bar within a cell is written with a backslash.
    let cells = rows.map(|row| row[2..].split(" | ").next().unwrap());
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    names.map(|name| name.split([' ', '\\']).next().unwrap().to_owned()).collect()
}

#[test]
fn every_command_stands_in_its_table_and_no_other() {
    let workspace = own();
    let tasks = workspace.output(&mut workspace.cargo("xtask --help"));
    let migrator = workspace.output(workspace.program(env!("CARGO_BIN_EXE_dir-migrator")).args(["db", "--help"]));
    let check = |heading: &str, help: &str| {
        let mut listed = in_table(&section(heading));
        // The database itself is an affair of `migrate`.
        listed.retain(|command| !["create", "drop"].contains(&&**command));
        assert_eq!(listed, in_help(help), "the table and the help");
    };
    check("### `cargo xtask`: for developers, from any folder of the workspace", &tasks.stdout);
    check("### `migrator`: the binary that ships", &migrator.stdout);
}
