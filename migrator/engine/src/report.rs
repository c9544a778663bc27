//! The status of a database as text and as JSON. Pure.

use serde_json::{Value, json};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::embedded::Embedded;
use crate::error::Exit;
use crate::history::Direction;
use crate::plan::{Entry, State, Survey};
use crate::units::{UnitKind, units};
use crate::words::cell;

/// The columns of the table.
const COLUMNS: [&str; 6] = ["VERSION", "NAME", "STATE", "APPLIED", "BY", "TIME"];

/// The separator of two columns.
const GAP: usize = 2;

/// The narrowest that the columns with names may become on a narrow terminal.
const NARROWEST: usize = 8;

/// The table as text, with what to do next; no line is longer than a terminal of that many columns.
pub(crate) fn text(survey: &Survey, recording: Option<&str>, terminal: Option<usize>) -> String {
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(survey.entries.iter().map(row));
    rows.extend(
        survey.repeatables.iter().map(|script| ["-", &script.name, "pending", "repeatable", "", ""].map(str::to_owned)),
    );
    rows.iter_mut().flatten().for_each(|shown| *shown = cell(shown));
    // What a half-done migration or a repeatable says there may fill the columns after it.
    let is_wide = |row: &[String; 6], column: usize| column == 3 && row[4].is_empty() && row[5].is_empty();
    let narrow = |column: usize| rows.iter().filter(move |row| !is_wide(row, column));
    let width = |column: usize| narrow(column).map(|row| row[column].width()).max().unwrap_or(0);
    let mut widths: [usize; 6] = std::array::from_fn(width);
    if let Some(terminal) = terminal {
        make_narrower(&mut widths, terminal);
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            if is_wide(row, column) {
                let room = terminal.map(|terminal| terminal.saturating_sub(line.width()));
                line.push_str(&room.map_or(cell.clone(), |room| cut(cell, room)));
                break;
            }
            let cell = cut(cell, widths[column]);
            let pad = " ".repeat(widths[column].saturating_sub(cell.width()));
            match column {
                5 => line.push_str(&format!("{pad}{cell}")),
                _ => line.push_str(&format!("{cell}{pad}{}", " ".repeat(GAP))),
            }
        }
        let line = line.trim_end();
        text.push_str(&terminal.map_or(line.to_owned(), |columns| cut(line, columns)));
        text.push('\n');
    }
    text.push_str(&summary(survey, recording));
    text
}

/// Narrows the columns that hold names to fit a terminal; numbers and moments stay whole.
fn make_narrower(widths: &mut [usize; 6], terminal: usize) {
    for column in [1, 4] {
        let all = widths.iter().sum::<usize>() + GAP * (widths.len() - 1);
        let too_much = all.saturating_sub(terminal);
        widths[column] = widths[column].saturating_sub(too_much).max(widths[column].min(NARROWEST));
    }
}

/// A text cut to that many columns.
fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mark = "...";
    let mut short = String::new();
    for character in text.chars() {
        if short.width() + character.width().unwrap_or(0) + mark.len() > columns {
            break;
        }
        short.push(character);
    }
    short + mark
}

fn row(entry: &Entry) -> [String; 6] {
    let applied = entry.applied.clone().unwrap_or_default();
    let name =
        entry.migration.map(|migration| migration.name.to_string()).or(applied.name).unwrap_or_else(|| "?".into());
    let mut cells = [
        entry.version.clone(),
        name,
        entry.state.label().to_owned(),
        applied.applied_at.map(|at| format!("{} UTC", at.get(..16).unwrap_or(&at))).unwrap_or_default(),
        applied.applied_by.unwrap_or_default(),
        applied.execution_ms.map(|ms| format!("{ms} ms")).unwrap_or_default(),
    ];
    match entry.state {
        State::Applied if entry.applied.as_ref().is_some_and(|row| row.checksum.is_none()) => {
            cells[3] = "elsewhere, unchecked".to_owned();
            (cells[4], cells[5]) = (String::new(), String::new());
        }
        State::HalfDone => {
            cells[3] = half_done(entry);
            (cells[4], cells[5]) = (String::new(), String::new());
        }
        _ => {}
    }
    cells
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
        return "up to date\n".to_owned();
    }
    format!("{}. Next: {}.\n", counts.join(", "), next(survey, recording))
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
pub(crate) fn json(survey: &Survey, database: &str, environment: Option<&str>) -> Value {
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
    let count = |state| survey.of(state).count();
    json!({
        "database": database,
        "environment": environment,
        "migrations": migrations,
        "pending_repeatables": repeatables,
        "counts": {
            "applied": count(State::Applied), "pending": count(State::Pending), "late": count(State::OutOfOrder),
            "changed": count(State::Changed), "half-done": count(State::HalfDone), "unknown": count(State::Unknown),
            "ahead": count(State::Ahead),
        },
    })
}
