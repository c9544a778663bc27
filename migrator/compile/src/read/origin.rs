//! `imported.toml`.

use std::collections::HashMap;

use toml::Spanned;
use toml::de::DeTable;

use migrator_model::{Imported, List, Origin, Text, Tool};

use crate::contract::keys::Mistake;
use crate::contract::origin;
use crate::problem::Problem;
use crate::read::keys::{Reader, Value};
use crate::source::Source;

/// The files that exist: the map may name no other.
pub(crate) struct Known<'a> {
    /// The versions of the migrations, as their file names have them.
    pub(crate) versions: Vec<&'a str>,
    /// The names of the repeatables.
    pub(crate) repeatables: Vec<&'a str>,
}

/// Reads the file; `None`: it says nothing that could be used.
pub(crate) fn read(source: &Source, known: &Known<'_>, problems: &mut Vec<Problem>) -> Option<Origin> {
    let mut reader = Reader::new(source, origin::RULE.code, problems);
    let table = reader.parse();
    let (mut tool, mut migrations, mut repeatables) = (None, Vec::new(), Vec::new());
    let mut named = false;
    reader.table(table.get_ref(), &["tool", "migrations", "repeatables"], |reader, key, value| match key {
        "tool" => {
            named = true;
            tool = tool_of(reader, value);
        }
        "migrations" => migrations = entries(reader, value, &MIGRATIONS, &known.versions),
        _ => repeatables = entries(reader, value, &REPEATABLES, &known.repeatables),
    });
    if !named {
        reader.refuse(0..0, origin::missing("tool"));
    }
    let number = |file: &Imported| file.ours.parse::<i64>().unwrap_or(i64::MAX);
    migrations.sort_by_key(number);
    Some(Origin::new(tool?).with_migrations(migrations.into()).with_repeatables(repeatables.into()))
}

fn tool_of(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Tool> {
    let name = reader.string("tool", value)?;
    let tool = Tool::parse(&name);
    if tool.is_none() {
        reader.refuse(value.span(), origin::no_such_tool(&name));
    }
    tool
}

/// One of the two lists.
struct Kind {
    list: &'static str,
    /// The key that names our file.
    ours: &'static str,
    keys: &'static [&'static str],
    no_such: fn(&str, &[&str]) -> Mistake,
}

const MIGRATIONS: Kind = Kind {
    list: "migrations",
    ours: "version",
    keys: &["version", "source", "name", "file", "checksums"],
    no_such: origin::no_such_version,
};

const REPEATABLES: Kind = Kind {
    list: "repeatables",
    ours: "name",
    keys: &["name", "source", "file", "checksums"],
    no_such: origin::no_such_repeatable,
};

fn entries(reader: &mut Reader<'_>, list: &Value<'_>, kind: &Kind, known: &[&str]) -> Vec<Imported> {
    let Some(array) = list.get_ref().as_array() else {
        reader.refuse_type(kind.list, list, "a list of tables", &format!("[[{}]]", kind.list));
        return Vec::new();
    };
    let is_known: std::collections::HashSet<&str> = known.iter().copied().collect();
    let (mut ours, mut sources) = (HashMap::new(), HashMap::new());
    let mut files = Vec::with_capacity(array.len());
    for value in array.iter() {
        let Some(table) = reader.section(kind.list, value) else { continue };
        let Some(entry) = entry(reader, value, table, kind) else { continue };
        if !is_known.contains(entry.ours.get_ref().as_str()) {
            reader.refuse(entry.ours.span(), (kind.no_such)(entry.ours.get_ref(), known));
        }
        refuse_second(reader, &mut ours, kind.ours, &entry.ours);
        refuse_second(reader, &mut sources, "source", &entry.source);
        let file = Imported::new(
            entry.ours.into_inner().into(),
            entry.source.into_inner().into(),
            entry.name.into(),
            entry.file.into(),
        );
        files.push(file.with_checksums(entry.checksums));
    }
    files
}

/// Refuses a value that an earlier entry has too.
fn refuse_second(reader: &mut Reader<'_>, seen: &mut HashMap<String, usize>, key: &str, value: &Spanned<String>) {
    let start = value.span().start;
    if let Some(earlier) = seen.insert(value.get_ref().clone(), start) {
        let (line, _) = reader.source().position(earlier);
        reader.refuse(value.span(), origin::twice(key, value.get_ref(), line));
    }
}

struct Entry {
    ours: Spanned<String>,
    source: Spanned<String>,
    name: String,
    file: String,
    checksums: List<Text>,
}

/// Reads an entry; `None`: one of the keys that it must have is missing.
fn entry(reader: &mut Reader<'_>, value: &Value<'_>, table: &DeTable<'_>, kind: &Kind) -> Option<Entry> {
    let (mut ours, mut source, mut file) = (None, None, None);
    let (mut name, mut checksums) = (String::new(), List::Borrowed([].as_slice()));
    reader.table(table, kind.keys, |reader, key, value| {
        if key == "checksums" {
            checksums = reader.strings(key, value).unwrap_or_default();
            return;
        }
        let Some(text) = reader.string(key, value) else { return };
        let text = Spanned::new(value.span(), text);
        match key {
            key if key == kind.ours => ours = Some(text),
            "source" => source = Some(text),
            "file" => file = Some(text),
            _ => name = text.into_inner(),
        }
    });
    let mut required = |key: &str, text: Option<Spanned<String>>| {
        let text = text.filter(|text| !text.get_ref().is_empty());
        if text.is_none() {
            reader.refuse(value.span(), origin::missing(key));
        }
        text
    };
    let (ours, source, file) = (required(kind.ours, ours), required("source", source), required("file", file));
    Some(Entry { ours: ours?, source: source?, name, file: file?.into_inner(), checksums })
}
