//! `V1__name.sql`: Flyway with its undo, baseline and repeatable migrations and its script configurations, and refinery.

use std::collections::BTreeMap;

use crate::author::import::checksum;
use crate::author::import::draft::{Draft, Found, Key, Part, Repeatable, Row};
use crate::author::import::name;
use crate::author::import::tool::{Letters, Tool};
use crate::author::import::tree::{Content, Tree};

/// A file's name in its parts.
struct Lettered<'a> {
    letter: char,
    /// As the history has it: `1`, `1.1`; empty for a repeatable one.
    version: String,
    description: &'a str,
}

pub(crate) fn read(tool: &Tool, letters: Letters, tree: &mut Tree, found: &mut Found) {
    let mut undos: BTreeMap<Key, String> = BTreeMap::new();
    let mut baselines: Vec<Draft> = Vec::new();
    for path in tree.files() {
        let (_, file) = name::parent_and_name(&path);
        let Some(parts) = split(file, letters) else { continue };
        let key = Key::numbers(parts.version.split('.'), "");
        match (letters, parts.letter) {
            (Letters::Flyway, 'U') => {
                tree.take(&path);
                if let Some(other) = undos.insert(key, path.clone()) {
                    found.refuse(&path, 0, format!("it undoes the same version as `{other}`"));
                }
            }
            (Letters::Flyway, 'R') => repeatable(&path, &parts, tree, found),
            (_, letter) => {
                let Some(draft) = draft(tool, letters, &path, &parts, key, tree, found) else { continue };
                if letter == 'B' { baselines.push(draft) } else { found.drafts.push(draft) }
            }
        }
    }
    baseline(baselines, found);
    for draft in &mut found.drafts {
        let Some(file) = undos.remove(&draft.key) else { continue };
        let mut more = Found::default();
        // Taken above; reading does not ask for it again.
        if let Some(content) = tree.read(&file, &mut more) {
            let mut part = Part::whole(&file, content.text);
            part.off = configuration(&file, tree, &mut more, &mut draft.notes);
            draft.down = Some(part);
            draft.files.push(file);
            draft.notes.extend(content.notes);
        }
        found.troubles.append(&mut more.troubles);
    }
    for (_, file) in undos {
        found.leave(&file, "it undoes a version that is not there");
    }
    if letters == Letters::Flyway {
        callbacks(tree, found);
        order_of_repeatables(found);
    }
}

/// Reads a file's name.
fn split(file: &str, letters: Letters) -> Option<Lettered<'_>> {
    let stem = file.strip_suffix(".sql")?;
    let letter = stem.chars().next()?;
    let rest = &stem[letter.len_utf8()..];
    let known = if letters == Letters::Flyway { "VUBR" } else { "VU" };
    let (version, description) = match rest.split_once("__") {
        Some(parts) => parts,
        // Flyway does without a description.
        None if letters == Letters::Flyway => (rest, ""),
        None => return None,
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_version = match (letters, letter) {
        (Letters::Flyway, 'R') => version.is_empty(),
        (Letters::Flyway, _) => version.split(['.', '_']).all(is_number),
        (Letters::Refinery, _) => {
            is_number(version)
                && !description.is_empty()
                && description.chars().all(|c| c.is_alphanumeric() || c == '_')
        }
    };
    (known.contains(letter) && is_version).then(|| Lettered { letter, version: version.replace('_', "."), description })
}

fn draft(
    tool: &Tool,
    letters: Letters,
    path: &str,
    parts: &Lettered<'_>,
    key: Key,
    tree: &mut Tree,
    found: &mut Found,
) -> Option<Draft> {
    let content = tree.read(path, found)?;
    let Content { bytes, text, mut notes } = content;
    let raw = String::from_utf8_lossy(&bytes);
    let row = match letters {
        Letters::Flyway => Row {
            source: parts.version.clone(),
            name: parts.description.replace('_', " "),
            checksums: checksum::crc32_of_lines(&raw),
        },
        Letters::Refinery => {
            let Ok(number) = parts.version.parse::<i64>() else {
                found.refuse(path, 0, format!("the version `{}` is too large for {} too", parts.version, tool.title));
                return None;
            };
            let checksums = checksum::sip(parts.description, number, &raw);
            Row { source: number.to_string(), name: parts.description.to_owned(), checksums }
        }
    };
    let mut part = Part::whole(path, text);
    if letters == Letters::Flyway {
        part.off = configuration(path, tree, found, &mut notes);
    }
    let name = if parts.description.is_empty() { "imported" } else { parts.description };
    Some(Draft {
        files: vec![path.to_owned()],
        key,
        digits: (!parts.version.contains('.')).then(|| parts.version.clone()),
        name: name.to_owned(),
        row,
        head: String::new(),
        up: part,
        down: None,
        notes,
    })
}

/// `V1__name.sql.conf` beside a file: true if it switches the transaction off.
fn configuration(path: &str, tree: &mut Tree, found: &mut Found, notes: &mut Vec<String>) -> bool {
    let file = format!("{path}.conf");
    if !tree.has(&file) {
        return false;
    }
    let Some(content) = tree.read(&file, found) else { return false };
    let mut off = false;
    for (index, line) in content.text.lines().enumerate() {
        let line = line.trim();
        let (key, value) = line.split_once('=').map_or((line, ""), |(key, value)| (key.trim(), value.trim()));
        match (key, value.to_lowercase().as_str()) {
            ("", _) => {}
            _ if line.starts_with('#') => {}
            ("executeInTransaction", "false") => off = true,
            ("executeInTransaction", "true") | ("shouldExecute", "true") | ("encoding", "utf-8" | "utf8") => {}
            _ => found.refuse(
                &file,
                index + 1,
                format!(
                    "`{line}` changes how Flyway runs the file: leave the file out with --skip, or write what it says"
                ),
            ),
        }
    }
    notes.push(format!("{file}: {}", if off { "transaction:false" } else { "nothing that differs here" }));
    off
}

fn repeatable(path: &str, parts: &Lettered<'_>, tree: &mut Tree, found: &mut Found) {
    let Some(content) = tree.read(path, found) else { return };
    let checksums = checksum::crc32_of_lines(&String::from_utf8_lossy(&content.bytes));
    let mut notes = content.notes;
    if configuration(path, tree, found, &mut notes) {
        found.refuse(path, 0, "a repeatable without a transaction: a file in repeatable/ always has one");
    }
    let description = parts.description.replace('_', " ");
    found.repeatables.push(Repeatable {
        file: path.to_owned(),
        name: name::clean(parts.description),
        row: Row { source: description, name: String::new(), checksums },
        part: Part::whole(path, content.text),
        notes,
    });
}

/// Flyway starts a new database at the newest baseline: older versions are not run there.
fn baseline(mut baselines: Vec<Draft>, found: &mut Found) {
    baselines.sort_by(|a, b| a.key.cmp(&b.key));
    let Some(newest) = baselines.pop() else { return };
    let file = newest.files[0].clone();
    for older in baselines {
        found.leave(&older.files[0], format!("Flyway does not run it on a new database: `{file}` is newer"));
    }
    let (replaced, kept): (Vec<Draft>, Vec<Draft>) =
        std::mem::take(&mut found.drafts).into_iter().partition(|draft| draft.key <= newest.key);
    for draft in &replaced {
        let reason = format!(
            "Flyway does not run it on a new database: `{file}` replaces it; to import it instead, leave that out with --skip"
        );
        found.leave(&draft.files[0], reason);
    }
    found.drafts = kept;
    found.drafts.push(newest);
}

/// SQL that Flyway runs around migrations belongs to no version.
fn callbacks(tree: &mut Tree, found: &mut Found) {
    const EVENTS: [&str; 10] = [
        "beforeMigrate",
        "afterMigrate",
        "beforeEach",
        "afterEach",
        "beforeVersioned",
        "afterVersioned",
        "beforeRepeatables",
        "afterConnect",
        "createSchema",
        "beforeConnect",
    ];
    for path in tree.files() {
        let (_, file) = name::parent_and_name(&path);
        let event = file.split(['.', '_']).next().unwrap_or_default();
        if file.ends_with(".sql") && EVENTS.iter().any(|known| event.starts_with(known)) {
            tree.take(&path);
            let message = "Flyway runs it around its migrations, and nothing here does: put what it does into a migration or into \
                           repeatable/, then leave it out with --skip";
            found.refuse(&path, 0, message);
        }
    }
}

/// Flyway runs repeatables in the order of their descriptions, we in that of the names of files.
fn order_of_repeatables(found: &mut Found) {
    found.repeatables.sort_by(|a, b| a.row.source.encode_utf16().cmp(b.row.source.encode_utf16()));
    let files = |repeatables: &[Repeatable]| {
        repeatables.iter().map(|repeatable| format!("{}.sql", repeatable.name)).collect::<Vec<_>>()
    };
    let names = files(&found.repeatables);
    let distinct = names.iter().map(|name| name.to_lowercase()).collect::<std::collections::BTreeSet<_>>().len();
    if !names.is_sorted() || distinct < names.len() {
        for (index, repeatable) in found.repeatables.iter_mut().enumerate() {
            repeatable.name = format!("{:03}_{}", index + 1, repeatable.name);
        }
        found.notes.push(
            "the repeatables are numbered: Flyway orders them by description, and the order of their names is another"
                .to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_by_the_tool() {
        let said = |file: &str, letters| {
            split(file, letters)
                .map_or("none".to_owned(), |parts| format!("{} {} {}", parts.letter, parts.version, parts.description))
        };
        let table = [
            ("V1__init.sql", "V 1 init", "V 1 init"),
            ("V1.10__a_b.sql", "V 1.10 a_b", "none"),
            ("V2_1__a.sql", "V 2.1 a", "none"),
            ("U3__a.sql", "U 3 a", "U 3 a"),
            ("B5__a.sql", "B 5 a", "none"),
            ("R__views.sql", "R  views", "none"),
            ("R1__views.sql", "none", "none"),
            ("V001__a-b.sql", "V 001 a-b", "none"),
            ("V4.sql", "V 4 ", "none"),
            ("v1__a.sql", "none", "none"),
            ("Va__b.sql", "none", "none"),
            ("V1__a.SQL", "none", "none"),
        ];
        for (file, flyway, refinery) in table {
            assert_eq!(said(file, Letters::Flyway), flyway, "{file}");
            assert_eq!(said(file, Letters::Refinery), refinery, "{file}");
        }
    }
}
