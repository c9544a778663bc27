//! What a program reads: one JSON object on each line of stdout, for what happens on the way, and a last one for how it ended.
//!
//! A process has one stdout, so whether it speaks JSON is a fact about the process. Everything that is printed asks here first:
//! sentences become the `message` of the last object, whatever says them, so that nothing but JSON is on stdout.

use std::sync::Mutex;

use migrator_diagnostic::printable;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::stdout;
use crate::machine::failure;

/// The form of the lines; it grows when a program that reads them would have to change.
const FORMAT: u8 = 1;

/// What the process is asked for, and what is known of the last object.
#[derive(Default)]
struct Lines {
    command: Option<String>,
    sentences: Vec<String>,
    result: Map<String, Value>,
    error: Option<Value>,
    /// The last line has begun with a list; whether that holds anything yet.
    list: Option<bool>,
    is_over: bool,
}

/// `None`: the process speaks to a person.
static LINES: Mutex<Option<Lines>> = Mutex::new(None);

/// One line. What is the envelope's is not taken from `rest`.
#[derive(Serialize)]
struct Line<'a> {
    format: u8,
    command: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a str>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Line<'_> {
    fn write(mut self) {
        for name in ["format", "command", "event"] {
            self.rest.remove(name);
        }
        // Keys are texts and values are JSON: there is nothing that could not be written as JSON.
        let Ok(line) = serde_json::to_string(&self) else { return };
        stdout::write(&printable::json(&line));
    }
}

/// From here on, stdout is for a program. `command`: what was asked for, if that is known.
pub fn speak_json(command: Option<&str>) {
    if let Ok(mut lines) = LINES.lock() {
        *lines = Some(Lines { command: command.map(str::to_owned), ..Lines::default() });
    }
}

/// Whether stdout is for a program, which has not been told yet how it ended.
pub fn is_json() -> bool {
    with(|_| ()).is_some()
}

/// Writes values of a list of the result, before the last line ends: what is written is not kept. It is the one list of a process; what
/// else happens from here on is a part of that line, and no event.
pub(crate) fn items(name: &str, values: impl Iterator<Item = Value>) {
    with(|lines| {
        let mut text = String::new();
        if lines.list.is_none() {
            let command = json!(lines.command);
            text.push_str(&format!("{{\"format\":{FORMAT},\"command\":{command},{}:[", json!(name)));
        }
        let mut holds = lines.list.unwrap_or(false);
        for value in values {
            text.push_str(if holds { "," } else { "" });
            text.push_str(&value.to_string());
            holds = true;
        }
        lines.list = Some(holds);
        stdout::write_part(&printable::json(&text));
    });
}

/// Tells what happens on the way. `about` is an object.
pub fn event(name: &str, about: Value) {
    with(|lines| {
        if lines.list.is_some() {
            return lines.sentences.extend(about["message"].as_str().map(str::to_owned));
        }
        Line { format: FORMAT, command: lines.command.as_deref(), event: Some(name), rest: object(about) }.write()
    });
}

/// Tells how it ended: with what the command has given as its result, or with this `error`. `exit` is the exit code.
pub fn conclude(error: Option<Value>, exit: u8) {
    with(|lines| {
        let mut rest = std::mem::take(&mut lines.result);
        if !lines.sentences.is_empty() {
            rest.insert("message".to_owned(), lines.sentences.join("\n").into());
        }
        if let Some(error) = error.or(lines.error.take()) {
            rest.insert("error".to_owned(), error);
        }
        rest.insert("exit".to_owned(), exit.into());
        if lines.list.is_some() {
            let rest = Value::Object(rest).to_string();
            stdout::write(&printable::json(&format!("],{}", &rest[1..])));
        } else {
            Line { format: FORMAT, command: lines.command.as_deref(), event: None, rest }.write();
        }
        lines.is_over = true;
    });
}

/// Leaves the last line to another program, which this one has started in its place.
pub fn hand_over() {
    with(|lines| lines.is_over = true);
}

/// Keeps an error that a program goes on after, for the last line: `code`, what failed, and the ways out. One that is kept already becomes
/// an event.
pub fn keep_error(code: &str, message: &str, help: &[String]) {
    let earlier = with(|lines| lines.error.replace(failure::of_text(code, message, help)));
    if let Some(earlier) = earlier.flatten() {
        event("error", json!({ "error": earlier }));
    }
}

/// Keeps the result for the last line; false: the process speaks to a person.
pub(super) fn keep(result: &Value) -> bool {
    with(|lines| {
        for (name, value) in object(result.clone()) {
            match (lines.result.get_mut(&name), value) {
                // A list that two parts of the work write.
                (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
                (_, value) => drop(lines.result.insert(name, value)),
            }
        }
    })
    .is_some()
}

/// Keeps a sentence for the last line; false: the process speaks to a person.
pub(super) fn sentence(text: &str) -> bool {
    with(|lines| lines.sentences.push(text.trim_end().to_owned())).is_some()
}

fn with<T>(work: impl FnOnce(&mut Lines) -> T) -> Option<T> {
    let mut lines = LINES.lock().ok()?;
    lines.as_mut().filter(|lines| !lines.is_over).map(work)
}

/// What is no object gets a name.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => Map::from_iter([("items".to_owned(), other)]),
    }
}
