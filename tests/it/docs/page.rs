//! A page: text, consoles whose commands are run, files that it has the reader write, and incidents that happen to the reader.

use std::fs;
use std::path::Path;

use expect_test::expect_file;

use super::console::are_alike;
use super::reader::Reader;

/// A part of a page.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// Lines that are read only.
    Text(String),
    /// A file and its content; the first line of its block names it.
    File { path: String, content: String, block: String },
    /// What happens meanwhile, in a comment that no reader sees.
    Incident(String),
    /// Commands, and what is shown below each.
    Console(Vec<(String, String)>),
}

const INCIDENT: &str = "<!-- drill: ";

fn parse(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut lines = page.split_inclusive('\n');
    while let Some(line) = lines.next() {
        if let Some(words) = line.strip_prefix(INCIDENT) {
            parts.push(Part::Incident(words.trim_end().trim_end_matches("-->").trim().to_owned()));
        } else if let Some(language) = line.strip_prefix("```").map(str::trim) {
            let inside: String = lines.by_ref().take_while(|line| line.trim_end() != "```").collect();
            parts.push(block(language, &inside));
        } else if let Some(Part::Text(text)) = parts.last_mut() {
            text.push_str(line);
        } else {
            parts.push(Part::Text(line.to_owned()));
        }
    }
    parts
}

fn block(language: &str, inside: &str) -> Part {
    let whole = format!("```{language}\n{inside}```\n");
    let (first, rest) = inside.split_once('\n').unwrap_or((inside, ""));
    let path = first.trim_start_matches(['-', '#']).trim();
    match language {
        "console" => Part::Console(shown(inside)),
        "sql" | "toml" if first.starts_with(['-', '#']) && path.starts_with("db/") => {
            Part::File { path: path.to_owned(), content: rest.to_owned(), block: whole }
        }
        _ => Part::Text(whole),
    }
}

fn shown(inside: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in inside.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            // A command that goes on in the next line.
            (None, Some((command, output))) if output.is_empty() && command.ends_with('\\') => {
                command.push('\n');
                command.push_str(line);
            }
            (None, Some((_, output))) => output.push_str(&format!("{line}\n")),
            (None, None) => panic!("a console begins with a command: {line}"),
        }
    }
    commands
}

/// Does what the page says, and compares what it shows; `UPDATE_EXPECT=1` writes what has happened into it.
pub(super) fn follow(path: &Path, reader: &mut Reader) {
    let text = fs::read_to_string(path).unwrap();
    let parts = parse(&text);
    assert!(parts.iter().any(|part| matches!(part, Part::Console(_))), "{} shows nothing", path.display());
    let rendered: String = parts.into_iter().map(|part| happen(part, reader)).collect();
    // What a page has the reader write is as our own rules have it.
    let checked = reader.run("cargo xtask check");
    assert!(checked.ends_with("\nnothing found\n") || checked == "nothing found\n", "{}: {checked}", path.display());
    expect_file![path].assert_eq(&rendered);
}

/// The part as it ought to be.
fn happen(part: Part, reader: &mut Reader) -> String {
    match part {
        Part::Text(text) => text,
        Part::File { path, content, block } => {
            reader.write(&path, &content);
            block
        }
        Part::Incident(words) => {
            reader.suffer(&words);
            format!("{INCIDENT}{words} -->\n")
        }
        Part::Console(commands) => {
            let mut block = "```console\n".to_owned();
            for (command, shown) in commands {
                let said = reader.run(&command);
                let output = if are_alike(&shown, &said) { shown } else { said };
                block.push_str(&format!("$ {command}\n{output}"));
            }
            block + "```\n"
        }
    }
}

#[test]
fn a_page_falls_into_its_parts() {
    let page = "# A\n\n```console\n$ one \\\n    more\n$ two\nsaid\n```\n<!-- drill: build 1.0 -->\n\
                ```sql\n-- db/migrations/001_a.sql\n-- migrate:up\n```\n```sql\nSELECT 1;\n```\nend\n";
    let text = |text: &str| Part::Text(text.to_owned());
    assert_eq!(
        parse(page),
        [
            text("# A\n\n"),
            Part::Console(vec![
                ("one \\\n    more".to_owned(), String::new()),
                ("two".to_owned(), "said\n".to_owned())
            ]),
            Part::Incident("build 1.0".to_owned()),
            Part::File {
                path: "db/migrations/001_a.sql".to_owned(),
                content: "-- migrate:up\n".to_owned(),
                block: "```sql\n-- db/migrations/001_a.sql\n-- migrate:up\n```\n".to_owned(),
            },
            text("```sql\nSELECT 1;\n```\nend\n"),
        ]
    );
}
