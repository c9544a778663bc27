//! docs/schema/migrator.toml.json: what an editor completes is what the reader takes.

use std::path::Path;

use expect_test::expect_file;
use migrator_build::model::keys::{ENVIRONMENTS, KEYS, Takes, keys_of, sections};
use migrator_build::model::{Environment, Settings};
use serde_json::{Map, Value, json};

const FILE: &str = "../../../docs/schema/migrator.toml.json";

/// What a key takes, as JSON Schema has it.
fn form(takes: Takes) -> Value {
    match takes {
        Takes::Text => json!({ "type": "string" }),
        Takes::Duration => json!({ "type": "string", "pattern": "^(0|[0-9]+(ms|s|min|h))$" }),
        Takes::Version => json!({ "type": "string", "pattern": "^[0-9]+$" }),
        Takes::Flag => json!({ "type": "boolean" }),
        Takes::Count => json!({ "type": "integer", "minimum": 0 }),
        Takes::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Takes::Choice(words) => json!({ "enum": words }),
        other => panic!("{other:?} has no form here"),
    }
}

/// A value of a TOML file.
fn parsed(value: &str) -> Value {
    if value.starts_with(['"', '[']) {
        serde_json::from_str(value).unwrap()
    } else {
        value.parse::<bool>().unwrap().into()
    }
}

fn section(name: &str) -> Value {
    let keys = KEYS.iter().filter(|key| key.section == name);
    let properties: Map<String, Value> = keys
        .map(|key| {
            let mut of = form(key.takes);
            of["description"] = key.about.into();
            let default = match name {
                ENVIRONMENTS => Environment::new("x".into()).value(key.name),
                section => Settings::new().value(section, key.name),
            };
            if let Some(default) = default {
                of["default"] = parsed(&default);
            }
            (key.name.to_owned(), of)
        })
        .collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn schema() -> Value {
    let of_section = |name: &str| match name {
        ENVIRONMENTS => json!({ "type": "object", "additionalProperties": section(name) }),
        name => section(name),
    };
    let properties: Map<String, Value> =
        sections().into_iter().map(|name| (name.to_owned(), of_section(name))).collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "db/migrator.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

#[test]
fn the_schema_has_the_keys_of_the_reader() {
    let text = serde_json::to_string_pretty(&schema()).unwrap();
    expect_file![FILE].assert_eq(&format!("{text}\n"));
}

#[test]
fn the_reader_takes_each_key_of_the_table_and_knows_what_it_takes() {
    let of = |takes: Takes, is_right: bool| {
        match (takes, is_right) {
            (Takes::Text, true) => "\"x\"",
            (Takes::Duration, true) => "\"3s\"",
            (Takes::Version, true) => "\"001\"",
            (Takes::Flag, true) => "true",
            (Takes::Count, true) => "3",
            (Takes::Texts, true) => "[]",
            (Takes::Choice(words), true) => return format!("\"{}\"", words[0]),
            (Takes::Flag | Takes::Count, false) => "\"x\"",
            (_, false) => "7",
            (other, _) => panic!("{other:?}"),
        }
        .to_owned()
    };
    for key in KEYS {
        let section = if key.section == ENVIRONMENTS { "environments.production" } else { key.section };
        for is_right in [true, false] {
            let root = tempfile::TempDir::new().unwrap();
            let db = root.path().join("db");
            std::fs::create_dir_all(db.join("migrations")).unwrap();
            std::fs::write(db.join("migrations/001_a.sql"), "-- migrate:up\nSELECT 1;\n-- migrate:down\n").unwrap();
            let text = format!("[{section}]\n{} = {}\n", key.name, of(key.takes, is_right));
            std::fs::write(db.join("migrator.toml"), &text).unwrap();
            let said = match migrator_build::load(&db) {
                Ok(_) => String::new(),
                Err(problems) => problems.to_string(),
            };
            assert_eq!(said.contains("M041"), !is_right, "{text}: {said}");
            assert!(!said.contains("unknown key"), "{text}: {said}");
        }
    }
    assert_eq!(keys_of("history"), ["schema", "table", "writers"]);
}

#[test]
fn an_editor_finds_the_schema_from_the_files_that_we_write() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let first = |text: String| text.lines().find_map(|line| Some(line.strip_prefix("#:schema ")?.to_owned())).unwrap();
    assert!(root.join("db").join(first(read("db/migrator.toml"))).is_file());
    let manifest = read("Cargo.toml");
    let repository = manifest.lines().find_map(|line| line.strip_prefix("repository = \"")?.strip_suffix('"')).unwrap();
    let written = first(read("xtask/src/author/init/files/migrator.toml"));
    let path = written.strip_prefix(&format!("{repository}/")).unwrap();
    assert!(root.join(path).is_file(), "{written}");
}
