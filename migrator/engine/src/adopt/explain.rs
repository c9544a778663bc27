//! Which of our migrations the rows of another tool's history are, and whether their checksums agree.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::key::{Key, is_same_file};
use super::tools::{ForeignHistory, Meaning, Row};
use crate::embedded::{Embedded, Imported, Migration, Script};
use crate::words::cell;

/// What the rows say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Explained {
    /// The migrations that the tool has applied, ascending.
    pub(crate) applied: Vec<&'static Migration>,
    /// The migrations that the tool may know.
    pub(crate) known: BTreeSet<i64>,
    /// The repeatables whose content is the one that was applied.
    pub(crate) repeatables: Vec<&'static Script>,
    /// The repeatables that were applied with another content.
    pub(crate) outdated: Vec<&'static Script>,
    /// How many checksums agree.
    pub(crate) verified: usize,
}

/// Why they cannot be adopted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// True: the other tool has something to finish; false: history and binary do not fit together.
    pub(crate) is_unfinished: bool,
    /// What was found, and the way out.
    pub(crate) found: Vec<(String, String)>,
}

/// Explains every row.
///
/// # Errors
/// Everything that is in the way.
pub(crate) fn explain(
    set: &'static Embedded,
    history: &'static ForeignHistory,
    rows: &[Row],
) -> Result<Explained, Refusal> {
    let mut reader = Reader { files: Files::of(set, history.key), set, history, refusal: Refusal::default() };
    let explained = reader.read(rows);
    if reader.refusal.found.is_empty() { Ok(explained) } else { Err(reader.refusal) }
}

/// A migration, and what the tool knows it by.
#[derive(Debug, Clone, Copy)]
struct File {
    migration: &'static Migration,
    /// Where the migrations were imported.
    imported: Option<&'static Imported>,
}

/// The migrations that the tool may know, by what its history calls them.
struct Files {
    key: Key,
    /// Ascending by our version.
    all: Vec<(String, File)>,
    by_source: HashMap<String, usize>,
}

impl Files {
    fn of(set: &'static Embedded, key: Key) -> Files {
        let all: Vec<(String, File)> = match &set.origin {
            None => {
                let file = |migration: &'static Migration| {
                    (key.normal(&migration.version), File { migration, imported: None })
                };
                set.migrations.iter().map(file).collect()
            }
            Some(origin) => {
                let by_version: HashMap<&str, &'static Migration> =
                    set.migrations.iter().map(|migration| (&*migration.version, migration)).collect();
                let file = |imported: &'static Imported| {
                    let migration = by_version.get(&*imported.ours)?;
                    Some((key.normal(&imported.source), File { migration, imported: Some(imported) }))
                };
                origin.migrations.iter().filter_map(file).collect()
            }
        };
        let by_source = all.iter().enumerate().map(|(at, (source, _))| (source.clone(), at)).collect();
        Files { key, all, by_source }
    }

    /// The place of a migration among all.
    fn find(&self, source: &str) -> Option<usize> {
        let source = self.key.normal(source);
        if let Some(at) = self.by_source.get(&source) {
            return Some(*at);
        }
        if self.key != Key::Changeset {
            return None;
        }
        let (file, changeset) = source.split_once("::")?;
        let is_it = |(known, _): &(String, File)| {
            known.split_once("::").is_some_and(|(path, other)| other == changeset && is_same_file(path, file))
        };
        let mut found = self.all.iter().enumerate().filter(|(_, file)| is_it(file));
        found.next().map(|(at, _)| at).filter(|_| found.next().is_none())
    }
}

struct Reader {
    set: &'static Embedded,
    history: &'static ForeignHistory,
    files: Files,
    refusal: Refusal,
}

impl Reader {
    fn read(&mut self, rows: &[Row]) -> Explained {
        let (mut last, mut repeatables) = (BTreeMap::new(), BTreeMap::new());
        let mut limits = Vec::new();
        for row in rows {
            let source = row.source.as_deref().unwrap_or_default();
            let meaning = (self.history.read)(row);
            match meaning {
                Meaning::UpTo => limits.push(row),
                Meaning::Failed(_) if row.source.is_none() => self.fail(row, meaning),
                Meaning::Repeatable | Meaning::NoRepeatable => {
                    repeatables.insert(row.name.as_deref().unwrap_or_default(), (row, meaning));
                }
                Meaning::Nothing => {}
                // A later row of the same migration decides.
                _ => drop(last.insert(self.history.key.normal(source), (row, meaning))),
            }
        }
        let mut explained = Explained::default();
        let mut applied = BTreeSet::new();
        for (row, meaning) in last.into_values() {
            match meaning {
                Meaning::Applied => applied.extend(self.row(row, &mut explained)),
                Meaning::Failed(_) => self.fail(row, meaning),
                _ => {}
            }
        }
        if self.history.newest_only && limits.len() > 1 {
            self.several(&limits);
        }
        for row in limits {
            applied.extend(self.up_to(row));
        }
        for (name, (row, meaning)) in repeatables {
            if meaning == Meaning::Repeatable {
                self.repeatable(name, row, &mut explained);
            }
        }
        explained.applied = applied.into_iter().map(|at| self.files.all[at].1.migration).collect();
        explained.known = self.files.all.iter().map(|(_, file)| file.migration.number).collect();
        explained
    }

    /// One migration that was applied: its place among all.
    fn row(&mut self, row: &Row, explained: &mut Explained) -> Option<usize> {
        let at = self.files.find(row.source.as_deref().unwrap_or_default());
        let Some(at) = at else {
            self.unexplained(row);
            return None;
        };
        let imported = self.files.all[at].1.imported;
        let known = imported.map_or(&[][..], |imported| &*imported.checksums);
        match row.checksum.as_deref() {
            Some(recorded) if !known.is_empty() => {
                if known.iter().any(|known| is_same_checksum(known, recorded)) {
                    explained.verified += 1;
                } else {
                    self.changed(row, imported, recorded);
                }
            }
            _ => {}
        }
        Some(at)
    }

    /// Everything up to a version.
    fn up_to(&mut self, row: &Row) -> std::ops::Range<usize> {
        let source = row.source.as_deref().unwrap_or_default();
        if self.history.newest_only {
            return match self.files.find(source) {
                Some(at) => 0..at + 1,
                None => {
                    self.unexplained(row);
                    0..0
                }
            };
        }
        // A baseline need not be a file.
        let limit = self.files.key.normal(source);
        let count = self.files.all.iter().take_while(|(source, _)| self.files.key.is_at_most(source, &limit)).count();
        0..count
    }

    fn repeatable(&mut self, name: &str, row: &Row, explained: &mut Explained) {
        let scripts = &self.set.repeatables;
        let imported = self
            .set
            .origin
            .as_ref()
            .and_then(|origin| origin.repeatables.iter().find(|imported| is_same_name(&imported.source, name)));
        let ours = imported.map_or(name, |imported| &*imported.ours);
        let Some(script) = scripts.iter().find(|script| is_same_name(&script.name, ours)) else {
            self.refusal.found.push((
                format!("no file explains the repeatable `{}` in the history of {}", shown(name), self.title()),
                "add the file to db/repeatable and to db/imported.toml; if it is gone, run `flyway repair`".to_owned(),
            ));
            return;
        };
        let known = imported.map_or(&[][..], |imported| &*imported.checksums);
        let recorded = row.checksum.as_deref().unwrap_or_default();
        if known.iter().any(|known| is_same_checksum(known, recorded)) {
            explained.verified += 1;
            explained.repeatables.push(script);
        } else {
            explained.outdated.push(script);
        }
    }

    fn title(&self) -> &'static str {
        self.history.tool.title()
    }

    fn fail(&mut self, row: &Row, meaning: Meaning) {
        let Meaning::Failed(how) = meaning else { return };
        self.refusal.is_unfinished = true;
        let what = format!("in the history of {}, {} {how}", self.title(), label(row));
        self.refusal.found.push((what, format!("{}; then adopt", self.history.way_out)));
    }

    fn unexplained(&mut self, row: &Row) {
        let title = self.title();
        let help = match self.set.origin {
            Some(_) => format!(
                "import the newest files of {title} with `cargo xtask import {}`; what was code and not SQL, write as a migration and add it to db/imported.toml",
                self.history.tool.name()
            ),
            None => format!(
                "import the files of {title} with `cargo xtask import {}`, or add the migration",
                self.history.tool.name()
            ),
        };
        self.refusal.found.push((format!("no migration explains {} in the history of {title}", label(row)), help));
    }

    fn changed(&mut self, row: &Row, imported: Option<&Imported>, recorded: &str) {
        let (file, known) = imported.map_or(("", String::new()), |imported| {
            (&*imported.file, imported.checksums.iter().map(|sum| format!("`{sum}`")).collect::<Vec<_>>().join(" or "))
        });
        self.refusal.found.push((
            format!(
                "`{file}` is not what {} has applied as {}: the checksum in its history is `{}`, that of the file {known}",
                self.title(),
                label(row),
                shown(recorded)
            ),
            "restore the file that was applied and import it; if the difference changes nothing, add the history's checksum to `checksums` in db/imported.toml, and build"
                .to_owned(),
        ));
    }

    fn several(&mut self, rows: &[&Row]) {
        let names: Vec<String> = rows.iter().map(|row| label(row)).collect();
        let title = self.title();
        self.refusal.is_unfinished = true;
        self.refusal.found.push((
            format!("the history of {title} has {} rows instead of one: {}", rows.len(), crate::words::list(&names)),
            format!("bring the database to one version with {title}, then adopt"),
        ));
    }
}

/// `20220123205937` (initial).
fn label(row: &Row) -> String {
    let name = row.name.as_deref().filter(|name| !name.is_empty());
    match (row.source.as_deref(), name) {
        (Some(source), Some(name)) => format!("`{}` ({})", shown(source), shown(name)),
        (Some(source), None) => format!("`{}`", shown(source)),
        (None, name) => format!("`{}`", shown(name.unwrap_or_default())),
    }
}

/// Text of the other table, as part of a line.
fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    let cut = text.char_indices().nth(LONGEST).map(|(at, _)| at);
    match cut {
        Some(at) => format!("{}...", cell(&text[..at])),
        None => cell(text),
    }
}

/// `create views` and `create_views`.
fn is_same_name(one: &str, other: &str) -> bool {
    let normal = |text: &str| text.replace([' ', '-'], "_").to_lowercase();
    normal(one) == normal(other)
}

/// Whether they are the same, also where one is written with a sign and the other without.
fn is_same_checksum(one: &str, other: &str) -> bool {
    if one.eq_ignore_ascii_case(other) {
        return true;
    }
    let (Ok(one), Ok(other)) = (one.parse::<i128>(), other.parse::<i128>()) else { return false };
    let is_short = |number: i128| (-(1 << 31)..1 << 32).contains(&number);
    let modulus = if is_short(one) && is_short(other) { 1_i128 << 32 } else { 1 << 64 };
    (one - other) % modulus == 0
}

#[cfg(test)]
mod tests;
