//! The oracle over databases that are made up.

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
    assert_eq!((judge(&down), down.has_rows(0)), (vec![], true));
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
