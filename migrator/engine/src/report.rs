//! The status of a database as text and as JSON. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::embedded::Embedded;
use crate::error::Exit;
use crate::history::{Direction, Provenance};
use crate::plan::{Entry, State, Survey};
use crate::table::{Table, fit, wrap};
use crate::units::{UnitKind, units};
use crate::words::{cell, list};

/// The columns of the table.
const COLUMNS: [&str; 6] = ["VERSION", "NAME", "STATE", "APPLIED", "BY", "TIME"];

/// A list of migrations that are just applied is cut where it is longer than `LONGEST`, to the newest `KEPT`.
const LONGEST: usize = 40;
const KEPT: usize = 10;

/// Where a status was read, for its first line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The database.
    pub(crate) database: &'a str,
    /// The server: `db1:5432`.
    pub(crate) host: &'a str,
    /// The environment of the database.
    pub(crate) environment: Option<&'a str>,
    /// The release of this binary.
    pub(crate) release: &'a str,
}

impl Place<'_> {
    /// `database crm at db1:5432 · environment production · release 1.4.0`.
    fn line(&self) -> String {
        let environment = self.environment.map(|name| format!(" · environment {name}")).unwrap_or_default();
        cell(&format!("database {} at {}{environment} · release {}", self.database, self.host, self.release))
    }
}

/// What a person sees of a status.
pub(crate) struct Shown<'a> {
    /// Where it was read.
    pub(crate) place: Place<'a>,
    /// The state of every version.
    pub(crate) survey: &'a Survey,
    /// What the event log says of it.
    pub(crate) provenance: &'a Provenance,
    /// The command that records what another tool has applied.
    pub(crate) recording: Option<&'a str>,
    /// Whether a long list is not cut.
    pub(crate) all: bool,
}

/// The table as text, with what to do next; no line of the table is longer than a terminal of that many columns.
pub(crate) fn text(shown: &Shown<'_>, terminal: Option<usize>) -> String {
    let Shown { place, survey, provenance, recording, all } = *shown;
    let mut rows = vec![COLUMNS.map(str::to_owned).to_vec()];
    let is_plain = |entry: &&Entry| entry.state == State::Applied;
    let plain = survey.entries.iter().filter(is_plain).count();
    let mut left_out = if all || plain <= LONGEST { 0 } else { plain - KEPT };
    if left_out > 0 {
        rows.push(vec![
            "...".to_owned(),
            format!("{left_out} older ones are applied: `migrator status --all` lists them"),
        ]);
    }
    for entry in &survey.entries {
        if left_out > 0 && is_plain(&entry) {
            left_out -= 1;
            continue;
        }
        rows.push(row(entry, provenance));
    }
    rows.extend(repeatables(survey, provenance));
    rows.iter_mut().flatten().for_each(|shown| *shown = cell(shown));
    let mut table = Table { flexible: &[1, 4], right: &[5], ..Table::default() };
    let mut lines = vec![fit(&place.line(), terminal)];
    lines.extend(table.lines(&rows, terminal));
    lines.extend(strangers(survey).iter().map(|line| wrap(line, terminal, "  ")));
    lines.push(wrap(&summary(survey, recording), terminal, "  "));
    lines.join("\n")
}

fn row(entry: &Entry, provenance: &Provenance) -> Vec<String> {
    let applied = entry.applied.clone().unwrap_or_default();
    let name =
        entry.migration.map(|migration| migration.name.to_string()).or(applied.name).unwrap_or_else(|| "?".into());
    let unrun = provenance.unrun.get(&*entry.version).filter(|_| entry.state == State::Applied);
    let state = match unrun.map(String::as_str) {
        Some("stamp") => "stamped",
        Some("adopt") => "adopted",
        _ => entry.state.label(),
    };
    let mut cells = vec![entry.version.to_string(), name, state.to_owned()];
    match entry.state {
        State::Applied if entry.applied.as_ref().is_some_and(|row| row.checksum.is_none()) => {
            cells.push("elsewhere, unchecked".to_owned());
        }
        State::HalfDone => cells.push(half_done(entry)),
        _ => cells.extend([
            moment(applied.applied_at.as_deref()),
            applied.applied_by.unwrap_or_default(),
            // What was not run took no time.
            applied.execution_ms.filter(|_| unrun.is_none()).map(|ms| format!("{ms} ms")).unwrap_or_default(),
        ]),
    }
    cells
}

/// `2026-11-20 14:02 UTC`.
fn moment(at: Option<&str>) -> String {
    at.map(|at| format!("{} UTC", at.get(..16).unwrap_or(at))).unwrap_or_default()
}

/// The rows of the repeatables: those to be applied, and when each was applied last.
fn repeatables(survey: &Survey, provenance: &Provenance) -> Vec<Vec<String>> {
    let is_due = |name: &str| survey.repeatables.iter().any(|script| script.name == name);
    let due = survey.repeatables.iter().map(|script| &*script.name);
    let done = provenance.repeatables.keys().map(String::as_str).filter(|name| !is_due(name));
    let mut names: Vec<&str> = due.chain(done).collect();
    names.sort_unstable();
    let row = |name: &str| {
        let state = if is_due(name) { "pending" } else { "applied" };
        let mut cells: Vec<String> = ["-", name, state].map(str::to_owned).to_vec();
        match provenance.repeatables.get(name) {
            None => cells.push("repeatable".to_owned()),
            Some(last) if is_due(name) => {
                let by = last.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
                cells.push(format!("repeatable, last applied {}{by}", moment(last.at.as_deref())));
            }
            Some(last) => cells.extend([
                moment(last.at.as_deref()),
                last.by.clone().unwrap_or_default(),
                last.execution_ms.map(|ms| format!("{ms} ms")).unwrap_or_default(),
            ]),
        }
        cells
    };
    names.into_iter().map(row).collect()
}

/// Who wrote the rows that this binary does not know, a line for each.
fn strangers(survey: &Survey) -> Vec<String> {
    let mut by_writer: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in survey.of(State::Unknown).chain(survey.of(State::Ahead)) {
        let Some(row) = &entry.applied else { continue };
        let who = row.applied_by.as_deref().unwrap_or("an unknown user");
        let with = match (&row.release, &row.checksum) {
            (Some(release), _) => format!("with release {release}"),
            (None, None) => "without a checksum, as another tool does".to_owned(),
            (None, Some(_)) => "without a release".to_owned(),
        };
        by_writer.entry(format!("{who} {with}")).or_default().push(entry.version.to_string());
    }
    by_writer
        .into_iter()
        .map(|(writer, versions)| cell(&format!("not in this binary: {}, recorded by {writer}", list(&versions))))
        .collect()
}

/// Which statement is next, and what is known about it.
fn half_done(entry: &Entry) -> String {
    let (Some(migration), Some(progress)) = (entry.migration, &entry.progress) else { return String::new() };
    let Some(block) = migration.block(progress.direction) else { return String::new() };
    let unit = units(block).into_iter().filter(|unit| unit.kind != UnitKind::Session).nth(progress.done.len());
    let what = match progress.direction {
        Direction::Up => "",
        Direction::Down => "rolling back: ",
    };
    let Some(unit) = unit else { return format!("{what}all statements done, not yet recorded") };
    let sql = migration.text[unit.range.clone()].split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = sql.chars().take(40).collect();
    if short.len() < sql.len() {
        short.push_str(" ...");
    }
    let state = match &progress.open {
        None => "not started",
        Some(open) if open.failed => "failed",
        Some(_) => "started, outcome unknown",
    };
    format!("{what}statement {} of {} ({short}): {state}", unit.number, block.statements.len())
}

/// What is open, and what to do next.
pub(crate) fn summary(survey: &Survey, recording: Option<&str>) -> String {
    let mut counts: Vec<String> = Vec::new();
    for state in [State::Pending, State::HalfDone, State::OutOfOrder, State::Changed, State::Unknown, State::Ahead] {
        let mut count = survey.of(state).count();
        if state == State::Pending {
            count += survey.repeatables.len();
        }
        if count > 0 {
            counts.push(format!("{count} {}", state.label()));
        }
    }
    if counts.is_empty() {
        return "up to date".to_owned();
    }
    format!("{}. Next: {}.", counts.join(", "), next(survey, recording))
}

/// What to do next.
fn next(survey: &Survey, recording: Option<&str>) -> String {
    let is_any = |state| survey.of(state).next().is_some();
    if let Some(entry) = survey.of(State::HalfDone).next() {
        let direction = entry.progress.as_ref().map_or(Direction::Up, |progress| progress.direction);
        return match entry.progress.as_ref().and_then(|progress| progress.open.as_ref()) {
            // Only the planner knows whether the catalog can tell how it ended: it continues, or says so.
            Some(open) if !open.failed => format!(
                "`migrator {}` resumes {} if the catalog shows how statement {} ended, and otherwise asks for `migrator resolve`",
                direction.word(),
                entry.version,
                open.number
            ),
            _ => format!("`migrator {}` resumes {}", direction.word(), entry.version),
        };
    }
    if is_any(State::Changed) || is_any(State::Unknown) || is_any(State::OutOfOrder) {
        return "`migrator plan` shows what is wrong and how to fix it".to_owned();
    }
    if let Some(command) = recording {
        return format!("`{command}` records what another tool has applied already");
    }
    if is_any(State::Pending) || (!survey.repeatables.is_empty() && survey.ahead().is_empty()) {
        return "`migrator up` applies what is pending".to_owned();
    }
    "nothing, because a newer release has migrated this database".to_owned()
}

/// The exit code of `status --check`.
pub(crate) fn check(set: &'static Embedded, survey: &Survey) -> Exit {
    let refused_ahead = set.settings.refuse_ahead && survey.of(State::Ahead).next().is_some();
    let diverged =
        [State::Changed, State::Unknown, State::OutOfOrder].into_iter().any(|state| survey.of(state).next().is_some());
    // Repeatables of an older release are not due where a newer one has set up its own.
    let repeatables_due = !survey.repeatables.is_empty() && survey.ahead().is_empty();
    let pending = [State::Pending, State::HalfDone].into_iter().any(|state| survey.of(state).next().is_some());
    match () {
        () if diverged || refused_ahead => Exit::Diverged,
        () if pending || repeatables_due => Exit::Found,
        () => Exit::Done,
    }
}

/// One JSON object on one line; its keys are stable.
pub(crate) fn json(survey: &Survey, provenance: &Provenance, place: Place<'_>) -> Value {
    let migrations: Vec<_> = survey
        .entries
        .iter()
        .map(|entry| {
            let applied = entry.applied.as_ref();
            json!({
                "version": entry.version,
                "name": entry.migration.map(|m| &*m.name).or(applied.and_then(|row| row.name.as_deref())),
                "state": entry.state.word(),
                "checksum": entry.migration.map(|m| &*m.checksum),
                "recorded_checksum": applied.and_then(|row| row.checksum.as_deref()),
                "applied_at": applied.and_then(|row| row.applied_at.as_deref()).map(|at| format!("{}Z", at.replace(' ', "T"))),
                "applied_by": applied.and_then(|row| row.applied_by.as_deref()),
                "execution_ms": applied.and_then(|row| row.execution_ms),
                "release": applied.and_then(|row| row.release.as_deref()),
                "recorded_by": provenance.unrun.get(&*entry.version),
                "half_done": entry.progress.as_ref().map(|progress| json!({
                    "direction": progress.direction.word(),
                    "statements_done": progress.done.len(),
                    "statement": progress.open.as_ref().map(|open| open.number),
                    "failed": progress.open.as_ref().map(|open| open.failed),
                    "detail": progress.open.as_ref().and_then(|open| open.detail.as_deref()),
                })),
            })
        })
        .collect();
    let repeatables: Vec<_> = survey.repeatables.iter().map(|script| &*script.name).collect();
    let last: Vec<_> = provenance
        .repeatables
        .iter()
        .map(|(name, last)| {
            json!({
                "name": name,
                "applied_at": last.at.as_deref().map(|at| format!("{}Z", at.replace(' ', "T"))),
                "applied_by": last.by,
                "execution_ms": last.execution_ms,
                "release": last.release,
            })
        })
        .collect();
    let count = |state| survey.of(state).count();
    json!({
        "database": place.database,
        "server": place.host,
        "environment": place.environment,
        "binary_release": place.release,
        "migrations": migrations,
        "pending_repeatables": repeatables,
        "applied_repeatables": last,
        "counts": {
            "applied": count(State::Applied), "pending": count(State::Pending), "late": count(State::OutOfOrder),
            "changed": count(State::Changed), "half-done": count(State::HalfDone), "unknown": count(State::Unknown),
            "ahead": count(State::Ahead),
        },
    })
}
