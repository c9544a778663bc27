//! What `--json` prints against docs/schema: every line that the tests see.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use jsonschema::{Registry, Validator};
use serde_json::Value;

/// What every line begins with.
const BEGINNING: &str = "{\"format\":1,\"command\":";

/// The schemas by name: `up`, `event`.
pub(crate) fn documents() -> &'static BTreeMap<String, Value> {
    static DOCUMENTS: OnceLock<BTreeMap<String, Value>> = OnceLock::new();
    DOCUMENTS.get_or_init(|| {
        let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema")).unwrap();
        let paths = files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "json"));
        // `migrator.toml.json` describes no output.
        let paths = paths.filter(|path| Path::new(path.file_stem().unwrap()).extension().is_none());
        paths
            .map(|path| {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                (name, serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap())
            })
            .collect()
    })
}

fn validators() -> &'static BTreeMap<&'static str, Validator> {
    static VALIDATORS: OnceLock<BTreeMap<&'static str, Validator>> = OnceLock::new();
    VALIDATORS.get_or_init(|| {
        let mut registry = Registry::new();
        for document in documents().values() {
            registry = registry.add(document["$id"].as_str().unwrap(), document).unwrap();
        }
        let registry = registry.prepare().unwrap();
        let validator = |document| {
            let options = jsonschema::options().with_registry(&registry).should_validate_formats(true);
            options.build(document).unwrap_or_else(|error| panic!("{}: {error}", document["$id"]))
        };
        documents().iter().map(|(name, document)| (&**name, validator(document))).collect()
    })
}

/// The lines of a program that was asked for JSON; panics where one of them is not as its schema says.
pub(crate) fn lines(stdout: &str) -> Vec<Value> {
    let lines: Vec<&str> = stdout.split_terminator('\n').collect();
    let values: Vec<Value> = lines.iter().map(|line| value(line)).collect();
    let ends = values.iter().filter(|value| value.get("event").is_none()).count();
    assert_eq!(ends, 1, "one line says how it ended:\n{stdout}");
    assert!(values.last().is_some_and(|last| last.get("event").is_none()), "that is the last one:\n{stdout}");
    values
}

fn value(line: &str) -> Value {
    assert!(line.starts_with(BEGINNING), "{line}");
    let printable = |c: char| !c.is_control() && !('\u{2028}'..='\u{202e}').contains(&c);
    assert!(line.chars().all(printable), "{line:?}");
    let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let schema = match () {
        () if value.get("event").is_some() => "event",
        () if value.get("error").is_some() => "error",
        () if value.get("help").is_some() => "help",
        () => value["command"].as_str().unwrap_or_else(|| panic!("no command: {line}")),
    };
    let validator = validators().get(schema).unwrap_or_else(|| panic!("there is no docs/schema/{schema}.json"));
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "docs/schema/{schema}.json: {line}\n{}", errors.join("\n"));
    value
}

/// The result in the output of a run as one text.
pub(crate) fn result(output: &str) -> Value {
    let last = output.lines().rfind(|line| line.starts_with(BEGINNING));
    serde_json::from_str(last.unwrap_or_else(|| panic!("{output}"))).unwrap()
}

/// Checks what a program has printed, if it is JSON.
pub(crate) fn check(stdout: &str) {
    if stdout.starts_with(BEGINNING) {
        lines(stdout);
    }
}
