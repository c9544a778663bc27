//! One migration: which of its hazards have a mechanical form, and which of the forms are proved.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use migrator_engine::Embedded;
use migrator_engine::embedded::Migration;
use migrator_lint::{Hazard, search};
use migrator_sql::lex;

use super::edit::apply_to_file;
use super::form::remedy;
use super::layout::{Draft, lay_out};
use super::remedy::{Case, Remedy};
use super::room::{Original, Room, read};
use super::source::Source;
use super::tables::Tables;
use crate::author::new::next_versions;
use crate::prove::weaker::Verdict;

/// A file as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its name, without its folder.
    pub name: String,
    /// What is there; `None`: the file is new.
    pub old: Option<String>,
    /// What is to be there.
    pub new: String,
}

/// What came of a migration.
#[derive(Debug, Clone, Default)]
pub struct Rewritten {
    /// Its own file first; none: nothing was fixed.
    pub files: Vec<Written>,
    /// The hazards that are gone.
    pub fixed: Vec<Hazard>,
    /// The hazards that are left, each with the reason.
    pub left: Vec<(Hazard, String)>,
}

/// What is tried on.
struct Fitting<'f> {
    room: &'f Room,
    db: &'f Path,
    migration: &'f Migration,
    /// What is in the file, with its own line ends.
    file: String,
    before: i64,
    original: Original,
    hazards: &'f [Hazard],
    /// Of all migrations.
    found: Vec<Hazard>,
}

/// Rewrites a migration of the directory.
///
/// # Errors
/// The directory cannot be read, or the migrations before this one do not run.
pub fn rewrite(room: &mut Room, db: &Path, embedded: &'static Embedded, version: i64) -> Result<Rewritten> {
    let at = embedded.migrations.iter().position(|migration| migration.number == version);
    let at = at.with_context(|| format!("no migration has the version {version}"))?;
    let (found, migration) = (search(embedded), &embedded.migrations[at]);
    let hazards: Vec<Hazard> = found.iter().filter(|hazard| hazard.file == *migration.file).cloned().collect();
    let before = at.checked_sub(1).map_or(0, |at| embedded.migrations[at].number);
    let mut rewritten = Rewritten::default();
    if hazards.is_empty() {
        return Ok(rewritten);
    }
    let tables = room.advance(embedded, before)?;
    let mut remedies = BTreeMap::new();
    for (at, outcome) in remedies_of(migration, &hazards, &tables).into_iter().enumerate() {
        match outcome {
            Ok(remedy) => drop(remedies.insert(at, remedy)),
            Err(reason) => rewritten.left.push((hazards[at].clone(), reason)),
        }
    }
    if remedies.is_empty() {
        return Ok(rewritten);
    }
    let original = match room.original(embedded, before) {
        Ok(original) => original,
        Err(reason) => {
            rewritten.left.extend(remedies.keys().map(|at| (hazards[*at].clone(), reason.clone())));
            return Ok(rewritten);
        }
    };
    let file = db.join("migrations").join(format!("{}.sql", migration.label()));
    let file = fs::read_to_string(&file).with_context(|| format!("failed to read `{}`", file.display()))?;
    let fitting = Fitting { room, db, migration, file, before, original, hazards: &hazards, found };
    fitting.all(&remedies, &mut rewritten)?;
    Ok(rewritten)
}

/// What is to be done about each hazard, as far as the text says: pure.
fn remedies_of(migration: &Migration, hazards: &[Hazard], tables: &Tables) -> Vec<Result<(usize, Remedy), String>> {
    let lexed = lex(&migration.text);
    let source = Source::of(migration, &lexed);
    let of = |hazard: &Hazard| {
        let place = hazard.places.first().copied().unwrap_or_default();
        let at = source.up.statement_at(place).ok_or("it is about no statement")?;
        let case = Case { source: &source, statement: &source.up.statements[at], index: at, hazard, tables };
        remedy(case).map(|remedy| (at, remedy))
    };
    hazards.iter().map(of).collect()
}

type Remedies = BTreeMap<usize, (usize, Remedy)>;

impl Fitting<'_> {
    /// All at once; where that does not hold, those that hold by themselves; where these do not hold together, the first.
    fn all(&self, remedies: &Remedies, rewritten: &mut Rewritten) -> Result<()> {
        let refused = match self.attempt(remedies)? {
            Ok(files) => {
                self.keep(remedies, files, rewritten);
                return Ok(());
            }
            Err(reason) => reason,
        };
        let mut single = Remedies::new();
        let mut first = None;
        let mut reasons = BTreeMap::new();
        for (at, remedy) in remedies {
            let alone = Remedies::from([(*at, remedy.clone())]);
            match if remedies.len() > 1 { self.attempt(&alone)? } else { Err(refused.clone()) } {
                Ok(files) => {
                    single.extend(alone.clone());
                    first.get_or_insert((alone, files));
                }
                Err(reason) => drop(reasons.insert(*at, reason)),
            }
        }
        let together = match single.len() < remedies.len() && single.len() > 1 {
            true => self.attempt(&single)?.ok().map(|files| (single.clone(), files)),
            false => None,
        };
        let kept = together.or(first);
        for at in remedies.keys() {
            if kept.as_ref().is_none_or(|(kept, _)| !kept.contains_key(at)) {
                let reason = reasons.get(at).unwrap_or(&refused).clone();
                rewritten.left.push((self.hazards[*at].clone(), reason));
            }
        }
        if let Some((remedies, files)) = kept {
            self.keep(&remedies, files, rewritten);
        }
        Ok(())
    }

    fn keep(&self, remedies: &Remedies, files: Vec<Written>, rewritten: &mut Rewritten) {
        rewritten.files = files;
        rewritten.fixed = remedies.keys().map(|at| self.hazards[*at].clone()).collect();
    }

    /// The files, if they do the same under weaker locks; else why not. Later statements of the migration may need what goes into
    /// further files: then they follow these.
    fn attempt(&self, remedies: &Remedies) -> Result<Result<Vec<Written>, String>> {
        let lexed = lex(&self.migration.text);
        let source = Source::of(self.migration, &lexed);
        let steps: Vec<(usize, Remedy)> = remedies.values().cloned().collect();
        let drafts = [false, true].map(|in_order| lay_out(&source, &steps, in_order));
        let [first, second] = drafts;
        let is_same = first == second;
        let refused = match self.proved(first, remedies)? {
            Err(reason) if !is_same => reason,
            outcome => return Ok(outcome),
        };
        Ok(self.proved(second, remedies)?.map_err(|_| refused))
    }

    fn proved(&self, draft: Result<Draft, String>, remedies: &Remedies) -> Result<Result<Vec<Written>, String>> {
        let files = match draft {
            Ok(draft) => self.files(draft)?,
            Err(reason) => return Ok(Err(reason)),
        };
        let Some(files) = files else { return Ok(Err("two of its hazards ask for different things".to_owned())) };
        let scratch = tempfile::tempdir().context("failed to create a temporary directory")?;
        copy(self.db, scratch.path(), "")?;
        for file in &files {
            fs::write(scratch.path().join("migrations").join(&file.name), &file.new)
                .context("failed to write into a temporary directory")?;
        }
        let proved = read(scratch.path()).and_then(|set| self.prove(set, remedies));
        Ok(proved.map(|()| files))
    }

    fn prove(&self, set: &'static Embedded, remedies: &Remedies) -> Result<(), String> {
        let counted = |found: &[Hazard], rule: &str| found.iter().filter(|hazard| hazard.rule == rule).count();
        let new = search(set);
        for hazard in &new {
            let fixed = remedies.keys().filter(|at| self.hazards[**at].rule == hazard.rule).count();
            if counted(&new, hazard.rule) + fixed > counted(&self.found, hazard.rule) {
                return Err(format!(
                    "it would still be a hazard, or another one: {} [{}]",
                    hazard.message, hazard.rule
                ));
            }
        }
        let verdict = self.room.compare(set, self.before, &self.original)?;
        let is_style = remedies.values().all(|(_, remedy)| remedy.is_style);
        match verdict {
            Verdict::Weaker => Ok(()),
            Verdict::Same if is_style => Ok(()),
            Verdict::Same => Err("the locks would be the same".to_owned()),
            Verdict::Stronger(relation) => Err(format!("`{relation}` would be locked more")),
        }
    }

    /// `None`: two edits contradict each other.
    fn files(&self, draft: Draft) -> Result<Option<Vec<Written>>> {
        let label = self.migration.label();
        let Some(new) = apply_to_file(&self.file, &draft.edits) else { return Ok(None) };
        let own = Written { name: format!("{label}.sql"), old: Some(self.file.clone()), new };
        let versions = next_versions(&self.db.join("migrations"), draft.files.len())?;
        let further = versions.into_iter().zip(draft.files).map(|(version, (does, text))| Written {
            name: format!("{version}_{}_{does}.sql", self.migration.name),
            old: None,
            new: if self.file.contains("\r\n") { text.replace('\n', "\r\n") } else { text },
        });
        Ok(Some(std::iter::once(own).chain(further).collect()))
    }
}

/// Copies a db directory but for what follows from the migrations.
pub(super) fn copy(from: &Path, to: &Path, folder: &str) -> Result<()> {
    let (from_here, to_here) = (from.join(folder), to.join(folder));
    fs::create_dir_all(&to_here).context("failed to write into a temporary directory")?;
    for entry in fs::read_dir(&from_here).with_context(|| format!("failed to read `{}`", from_here.display()))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let follows = ["schema.", "locks."].iter().any(|start| name.starts_with(start));
        if entry.path().is_dir() && folder.is_empty() {
            copy(from, to, &name)?;
        } else if entry.path().is_file() && !(folder.is_empty() && follows) {
            fs::copy(entry.path(), to_here.join(&name)).context("failed to write into a temporary directory")?;
        }
    }
    Ok(())
}
