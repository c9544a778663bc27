//! The list of codes in db/README.md is true: its examples do what it says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use migrator_build::{Code, Problem, Severity};
use tempfile::TempDir;

use crate::fixtures::{codes, problems};

/// The files of an example by their path below db/.
type Files = BTreeMap<String, Vec<u8>>;

/// One paragraph of the list.
#[derive(Debug, Default)]
struct Entry {
    code: String,
    title: String,
    text: String,
    bad: Files,
    good: Files,
}

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../db/README.md")).unwrap()
}

/// The section below a heading of the second level.
fn section(heading: &str) -> String {
    let text = readme();
    let (_, behind) = text.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading}"));
    behind.split("\n## ").next().unwrap().to_owned()
}

/// Reads the list: headings, and the code blocks behind lines that begin with `Bad`, `Good` or `Both`.
fn entries() -> Vec<Entry> {
    let section = section("Problems and their codes");
    section.split("\n### ").skip(1).map(entry).collect()
}

fn entry(paragraph: &str) -> Entry {
    let (heading, body) = paragraph.split_once('\n').unwrap();
    let (code, title) = heading.split_once(' ').unwrap();
    let mut entry = Entry { code: code.to_owned(), title: title.to_owned(), ..Entry::default() };
    let mut lines = body.lines();
    let (mut bad, mut good, mut path) = (false, false, None);
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let block: String =
                lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            let files = files(language, path.take(), &block);
            if bad {
                entry.bad.extend(files.clone());
            }
            if good {
                entry.good.extend(files);
            }
        } else if ["Bad", "Good", "Both"].iter().any(|word| line.starts_with(word)) && line.ends_with(':') {
            (bad, good) = (!line.starts_with("Good"), !line.starts_with("Bad"));
            path = line.split('`').nth(1).map(str::to_owned);
        } else {
            entry.text.push_str(line);
        }
    }
    entry
}

fn files(language: &str, path: Option<String>, block: &str) -> Files {
    let one = |bytes: Vec<u8>| {
        Files::from([(path.clone().unwrap_or_else(|| "migrations/001_example.sql".to_owned()), bytes)])
    };
    match language {
        "text" => block.lines().map(|line| (line.to_owned(), plain(line))).collect(),
        "sql" | "toml" => one(block.as_bytes().to_vec()),
        "printf" => one(unescape(block.trim_end_matches('\n'))),
        other => panic!("a code block in `{other}`"),
    }
}

/// What stands in a file of which only the name matters.
fn plain(path: &str) -> Vec<u8> {
    let text = match path.split('/').next() {
        Some("migrations") => "-- migrate:up\nSELECT 1;\n-- migrate:down\n",
        Some("tests") => "-- test:after\nSELECT 1;\n",
        _ => "SELECT 1;\n",
    };
    text.as_bytes().to_vec()
}

/// `\n`, `\r` and `\xEF`.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        bytes.extend(before.as_bytes());
        let (byte, length) = match &escape[..1] {
            "n" => (b'\n', 1),
            "r" => (b'\r', 1),
            "x" => (u8::from_str_radix(&escape[1..3], 16).unwrap(), 3),
            other => panic!("an escape `{other}`"),
        };
        bytes.push(byte);
        rest = &escape[length..];
    }
    bytes.extend(rest.as_bytes());
    bytes
}

/// What is said about the files. A migration is added where there is none, unless the missing directory is the point.
fn check(files: &Files, code: &str) -> Vec<Problem> {
    let root = TempDir::new().unwrap();
    let db = root.path().join("db");
    let write = |path: &str, bytes: &[u8]| {
        let (path, target) = path.split_once(" -> ").map_or((path, None), |(path, target)| (path, Some(target)));
        let path = db.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match target {
            Some(target) => std::os::unix::fs::symlink(target, path).unwrap(),
            None => std::fs::write(path, bytes).unwrap(),
        }
    };
    files.iter().for_each(|(path, bytes)| write(path, bytes));
    if code != "M001" && !files.keys().any(|path| path.starts_with("migrations/")) {
        write("migrations/001_example.sql", &plain("migrations/001_example.sql"));
    }
    problems(&db)
}

#[test]
fn every_code_is_listed_once_in_order_under_its_title() {
    let listed: Vec<(String, String)> = entries().into_iter().map(|entry| (entry.code, entry.title)).collect();
    let known: Vec<(String, String)> =
        Code::ALL.iter().map(|code| (code.to_string(), code.title().replace('`', ""))).collect();
    assert_eq!(listed, known);
}

#[test]
fn a_listed_code_says_whether_it_is_an_error_or_a_warning() {
    for (entry, code) in entries().iter().zip(Code::ALL) {
        let word = match code.severity() {
            Severity::Error => "An error. ",
            Severity::Warning => "A warning. ",
        };
        assert!(entry.text.starts_with(word), "{code} is {:?}: {}", code.severity(), entry.text);
    }
}

#[test]
fn a_bad_example_gives_its_code_and_no_other() {
    for entry in entries() {
        let problems = check(&entry.bad, &entry.code);
        assert_eq!(codes(&problems), BTreeSet::from([entry.code.as_str()]), "{problems:#?}");
    }
}

#[test]
fn a_good_example_gives_nothing() {
    for entry in entries() {
        assert!(!entry.good.is_empty(), "{} has no good example", entry.code);
        assert_eq!(check(&entry.good, &entry.code), [], "the good example of {}", entry.code);
    }
}

#[test]
fn what_dbmate_takes_and_we_refuse_names_codes_that_exist() {
    let known: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let section = section("What dbmate accepts and we refuse");
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 3, "{row}");
        for code in cells[2].split(", ") {
            assert!(known.contains(code), "`{code}` in {row}");
        }
    }
}
