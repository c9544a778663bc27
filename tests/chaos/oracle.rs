//! Says what is wrong in a database and in what was said about it. Pure: the facts come from [`crate::facts`].

use std::collections::BTreeMap;

use crate::facts::{Facts, Recorded};
use crate::scenario::{Effect, MIGRATIONS, Migration, REPEATABLES};

/// What is wrong in the database itself, at any moment: each sentence names a broken promise.
pub(crate) fn judge(facts: &Facts) -> Vec<String> {
    let mut wrong = Vec::new();
    prefix(facts, &mut wrong);
    for migration in MIGRATIONS {
        if migration.units.is_empty() {
            transactional(facts, migration, &mut wrong);
        } else {
            stepwise(facts, migration, &mut wrong);
        }
    }
    repeatables(facts, &mut wrong);
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

fn transactional(facts: &Facts, migration: &Migration, wrong: &mut Vec<String>) {
    let Migration { version, .. } = migration;
    let marks = facts.marks(version);
    let rows: Vec<&str> =
        facts.applied.iter().filter(|(applied, _)| applied == version).map(|(_, xid)| &**xid).collect();
    let events: Vec<&str> = facts.migration_events(version).iter().map(|event| &*event.xid).collect();
    if marks.len() > 1 {
        wrong.push(format!("migration {version} was done {} times", marks.len()));
    }
    if marks.len() != rows.len() || marks.len() != events.len() {
        wrong.push(format!(
            "migration {version}: done {}, history rows {}, events {}",
            marks.len(),
            rows.len(),
            events.len()
        ));
    } else if marks != rows || marks != events {
        wrong.push(format!(
            "migration {version} was done by transaction {marks:?}, its history row written by {rows:?}, its event by {events:?}"
        ));
    }
}

fn stepwise(facts: &Facts, migration: &Migration, wrong: &mut Vec<String>) {
    let version = migration.version;
    let mut all_done = true;
    for unit in migration.units {
        let what = format!("statement {} of migration {version}", unit.statement);
        let recorded = facts.recorded(version, unit);
        if recorded != Recorded::NotBegun && !all_done {
            wrong.push(format!("{what} was begun before the one before it was done"));
        }
        all_done &= recorded == Recorded::Done;
        let done_events = facts.done_events(version, unit);
        if done_events.len() > 1 {
            wrong.push(format!("{what} is recorded as done {} times", done_events.len()));
        }
        let Effect::Ledger(marker) = unit.effect else { continue };
        let marks = facts.marks(marker);
        let allowed = match recorded {
            Recorded::NotBegun => 0..=0,
            Recorded::Open => 0..=1,
            Recorded::Done => 1..=1,
        };
        if !allowed.contains(&marks.len()) {
            wrong.push(format!("{what} was done {} times, and its events say {recorded:?}", marks.len()));
        }
        if unit.is_transaction && !marks.iter().eq(done_events.iter().map(|event| &event.xid)) {
            wrong.push(format!("{what} was done by transaction {marks:?}, but its event was not written by it"));
        }
    }
    let events = facts.migration_events(version);
    let rows = facts.applied.iter().filter(|(applied, _)| applied == version).map(|(_, xid)| xid);
    if !rows.clone().eq(events.iter().map(|event| &event.xid)) {
        wrong.push(format!("migration {version}: its history row and its event are not of one transaction"));
    }
    if rows.count() > 0 && !all_done {
        wrong.push(format!("migration {version} is recorded as applied, but not every statement is done"));
    }
}

fn repeatables(facts: &Facts, wrong: &mut Vec<String>) {
    for (name, _) in REPEATABLES {
        let marks = facts.marks(&format!("R/{name}"));
        let events: Vec<&str> = facts.repeatable_events(name).iter().map(|event| &*event.xid).collect();
        if marks != events || marks.len() > 1 {
            wrong.push(format!(
                "repeatable {name} was done by transactions {marks:?}, its events were written by {events:?}"
            ));
        }
        if !marks.is_empty() && facts.applied.len() != MIGRATIONS.len() {
            wrong.push(format!("repeatable {name} was done before every migration was"));
        }
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
    let mut expected: BTreeMap<&str, Expected> = BTreeMap::new();
    for migration in MIGRATIONS {
        for unit in migration.units {
            let recorded = facts.recorded(migration.version, unit);
            match (unit.effect, recorded) {
                (Effect::Ledger(_), _) | (Effect::NoIndex(_), Recorded::NotBegun) => None,
                (Effect::Index(name) | Effect::NoIndex(name), Recorded::Open) => expected.insert(name, Expected::Any),
                (Effect::Index(name), Recorded::Done) => expected.insert(name, Expected::Valid),
                (Effect::Index(name), Recorded::NotBegun) | (Effect::NoIndex(name), Recorded::Done) => {
                    expected.insert(name, Expected::Absent)
                }
            };
        }
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
    let known = |marker: &str| {
        let of = |migration: &Migration| {
            let mut units = migration.units.iter();
            (migration.units.is_empty() && migration.version == marker)
                || units.any(|unit| matches!(unit.effect, Effect::Ledger(written) if written == marker))
        };
        MIGRATIONS.iter().any(of) || REPEATABLES.iter().any(|(name, _)| marker.strip_prefix("R/") == Some(name))
    };
    for (marker, _) in facts.ledger.iter().filter(|(marker, _)| !known(marker)) {
        wrong.push(format!("`{marker}` is in the ledger, but nothing writes it"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Event;
    use crate::scenario::Unit;

    /// A database in which everything went well; transaction `n` is that of the n-th migration.
    fn complete() -> Facts {
        let mut facts = Facts::default();
        let mut xid = 100;
        let mut next = || {
            xid += 1;
            xid.to_string()
        };
        for migration in MIGRATIONS {
            for unit in migration.units {
                let (started, done) = (next(), next());
                if !unit.is_transaction {
                    facts.events.push(event(migration.version, Some(unit), "started", &started));
                }
                facts.events.push(event(migration.version, Some(unit), "done", &done));
                match unit.effect {
                    Effect::Ledger(marker) => facts.ledger.push((marker.to_owned(), done)),
                    Effect::Index(name) => _ = facts.indexes.insert(name.to_owned(), true),
                    Effect::NoIndex(name) => _ = facts.indexes.remove(name),
                }
            }
            let xid = next();
            facts.events.push(event(migration.version, None, "done", &xid));
            facts.applied.push((migration.version.to_owned(), xid.clone()));
            if migration.units.is_empty() {
                facts.ledger.push((migration.version.to_owned(), xid));
            }
        }
        for (name, _) in REPEATABLES {
            let xid = next();
            let repeatable = Event { action: "repeatable".into(), version: None, ..event("", None, "done", &xid) };
            facts.events.push(Event { name: Some((*name).to_owned()), ..repeatable });
            facts.ledger.push((format!("R/{name}"), xid));
        }
        facts
    }

    fn event(version: &str, unit: Option<&Unit>, outcome: &str, xid: &str) -> Event {
        Event {
            action: "up".into(),
            version: Some(version.into()),
            statement: unit.map(|unit| unit.statement),
            outcome: outcome.into(),
            xid: xid.into(),
            ..Event::default()
        }
    }

    /// Spoils a good database and demands that it is noticed, in these words.
    fn notices(words: &str, spoil: impl FnOnce(&mut Facts)) {
        let mut facts = complete();
        spoil(&mut facts);
        let wrong = judge(&facts).join("\n");
        assert!(wrong.contains(words), "expected `{words}`, got: {wrong}");
    }

    #[test]
    fn finds_nothing_wrong_where_nothing_is() {
        assert_eq!(judge_complete(&complete()), Vec::<String>::new());
        assert_eq!(judge(&Facts::default()), Vec::<String>::new());
        assert_eq!(judge_complete(&Facts::default()).len(), 1);
    }

    #[test]
    fn notices_each_broken_promise() {
        notices("migration 003 was done 2 times", |facts| facts.ledger.push(("003".into(), "9".into())));
        notices("statement 2 of migration 006 was done 2 times", |facts| {
            facts.ledger.push(("006/2".into(), "9".into()));
        });
        notices("migration 010: done 0, history rows 1, events 1", |facts| {
            facts.ledger.retain(|(marker, _)| marker != "010");
        });
        notices("migration 010: done 1, history rows 0, events 1", |facts| _ = facts.applied.pop());
        notices("no prefix", |facts| _ = facts.applied.remove(3));
        notices("its history row written by [\"9\"]", |facts| facts.applied[4].1 = "9".into());
        notices("was begun before the one before it was done", |facts| {
            facts.events.retain(|event| event.statement != Some(3));
        });
        notices("its event was not written by it", |facts| {
            facts.events.iter_mut().filter(|event| event.statement == Some(4)).for_each(|event| event.xid = "9".into());
        });
        notices("recorded as applied, but not every statement is done", |facts| {
            facts.events.retain(|event| event.statement != Some(9));
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
        notices("repeatable 010_summary was done before every migration was", |facts| _ = facts.applied.pop());
        notices("`011` is in the ledger", |facts| facts.ledger.push(("011".into(), "9".into())));
        notices("are not of one transaction", |facts| facts.applied[5].1 = "9".into());
    }
}
