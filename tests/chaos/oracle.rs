//! Says what is wrong in a database and in what was said about it. Pure: the facts come from [`crate::facts`].

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Cycle, Facts, Recorded};
use crate::scenario::{Effect, MIGRATIONS, Migration, REPEATABLES, SEED, Unit, Way};

/// What is wrong in the database itself, at any moment: each sentence names a broken promise.
pub(crate) fn judge(facts: &Facts) -> Vec<String> {
    let mut wrong = Vec::new();
    prefix(facts, &mut wrong);
    for migration in MIGRATIONS {
        rows(facts, migration, &mut wrong);
        for way in Way::BOTH {
            if migration.units(way).is_empty() {
                transactional(facts, migration, way, &mut wrong);
            } else {
                stepwise(facts, migration, way, &mut wrong);
            }
        }
    }
    repeatables(facts, &mut wrong);
    seeds(facts, &mut wrong);
    indexes(facts, &mut wrong);
    strangers(facts, &mut wrong);
    wrong
}

/// What is wrong in a database in which everything must have been done.
pub(crate) fn judge_complete(facts: &Facts) -> Vec<String> {
    let mut wrong = judge(facts);
    if !facts.is_complete() {
        wrong.push(format!("the run ended with success, but only these are recorded: {:?}", facts.applied));
    }
    wrong
}

fn prefix(facts: &Facts, wrong: &mut Vec<String>) {
    let list = MIGRATIONS.iter().map(|migration| migration.version);
    let applied = facts.applied.iter().map(|(version, _)| &**version);
    if !applied.clone().eq(list.take(facts.applied.len())) {
        wrong.push(format!("the history is no prefix of the list: {:?}", applied.collect::<Vec<_>>()));
    }
}

/// A migration goes up and down by turns; it has one row after the one, written with its event, and none after the other.
fn rows(facts: &Facts, Migration { version, .. }: &Migration, wrong: &mut Vec<String>) {
    let ends = facts.ends(version);
    let turns = ends.iter().enumerate().all(|(index, (way, _))| Way::BOTH[index % 2] == *way);
    if !turns {
        let ways: Vec<_> = ends.iter().map(|(way, _)| way.word()).collect();
        wrong.push(format!("migration {version} went {ways:?}"));
    }
    let row = |(applied, _): &&(String, String)| applied == version;
    let rows: Vec<&str> = facts.applied.iter().filter(row).map(|(_, xid)| &**xid).collect();
    match ends.last() {
        Some((Way::Up, event)) if rows == [&*event.xid] => {}
        None | Some((Way::Down, _)) if rows.is_empty() => {}
        Some((way, event)) => wrong.push(format!(
            "migration {version} went {} in transaction {}, its history rows were written by {rows:?}",
            way.word(),
            event.xid
        )),
        None => wrong.push(format!("migration {version} has a history row and no event")),
    }
}

fn transactional(facts: &Facts, migration: &Migration, way: Way, wrong: &mut Vec<String>) {
    let Migration { version, .. } = migration;
    let marker = migration.marker(way);
    let marks = sorted(facts.marks(&marker));
    let events = sorted(facts.went(version, way).iter().map(|event| &*event.xid).collect());
    if marks != events {
        wrong.push(format!(
            "migration {version} was done ({}) by transaction {marks:?}, its event was written by {events:?}",
            way.word()
        ));
    }
}

fn sorted(mut xids: Vec<&str>) -> Vec<&str> {
    xids.sort_unstable();
    xids
}

fn stepwise(facts: &Facts, migration: &Migration, way: Way, wrong: &mut Vec<String>) {
    let Migration { version, .. } = migration;
    let cycles = facts.cycles(version);
    let cycles: Vec<&Cycle> = cycles.iter().filter(|cycle| cycle.way == way && cycle.is_run()).collect();
    for cycle in &cycles {
        in_order(migration, cycle, wrong);
    }
    for unit in migration.units(way) {
        let Effect::Ledger(marker) = unit.effect else { continue };
        let what = what(migration, unit, way);
        let marks = sorted(facts.marks(marker));
        let done = cycles.iter().flat_map(|cycle| cycle.done_events(unit));
        let done = sorted(done.map(|event| &*event.xid).collect());
        let is_open = cycles.iter().any(|cycle| cycle.recorded(unit) == Recorded::Open);
        let most = done.len() + usize::from(is_open && !unit.is_transaction);
        if !(done.len()..=most).contains(&marks.len()) {
            wrong.push(format!(
                "{what} was done {} times, and its events say {} times{}",
                marks.len(),
                done.len(),
                if is_open { ", and once with an unknown end" } else { "" }
            ));
        } else if unit.is_transaction && marks != done {
            wrong.push(format!("{what} was done by transaction {marks:?}, but its event was not written by it"));
        }
    }
}

fn what(migration: &Migration, unit: &Unit, way: Way) -> String {
    format!("statement {} of migration {} ({})", unit.statement, migration.version, way.word())
}

/// Within one try every statement comes after the one before it, once, and the migration's end after all of them.
fn in_order(migration: &Migration, cycle: &Cycle, wrong: &mut Vec<String>) {
    let mut all_done = true;
    for unit in migration.units(cycle.way) {
        let what = what(migration, unit, cycle.way);
        let recorded = cycle.recorded(unit);
        if recorded != Recorded::NotBegun && !all_done {
            wrong.push(format!("{what} was begun before the one before it was done"));
        }
        all_done &= recorded == Recorded::Done;
        let count = cycle.done_events(unit).len();
        if count > 1 {
            wrong.push(format!("{what} is recorded as done {count} times"));
        }
    }
    if cycle.end.is_some() && !all_done {
        let Migration { version, .. } = migration;
        wrong.push(format!(
            "migration {version} is recorded as done ({}), but not every statement is",
            cycle.way.word()
        ));
    }
}

fn repeatables(facts: &Facts, wrong: &mut Vec<String>) {
    for (name, _) in REPEATABLES {
        let marks = sorted(facts.marks(&format!("R/{name}")));
        let events = sorted(facts.repeatable_events(name).iter().map(|event| &*event.xid).collect());
        if marks != events {
            wrong.push(format!(
                "repeatable {name} was done by transactions {marks:?}, its events were written by {events:?}"
            ));
        }
    }
    let mut applied = BTreeSet::new();
    let mut ran = BTreeSet::new();
    for event in &facts.events {
        let version = event.version.as_deref().unwrap_or_default();
        match (&*event.action, &*event.outcome, event.statement) {
            ("up" | "stamp" | "adopt", "done", None) => _ = applied.insert(version),
            ("down", "done", None) => _ = applied.remove(version),
            ("repeatable", "done", _) => {
                let name = event.name.as_deref().unwrap_or_default();
                if applied.len() != MIGRATIONS.len() {
                    wrong.push(format!("repeatable {name} was done before every migration was"));
                }
                if !ran.insert(name) {
                    wrong.push(format!("repeatable {name} was done twice, with no migration in between"));
                }
            }
            _ => {}
        }
        if matches!(&*event.action, "up" | "down") {
            ran.clear();
        }
    }
}

fn seeds(facts: &Facts, wrong: &mut Vec<String>) {
    let marks = sorted(facts.marks(&format!("S/{SEED}")));
    let events = sorted(facts.seed_events().iter().map(|event| &*event.xid).collect());
    if marks != events {
        wrong.push(format!("seed {SEED} was done by transactions {marks:?}, its events were written by {events:?}"));
    }
}

/// What is known about an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Valid,
    Absent,
    /// It is being built or dropped, or was when the run ended.
    Any,
}

fn indexes(facts: &Facts, wrong: &mut Vec<String>) {
    // What was recorded last of an index decides.
    let mut expected: BTreeMap<&str, Expected> = BTreeMap::new();
    for event in facts.events.iter().filter(|event| event.statement.is_some()) {
        let migration = MIGRATIONS.iter().find(|migration| event.version.as_deref() == Some(migration.version));
        let way = if event.action == "down" { Way::Down } else { Way::Up };
        let mut units = migration.iter().flat_map(|migration| migration.units(way));
        let Some(unit) = units.find(|unit| event.statement == Some(unit.statement)) else { continue };
        match (unit.effect, &*event.outcome) {
            (Effect::Ledger(_), _) => None,
            (Effect::Index(name), "done") => expected.insert(name, Expected::Valid),
            (Effect::NoIndex(name), "done") => expected.insert(name, Expected::Absent),
            (Effect::Index(name) | Effect::NoIndex(name), _) => expected.insert(name, Expected::Any),
        };
    }
    for (name, valid) in &facts.indexes {
        match expected.remove(&**name) {
            Some(Expected::Any) => {}
            Some(Expected::Valid) if *valid => {}
            _ => wrong.push(format!("index {name} (valid: {valid}) is not what the history says")),
        }
    }
    for (name, _) in expected.iter().filter(|(_, expected)| **expected == Expected::Valid) {
        wrong.push(format!("index {name} is missing"));
    }
}

fn strangers(facts: &Facts, wrong: &mut Vec<String>) {
    let of_migration = |migration: &Migration, marker: &str| {
        Way::BOTH.into_iter().any(|way| {
            let mut units = migration.units(way).iter();
            (migration.units(way).is_empty() && migration.marker(way) == marker)
                || units.any(|unit| matches!(unit.effect, Effect::Ledger(written) if written == marker))
        })
    };
    let known = |marker: &str| {
        MIGRATIONS.iter().any(|migration| of_migration(migration, marker))
            || REPEATABLES.iter().any(|(name, _)| marker.strip_prefix("R/") == Some(name))
            || marker.strip_prefix("S/") == Some(SEED)
    };
    for (marker, _) in facts.ledger.iter().filter(|(marker, _)| !known(marker)) {
        wrong.push(format!("`{marker}` is in the ledger, but nothing writes it"));
    }
}

#[cfg(test)]
mod tests;
