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
            ("up" | "stamp", "done", None) => _ = applied.insert(version),
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
mod tests {
    use super::*;
    use crate::facts::Event;

    /// A database in which everything went well that way, after what was there before; every transaction has its own number.
    fn go(mut facts: Facts, way: Way) -> Facts {
        let mut xid = facts.events.len() + 1000;
        let mut next = || {
            xid += 1;
            xid.to_string()
        };
        let mut list: Vec<&Migration> = MIGRATIONS.iter().collect();
        if way == Way::Down {
            list.reverse();
        }
        for migration in list {
            for unit in migration.units(way) {
                let (started, done) = (next(), next());
                if !unit.is_transaction {
                    facts.events.push(event(migration.version, Some(unit), way, "started", &started));
                }
                facts.events.push(event(migration.version, Some(unit), way, "done", &done));
                match unit.effect {
                    Effect::Ledger(marker) => facts.ledger.push((marker.to_owned(), done)),
                    Effect::Index(name) => _ = facts.indexes.insert(name.to_owned(), true),
                    Effect::NoIndex(name) => _ = facts.indexes.remove(name),
                }
            }
            let xid = next();
            facts.events.push(event(migration.version, None, way, "done", &xid));
            match way {
                Way::Up => facts.applied.push((migration.version.to_owned(), xid.clone())),
                Way::Down => facts.applied.retain(|(version, _)| version != migration.version),
            }
            if migration.units(way).is_empty() {
                facts.ledger.push((migration.marker(way), xid));
            }
        }
        if way == Way::Up {
            for (name, _) in REPEATABLES {
                let xid = next();
                facts.events.push(script("repeatable", name, &xid));
                facts.ledger.push((format!("R/{name}"), xid));
            }
        }
        facts
    }

    fn complete() -> Facts {
        go(Facts::default(), Way::Up)
    }

    fn event(version: &str, unit: Option<&Unit>, way: Way, outcome: &str, xid: &str) -> Event {
        Event {
            action: way.word().into(),
            version: Some(version.into()),
            statement: unit.map(|unit| unit.statement),
            outcome: outcome.into(),
            xid: xid.into(),
            ..Event::default()
        }
    }

    fn script(action: &str, name: &str, xid: &str) -> Event {
        let (action, name) = (action.to_owned(), Some(name.to_owned()));
        Event { action, name, outcome: "done".into(), xid: xid.into(), ..Event::default() }
    }

    /// Spoils a good database and demands that it is noticed, in these words.
    fn notices_in(mut facts: Facts, words: &str, spoil: impl FnOnce(&mut Facts)) {
        spoil(&mut facts);
        let wrong = judge(&facts).join("\n");
        assert!(wrong.contains(words), "expected `{words}`, got: {wrong}");
    }

    fn notices(words: &str, spoil: impl FnOnce(&mut Facts)) {
        notices_in(complete(), words, spoil);
    }

    #[test]
    fn finds_nothing_wrong_where_nothing_is() {
        assert_eq!(judge_complete(&complete()), Vec::<String>::new());
        assert_eq!(judge(&Facts::default()), Vec::<String>::new());
        assert_eq!(judge_complete(&Facts::default()).len(), 1);
        let down = go(complete(), Way::Down);
        assert_eq!((judge(&down), down.is_empty()), (vec![], true));
        assert_eq!(judge_complete(&go(down, Way::Up)), Vec::<String>::new());
    }

    #[test]
    fn notices_each_broken_promise() {
        notices("migration 003 was done (up) by transaction [", |facts| facts.ledger.push(("003".into(), "9".into())));
        notices("statement 2 of migration 006 (up) was done 2 times", |facts| {
            facts.ledger.push(("006/2".into(), "9".into()));
        });
        notices("migration 010 was done (up) by transaction []", |facts| {
            facts.ledger.retain(|(marker, _)| marker != "010");
        });
        notices("its history rows were written by []", |facts| _ = facts.applied.pop());
        notices("no prefix", |facts| _ = facts.applied.remove(3));
        notices("its history rows were written by [\"9\"]", |facts| facts.applied[4].1 = "9".into());
        notices("was begun before the one before it was done", |facts| {
            facts.events.retain(|event| event.statement != Some(3));
        });
        notices("its event was not written by it", |facts| {
            facts.events.iter_mut().filter(|event| event.statement == Some(4)).for_each(|event| event.xid = "9".into());
        });
        notices("is recorded as done (up), but not every statement is", |facts| {
            facts.events.retain(|event| event.statement != Some(12));
        });
        notices("index accounts_email (valid: false) is not what the history says", |facts| {
            facts.indexes.insert("accounts_email".into(), false);
        });
        notices("index accounts_email is missing", |facts| facts.indexes.clear());
        notices("index orders_account (valid: true) is not what", |facts| {
            facts.indexes.insert("orders_account".into(), true);
        });
        notices("index stray (valid: true) is not what", |facts| _ = facts.indexes.insert("stray".into(), true));
        notices("repeatable 020_policy was done by transactions", |facts| {
            facts.ledger.push(("R/020_policy".into(), "9".into()));
        });
        notices("repeatable 020_policy was done twice", |facts| {
            facts.events.push(script("repeatable", "020_policy", "9"));
            facts.ledger.push(("R/020_policy".into(), "9".into()));
        });
        notices("repeatable 010_summary was done before every migration was", |facts| {
            facts.events.retain(|event| event.version.as_deref() != Some("010"));
        });
        notices("`011` is in the ledger", |facts| facts.ledger.push(("011".into(), "9".into())));
        notices("seed test was done by transactions []", |facts| facts.events.push(script("seed", "test", "9")));
        notices("seed test was done by transactions [\"9\"]", |facts| facts.ledger.push(("S/test".into(), "9".into())));
    }

    #[test]
    fn notices_each_broken_promise_of_a_rollback() {
        let down = |words: &str, spoil: fn(&mut Facts)| notices_in(go(complete(), Way::Down), words, spoil);
        down("migration 003 was done (down) by transaction [", |facts| {
            facts.ledger.push(("D/003".into(), "9".into()));
        });
        down("migration 003 was done (down) by transaction []", |facts| {
            facts.ledger.retain(|(marker, _)| marker != "D/003");
        });
        down("migration 001 went down in transaction", |facts| facts.applied.push(("001".into(), "9".into())));
        down("migration 007 went [\"up\"", |facts| {
            facts.events.push(event("007", None, Way::Down, "done", "9"));
        });
        down("statement 9 of migration 006 (down) was done 0 times, and its events say 1 times", |facts| {
            facts.ledger.retain(|(marker, _)| marker != "D/006/9");
        });
        down("index orders_account (valid: true)", |facts| _ = facts.indexes.insert("orders_account".into(), true));
        down("is recorded as done (down), but not every statement is", |facts| {
            let last = |event: &Event| event.action == "down" && event.statement == Some(10);
            facts.events.retain(|event| !last(event));
        });
    }

    #[test]
    fn of_a_statement_with_an_unknown_end_the_effect_may_be_there_or_not() {
        let mut facts = complete();
        let end = facts.events.iter().position(|event| event.statement == Some(10) && event.outcome == "done");
        let end = end.unwrap();
        facts.events.truncate(end);
        facts.applied.truncate(5);
        let written: Vec<String> = facts.events.iter().map(|event| event.xid.clone()).collect();
        let without = |facts: &Facts, also: Option<&str>| {
            let mut facts = facts.clone();
            facts.ledger.retain(|(marker, xid)| written.contains(xid) || also == Some(marker));
            facts
        };
        assert_eq!(judge(&without(&facts, None)), Vec::<String>::new());
        let there = without(&facts, Some("006/10"));
        assert_eq!(judge(&there), Vec::<String>::new());
        let (migration, way, statement) = there.half_done().unwrap();
        assert_eq!((migration.version, way, statement), ("006", Way::Up, Some(10)));
        let mut twice = there;
        twice.ledger.push(("006/10".into(), "9".into()));
        assert!(!judge(&twice).is_empty());
    }
}
