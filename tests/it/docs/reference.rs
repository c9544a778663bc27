//! docs/reference: what the programs say of themselves, as pages. `UPDATE_EXPECT=1` writes them anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use expect_test::expect_file;
use migrator_build::Code;
use migrator_build::model::keys::{ENVIRONMENTS, KEYS, Takes, sections};
use migrator_build::model::{Environment, Settings};
use serde_json::Value;

use crate::people::reference::collect;
use crate::support::Project;
use crate::support::schema::documents;
use crate::workspace::repository;

/// The line that each of these pages has below its title.
const GENERATED: &str = "A test writes this page, from what the programs are made of: `UPDATE_EXPECT=1 cargo test --workspace --test it -- docs::reference`.";

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The help of a program and of all its commands. What every command has in common is with the program.
fn command_line(program: &str, about: &str) -> String {
    let mut all = String::new();
    collect(program, &Project::without_database(), &[], &mut all);
    let mut page = format!("# `{program}`\n\n{about}\n\n{GENERATED}\n");
    for command in all.split("===== ").skip(1) {
        let (name, help) = command.split_once('\n').unwrap();
        let help = if name == program { help.to_owned() } else { without_global_options(help) };
        let lines: String = help.trim().lines().map(|line| format!("{}\n", line.trim_end())).collect();
        if name != program {
            let _ = write!(page, "\n## `{name}`\n");
        }
        let _ = write!(page, "\n```text\n{lines}```\n");
    }
    page
}

fn without_global_options(help: &str) -> String {
    let Some((before, behind)) = help.split_once("\nGlobal options:\n") else { return help.to_owned() };
    // They are indented, up to the first line at the margin.
    let after = behind.lines().skip_while(|line| line.is_empty() || line.starts_with(' '));
    before.to_owned() + "\n" + &after.map(|line| format!("{line}\n")).collect::<String>()
}

#[test]
fn the_commands_are_those_of_the_programs() {
    let migrator = "The binary that ships with a release. [The README](../../README.md#commands) has both programs at a glance; the global \
                    options are those of every command.";
    expect_file!["../../../docs/reference/migrator.md"]
        .assert_eq(&command_line("migrator", migrator).replace("dir-migrator", "migrator"));
    let tasks = "The developer's tasks. `up`, `down`, `status`, `reset` and `seed` take the options of [`migrator`](migrator.md).";
    expect_file!["../../../docs/reference/xtask.md"].assert_eq(&command_line("cargo xtask", tasks));
}

/// What `migrator help CODE` says, in its paragraphs.
fn said(name: &str) -> Vec<String> {
    let text = migrator_engine::reference::code(name).unwrap_or_else(|| panic!("nothing is known of {name}"));
    text.split("\n\n").map(str::to_owned).collect()
}

#[test]
fn the_codes_and_hazards_are_those_that_the_programs_explain() {
    let mut page = format!(
        "# Codes and hazards\n\n`migrator help M012` and `cargo xtask help ban-drop-column` print what is known of one. {GENERATED}\n\n\
         ## Codes\n\nWhat is wrong with a file. The link has the explanation, a bad example and a good one.\n\n| code | means | severity |\n|---|---|---|\n"
    );
    for code in Code::ALL {
        let paragraphs = said(&code.to_string());
        let (_, title) = paragraphs[0].split_once(' ').unwrap();
        let severity = paragraphs[1].strip_prefix("A").unwrap().trim_start_matches('n').trim_start();
        let severity = severity.split(['.', ',', ':']).next().unwrap();
        let anchor =
            paragraphs[0].to_lowercase().replace(' ', "-").replace(['`', ',', '.', '\'', '(', ')', ':', '/'], "");
        let _ = writeln!(page, "| [{code}](../../db/README.md#{anchor}) | {} | {severity} |", cell(title));
    }
    page.push_str(
        "\n## Hazards\n\nStatements that are correct and still dangerous. [The rules](../../db/README.md#hazards) say how to write them \
         safely, and how to allow one.\n\n| hazard | lock | the safe way |\n|---|---|---|\n",
    );
    let mut rules: Vec<&str> = migrator_lint::RULES.iter().map(|rule| rule.name).collect();
    rules.sort_unstable();
    for rule in rules {
        let paragraphs = said(rule);
        let part = |start: &str| {
            paragraphs.iter().find_map(|text| text.strip_prefix(start)).unwrap_or_else(|| panic!("{rule}: {start}"))
        };
        let _ = writeln!(page, "| `{rule}` | {} | {} |", cell(part("Lock: ")), cell(part("The safe way: ")));
    }
    expect_file!["../../../docs/reference/codes.md"].assert_eq(&page);
}

fn takes(takes: Takes) -> String {
    match takes {
        Takes::Text => "a text".to_owned(),
        Takes::Duration => "a time: `\"500ms\"`, `\"2s\"`, `\"10min\"`".to_owned(),
        Takes::Version => "a version: `\"012\"`".to_owned(),
        Takes::Flag => "`true` or `false`".to_owned(),
        Takes::Count => "a number".to_owned(),
        Takes::Texts => "a list of texts".to_owned(),
        Takes::Choice(words) => words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "),
        other => panic!("{other:?} has no words here"),
    }
}

#[test]
fn the_settings_are_those_of_the_reader() {
    let mut page = format!(
        "# Settings\n\ndb/migrator.toml is compiled into the binary; `migrator config` shows what is in force and where it comes from. \
         [The rules](../../db/README.md#settings-migratortoml) explain each key, and \
         [migrator.toml.json](../schema/migrator.toml.json) is a JSON Schema for editors. {GENERATED}\n"
    );
    for section in sections() {
        let is_of_environments = section == ENVIRONMENTS;
        let name = if is_of_environments { format!("{section}.NAME") } else { section.to_owned() };
        let _ = write!(page, "\n## `[{name}]`\n\n| key | takes | default | decides |\n|---|---|---|---|\n");
        for key in KEYS.iter().filter(|key| key.section == section) {
            let default = match is_of_environments {
                true => Environment::new("x".into()).value(key.name),
                false => Settings::new().value(section, key.name),
            };
            let default = default.map_or("none".to_owned(), |value| format!("`{value}`"));
            let _ =
                writeln!(page, "| `{}` | {} | {} | {} |", key.name, takes(key.takes), cell(&default), cell(key.about));
        }
    }
    expect_file!["../../../docs/reference/settings.md"].assert_eq(&page);
}

/// What a value of a schema is, in few words.
fn form(schema: &Value) -> String {
    if let Some(value) = schema.get("const") {
        return format!("`{value}`");
    }
    if let Some(reference) = schema["$ref"].as_str() {
        return format!("`{}`", reference.rsplit('/').next().unwrap());
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    if let Some(ways) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        return ways.iter().map(form).collect::<Vec<_>>().join(" or ");
    }
    let name = |name: &Value| match (name.as_str().unwrap_or_default(), schema.get("items")) {
        ("array", Some(items)) => format!("array of {}", form(items)),
        (name, _) => name.to_owned(),
    };
    match &schema["type"] {
        Value::Array(names) => names.iter().map(name).collect::<Vec<_>>().join(" or "),
        Value::Null => "see the schema".to_owned(),
        one => name(one),
    }
}

/// A table of the keys of an object.
fn keys(schema: &Value) -> String {
    let mut table = "| key | holds | |\n|---|---|---|\n".to_owned();
    let properties: BTreeMap<_, _> = schema["properties"].as_object().unwrap().iter().collect();
    let shared = ["format", "command", "message", "exit"];
    for (key, value) in properties.into_iter().filter(|(key, _)| !shared.contains(&key.as_str())) {
        let about = value["description"].as_str().unwrap_or_default();
        let _ = writeln!(table, "| `{key}` | {} | {} |", cell(&form(value)), cell(about));
    }
    table
}

#[test]
fn the_json_is_what_the_schemas_say() {
    let mut page = format!(
        "# JSON\n\nWith `--json`, every line of stdout is an object; [the README](../../README.md#json-output) says what they have in \
         common: `format`, `command`, `exit`, and in the last line of a success `message`. Every line that the tests see is checked against \
         the schemas in [docs/schema](../schema). {GENERATED}\n"
    );
    for (name, document) in documents() {
        if name == "common" || name == "event" {
            continue;
        }
        let _ = write!(
            page,
            "\n## `{name}`\n\n{}: [{name}.json](../schema/{name}.json).\n",
            document["title"].as_str().unwrap()
        );
        let forms: Vec<&Value> =
            document["oneOf"].as_array().map_or_else(|| vec![document], |forms| forms.iter().collect());
        for form in forms {
            let table = keys(form);
            if table.lines().count() > 2 {
                let _ = write!(page, "\n{table}");
            }
        }
    }
    let error = &documents()["error"]["$defs"]["error"];
    let _ = write!(page, "\n## `error` in detail\n\n{}", keys(error));
    page.push_str("\n## Events\n\nA line with `event` says what happens: [event.json](../schema/event.json). Ignore those that you do not know.\n\n| event | says | its keys |\n|---|---|---|\n");
    page.push_str(&events(&documents()["event"]));
    expect_file!["../../../docs/reference/json.md"].assert_eq(&page);
}

/// A row for each event of a schema, which may have forms below it.
fn events(schema: &Value) -> String {
    if let Some(forms) = schema["oneOf"].as_array() {
        return forms.iter().map(events).collect();
    }
    let properties = schema["properties"].as_object().unwrap();
    let shared = |key: &&String| !["format", "command", "event"].contains(&key.as_str());
    let keys: Vec<String> = properties.keys().filter(shared).map(|key| format!("`{key}`")).collect();
    let about = cell(schema["description"].as_str().unwrap_or_default());
    format!("| {} | {about} | {} |\n", form(&properties["event"]).replace('"', ""), keys.join(", "))
}

#[test]
fn every_page_of_the_reference_is_written_by_a_test() {
    let source = fs::read_to_string(repository().join("tests/it/docs/reference.rs")).unwrap();
    for page in super::pages("reference") {
        let name = page.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(source.contains(&format!("docs/reference/{name}\"]")), "no test writes docs/reference/{name}");
    }
}
