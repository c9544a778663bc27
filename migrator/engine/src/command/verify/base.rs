//! What production has before the next release: the migrations and the repeatables of the base branch. git knows them, and this program
//! asks no git: the task that called it has asked, and hands over what came out.

use std::path::Path;

use serde::Deserialize;

use crate::client::statements;
use crate::embedded::{Embedded, Script};
use crate::error::Error;

/// `{"known":{"name":"origin/main","versions":["001"],"repeatables":[{"name":"v","text":"...","starts":[0]}]}}`, or
/// `{"unknown":"this is not a git repository"}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum HandedOver {
    Known(Known),
    Unknown(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    /// As people call it.
    name: String,
    versions: Vec<String>,
    repeatables: Vec<Repeatable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeatable {
    /// The file name without `.sql`.
    name: String,
    text: String,
    /// The bytes at which its statements start.
    starts: Vec<usize>,
}

/// The state before the next release.
#[derive(Debug)]
pub(super) struct Base {
    /// The base branch; `None`: it is all but the newest migration.
    pub(super) branch: Option<String>,
    /// Why it is not a branch's.
    pub(super) reason: Option<String>,
    /// Its versions that the migrations of this binary begin with, as numbers.
    pub(super) versions: Vec<i64>,
    /// Those that this binary does not hold.
    pub(super) unknown: Vec<String>,
    /// As they were there; where no branch is known, as they are now.
    pub(super) repeatables: Vec<&'static Script>,
}

impl Base {
    /// Reads what was handed over; nothing: all but the newest migration.
    ///
    /// # Errors
    /// The file cannot be read, or is of another form.
    pub(super) fn read(file: Option<&Path>, embedded: &'static Embedded) -> Result<Base, Error> {
        let Some(file) = file else { return Ok(Base::without_newest(embedded, None)) };
        let refused = |reason: String| {
            Error::usage(format!("cannot read what `--base` says of the base branch: {reason}"))
                .help("leave it to `cargo xtask verify`, of the same release as the engine")
        };
        let text = std::fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
        match serde_json::from_str(&text).map_err(|error| refused(error.to_string()))? {
            HandedOver::Unknown(reason) => Ok(Base::without_newest(embedded, Some(reason))),
            HandedOver::Known(known) => Ok(Base::of(known, embedded)),
        }
    }

    fn without_newest(embedded: &'static Embedded, reason: Option<String>) -> Base {
        let before = embedded.migrations.split_last().map_or(&[][..], |(_, before)| before);
        Base {
            branch: None,
            reason,
            versions: before.iter().map(|migration| migration.number).collect(),
            unknown: Vec::new(),
            repeatables: embedded.repeatables.iter().collect(),
        }
    }

    fn of(known: Known, embedded: &'static Embedded) -> Base {
        let number = |version: &String| version.parse().ok();
        let is_held = |number: i64| embedded.migrations.iter().any(|migration| migration.number == number);
        let (held, unknown): (Vec<String>, Vec<String>) =
            known.versions.into_iter().partition(|version| number(version).is_some_and(is_held));
        Base {
            branch: Some(known.name),
            reason: None,
            versions: held.iter().filter_map(number).collect(),
            unknown,
            repeatables: known.repeatables.into_iter().map(|script| there(script, embedded)).collect(),
        }
    }
}

/// A repeatable as it was; the one of this binary, where it is still the same.
fn there(before: Repeatable, embedded: &'static Embedded) -> &'static Script {
    let same = |script: &&Script| script.name == before.name && script.text == before.text;
    if let Some(script) = embedded.repeatables.iter().find(same) {
        return script;
    }
    let is_place = |place: &usize| before.text.is_char_boundary(*place);
    let starts: Vec<usize> = before.starts.into_iter().filter(is_place).collect();
    let statements = statements(&starts, before.text.len());
    // They live until the process ends, as compiled ones do.
    let file = format!("db/repeatable/{}.sql", before.name);
    // No text that is compiled in has this checksum: it is another.
    let checksum = "".into();
    Box::leak(Box::new(Script::new(before.name.into(), file.into(), before.text.into(), checksum, statements.into())))
}
