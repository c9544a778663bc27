//! Which locks the steps of a plan take, as they were seen when the schema was dumped, and how large the relations are here.

use std::collections::{BTreeMap, BTreeSet};

use migrator_model::LockTraces;
use serde_json::{Value, json};

use crate::connect::{number, query};
use crate::error::{Error, ErrorKind};
use crate::locks::{Effect, LockFile, TracedMigration, TracedStatement, checksums};
use crate::plan::{Plan, Step};
use crate::session::Session;
use crate::sql::{literal, unquoted};
use crate::units::{UnitKind, units};
use crate::words;

const SIZES: &str = include_str!("locks/sizes.sql");

/// For messages.
const DOING: &str = "reading the sizes of the tables";

/// More names are not asked for at once.
const MOST_NAMES: usize = 5_000;

/// What the steps of a plan lock.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LockReport {
    /// The major release on which it was seen; `None`: nothing is compiled in.
    pub major: Option<i32>,
    /// One for each step of the plan, in its order; `None`: it is not known.
    pub steps: Vec<Option<Vec<LockingStatement>>>,
    /// What is not known and why.
    pub notes: Vec<String>,
}

/// What one statement does to relations that are in this database.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LockingStatement {
    /// From 1, in the up block.
    pub number: usize,
    /// The line of the file on which it begins, from 1.
    pub line: usize,
    /// What it does, and to how much.
    pub effects: Vec<(Effect, Size)>,
}

/// The size of a relation at this moment, with its partitions and what it keeps in TOAST.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Size {
    /// In bytes, without its indexes; where another session has locked it exclusively, as of the last `VACUUM` or `ANALYZE`. `None`: not read.
    pub bytes: Option<i64>,
    /// The rows that the server estimates; `None`: it was never analyzed.
    pub rows: Option<i64>,
}

/// Looks up what is known of each step, and asks for the sizes of what is locked.
pub(crate) async fn run(session: &Session, plan: &Plan) -> Result<LockReport, Error> {
    let embedded = session.migrator.embedded;
    let major = session.connection.major;
    let Some(traces) = nearest(&embedded.locks, major).filter(|_| !plan.steps.is_empty()) else {
        return Ok(LockReport::default());
    };
    let mut notes = Vec::new();
    if traces.major != major {
        notes.push(format!(
            "the locks were seen on PostgreSQL {}; this is PostgreSQL {major}, for which there is no db/locks.{major}",
            traces.major
        ));
    }
    let file = LockFile::parse(&traces.text);
    let known = file.by_version();
    // They were seen on the road of a new database; what comes after a baseline meets the same schema on every road.
    let compiled = &session.migrator.roads.compiled.migrations;
    let checksums: BTreeMap<(&str, &str), String> =
        compiled.iter().map(|migration| (&*migration.version, &*migration.checksum)).zip(checksums(compiled)).collect();
    let (mut steps, mut missing, mut squashed) = (Vec::new(), Vec::new(), Vec::new());
    for step in &plan.steps {
        let Step::Migration { migration, .. } = step else {
            steps.push(None);
            continue;
        };
        let checksum = checksums.get(&(&*migration.version, &*migration.checksum));
        let is_of_these = |traced: &&&TracedMigration| checksum == Some(&traced.checksum);
        let traced = known.get(&*migration.version).filter(is_of_these);
        match (traced, checksum) {
            (Some(_), _) => {}
            (None, Some(_)) => missing.push(migration.label()),
            (None, None) => squashed.push(migration.label()),
        }
        steps.push(traced.map(|traced| left(step, &traced.statements)));
    }
    if !missing.is_empty() {
        notes.push(format!(
            "the locks of {} are not in {}, or were seen before one of the migrations up to there was changed: run `cargo xtask dump`, and \
             build again",
            words::list(&missing),
            traces.file
        ));
    }
    if !squashed.is_empty() {
        notes.push(format!(
            "the locks of {} are not known: only databases that are older than the baseline run what it stands for",
            words::list(&squashed)
        ));
    }
    let (sizes, note) = sizes(session, &steps).await?;
    notes.extend(note);
    let steps = steps.into_iter().map(|step| step.map(|statements| with_sizes(statements, sizes.as_ref())));
    Ok(LockReport { major: Some(traces.major), steps: steps.collect(), notes })
}

/// The traces for that release; else for the nearest one, the older of two.
fn nearest(all: &'static [LockTraces], major: i32) -> Option<&'static LockTraces> {
    all.iter().min_by_key(|traces| (traces.major.abs_diff(major), traces.major))
}

/// Without what is done already of a migration that was interrupted.
fn left<'t>(step: &Step, statements: &'t [TracedStatement]) -> Vec<&'t TracedStatement> {
    let Step::Migration { migration, resume: Some(progress), .. } = step else { return statements.iter().collect() };
    let mut units = units(&migration.up).into_iter().filter(|unit| unit.kind != UnitKind::Session);
    let Some(next) = units.nth(progress.done.len()) else { return Vec::new() };
    statements.iter().filter(|statement| statement.number >= next.number).collect()
}

/// Those that exist, by name; `None`: no one knows which.
type Sizes = Option<BTreeMap<String, Size>>;

async fn sizes(session: &Session, steps: &[Option<Vec<&TracedStatement>>]) -> Result<(Sizes, Option<String>), Error> {
    let effects = steps.iter().flatten().flatten().flat_map(|statement| &statement.effects);
    let names: BTreeSet<&str> = effects.map(|effect| &*effect.relation).collect();
    // Where nothing has been applied, there is nothing that a migration has made.
    if names.is_empty() || session.history.applied.is_empty() {
        return Ok((Some(BTreeMap::new()), None));
    }
    if names.len() > MOST_NAMES {
        return Ok((None, Some(format!("the sizes of {} relations are not read: {MOST_NAMES} at most", names.len()))));
    }
    let wanted: Vec<String> = names.iter().filter_map(|name| wanted(name)).collect();
    let question = |live: bool| {
        let question =
            SIZES.replace("{live}", if live { "true" } else { "false" }).replace("{wanted}", &wanted.join(", "));
        format!("SET LOCAL lock_timeout = '1s'; {question}")
    };
    let client = &session.connection.client;
    let rows = match query(client, DOING, &question(true)).await {
        // Someone has locked one of them in the meantime.
        Err(error) if matches!(error.kind(), ErrorKind::Server { .. }) => query(client, DOING, &question(false)).await,
        answer => answer,
    };
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) if matches!(error.kind(), ErrorKind::Server { .. }) => {
            return Ok((None, Some(format!("sizes are not shown: {error}"))));
        }
        Err(error) => return Err(error),
    };
    let size = |row: &tokio_postgres::SimpleQueryRow| {
        let size = Size { bytes: number(row, "bytes"), rows: number(row, "rows") };
        (row.get("name").unwrap_or_default().to_owned(), size)
    };
    Ok((Some(rows.iter().map(size).collect()), None))
}

/// A row of the question: the qualified name as it is written, its schema and its name.
fn wanted(qualified: &str) -> Option<String> {
    let (schema, name) = divide(qualified)?;
    Some(format!("({}, {}::name, {}::name)", literal(qualified), literal(&schema), literal(&name)))
}

/// Schema and name of a qualified name, without quotes.
fn divide(qualified: &str) -> Option<(String, String)> {
    let mut is_quoted = false;
    let dot = qualified.char_indices().find(|(_, character)| {
        is_quoted ^= *character == '"';
        *character == '.' && !is_quoted
    })?;
    Some((unquoted(&qualified[..dot.0]), unquoted(&qualified[dot.0 + 1..])))
}

/// Only what exists: no one waits for a table that another step of the same plan creates.
fn with_sizes(statements: Vec<&TracedStatement>, sizes: Option<&BTreeMap<String, Size>>) -> Vec<LockingStatement> {
    let size = |effect: &Effect| sizes.map_or(Some(Size::default()), |sizes| sizes.get(&effect.relation).copied());
    let statement = |statement: &TracedStatement| {
        let effects = statement.effects.iter().filter_map(|effect| Some((effect.clone(), size(effect)?)));
        LockingStatement { number: statement.number, line: statement.line, effects: effects.collect() }
    };
    statements.into_iter().map(statement).filter(|statement| !statement.effects.is_empty()).collect()
}

impl LockingStatement {
    /// `statement 2: AccessExclusiveLock on core.orders (1.2 GB, 3,400,000 rows), rewritten: reads and writes wait`, one for each effect
    /// that is worth a line.
    pub fn lines(&self) -> Vec<String> {
        let shown = self.effects.iter().filter(|(effect, _)| effect.counts() && effect.is_shown());
        let line = |(effect, size): &(Effect, Size)| {
            format!("statement {}: {}", self.number, effect.words_with(&size.words(effect.index)))
        };
        shown.map(line).collect()
    }

    /// Every effect, as JSON.
    pub fn json(&self) -> Value {
        let effect = |(effect, size): &(Effect, Size)| {
            let mut value = effect.json();
            value["bytes"] = size.bytes.into();
            value["rows"] = size.rows.filter(|_| !effect.index).into();
            value
        };
        let effects: Vec<Value> = self.effects.iter().map(effect).collect();
        json!({ "statement": self.number, "line": self.line, "effects": effects })
    }
}

impl Size {
    /// ` (1.2 GB, 3,400,000 rows)`, of an index without rows.
    fn words(self, is_index: bool) -> String {
        let Some(bytes) = self.bytes else { return String::new() };
        match self.rows.filter(|_| !is_index) {
            Some(1) => format!(" ({}, 1 row)", words::bytes(bytes)),
            Some(rows) => format!(" ({}, {} rows)", words::bytes(bytes), words::thousands(rows)),
            None => format!(" ({})", words::bytes(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qualified_name_is_divided_at_its_dot() {
        for (qualified, schema, name) in [
            ("core.users", "core", "users"),
            ("\"a.b\".c", "a.b", "c"),
            ("a.\"b.\"\"c\"", "a", "b.\"c"),
            ("\"x\"\".\"\"\".\"y\"", "x\".\"", "y"),
        ] {
            assert_eq!(divide(qualified), Some((schema.to_owned(), name.to_owned())), "{qualified}");
        }
        assert_eq!(divide("\"no.dot\""), None);
    }

    #[test]
    fn the_nearest_release_counts() {
        let traces = |major: i32| LockTraces::new(major, "".into(), "".into());
        let all: &'static [LockTraces] = vec![traces(14), traces(16), traces(18)].leak();
        for (major, expected) in [(14, 14), (15, 14), (16, 16), (17, 16), (13, 14), (20, 18)] {
            assert_eq!(nearest(all, major).map(|traces| traces.major), Some(expected), "{major}");
        }
        assert_eq!(nearest(&[], 15), None);
    }
}
