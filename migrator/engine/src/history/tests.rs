use super::*;
use expect_test::expect;

/// `action version statement outcome detail`, `-` for nothing; the statement's checksum is `c<statement>`.
fn history(applied: &[&str], events: &str) -> History {
    let word = |text: &str| (text != "-").then(|| text.to_owned());
    let event = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        Event {
            action: words[0].to_owned(),
            version: word(words[1]),
            statement: words[2].parse().ok(),
            statement_checksum: words[2].parse::<i32>().ok().map(|n| format!("c{n}")),
            outcome: words[3].to_owned(),
            detail: word(words[4]),
            attempt: words[5].parse().ok(),
            ..Event::default()
        }
    };
    History {
        exists: true,
        complete: true,
        applied: applied
            .iter()
            .map(|version| AppliedMigration { version: (*version).to_owned().into(), ..AppliedMigration::default() })
            .collect(),
        events: events.lines().map(str::trim).filter(|line| !line.is_empty()).map(event).collect(),
        ..History::default()
    }
}

fn check(applied: &[&str], events: &str, expected: expect_test::Expect) {
    let lines = history(applied, events).progress().into_iter().map(|(version, progress)| {
        let open = match progress.open {
            None => "between statements".to_owned(),
            Some(open) if open.failed => format!("{} failed", open.number),
            Some(open) => format!("{} open", open.number),
        };
        let Progress { direction, attempt, done, .. } = progress;
        format!("{version} {} #{attempt} done={done:?} {open}\n", direction.word())
    });
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn progress_is_what_the_events_of_the_last_attempt_say() {
    let begun = "
        up 003 1 started - 1
        up 003 1 done - 1
        up 003 2 started - 1";
    check(
        &[],
        begun,
        expect![[r#"
        003 up #1 done=["c1"] 2 open
    "#]],
    );
    check(
        &[],
        &format!("{begun}\nup 003 2 failed boom 1"),
        expect![[r#"
        003 up #1 done=["c1"] 2 failed
    "#]],
    );
    check(
        &[],
        &format!("{begun}\nresolve 003 2 done applied 1"),
        expect![[r#"
        003 up #1 done=["c1", "c2"] between statements
    "#]],
    );
    check(
        &[],
        &format!("{begun}\nresolve 003 2 done retry 1"),
        expect![[r#"
        003 up #1 done=["c1"] 2 failed
    "#]],
    );
}

#[test]
fn an_attempt_ends_with_the_migration() {
    let finished = "
        up 003 1 started - 1
        up 003 1 done - 1
        up 003 - done - 1";
    check(&["003"], finished, expect![""]);
    check(
        &["003"],
        &format!("{finished}\ndown 003 1 started - 2"),
        expect![[r#"
        003 down #2 done=[] 1 open
    "#]],
    );
    check(&[], "up 003 1 started - 1\nstamp 003 - done - -", expect![""]);
}

#[test]
fn a_row_from_another_tool_ends_it_too() {
    check(&["003"], "up 003 1 started - 1", expect![""]);
    check(&[], "down 003 1 started - 1", expect![""]);
}

#[test]
fn every_migration_makes_every_repeatable_due_again() {
    let mut history = history(&[], "");
    let event = |action: &str| Event {
        action: action.into(),
        name: Some("views".into()),
        checksum: Some("c".into()),
        outcome: "done".into(),
        ..Event::default()
    };
    history.events.push(event("repeatable"));
    assert_eq!(history.repeatable_checksum("views"), Some("c"));
    assert_eq!(history.repeatable_checksum("policies"), None);
    for action in ["down", "up"] {
        history.events.push(event(action));
        assert_eq!(history.repeatable_checksum("views"), None);
        history.events.push(event("repeatable"));
        assert_eq!(history.repeatable_checksum("views"), Some("c"));
    }
    // Another tool has applied one, or rolled one back.
    assert_eq!(History { changed_elsewhere: true, ..history.clone() }.repeatable_checksum("views"), None);
    history.events.insert(0, Event { version: Some("001".into()), ..event("up") });
    assert_eq!(history.repeatable_checksum("views"), None);
}

#[test]
fn what_is_recorded_in_memory_is_what_the_tables_would_say() {
    let row = |version: &str| AppliedMigration {
        version: version.to_owned().into(),
        name: Some("a".into()),
        checksum: Some("c".into()),
        ..AppliedMigration::default()
    };
    let event = |action: &str, version: &str, run_id: &str| Event {
        run_id: run_id.into(),
        action: action.into(),
        version: Some(version.into()),
        name: Some("a".into()),
        checksum: Some("c".into()),
        outcome: "done".into(),
        ..Event::default()
    };
    let mut history = history(&[], "");
    history.record(Direction::Up, ("001", "a", "c"));
    history.record(Direction::Up, ("002", "a", "c"));
    history.record(Direction::Down, ("002", "a", "c"));
    let read = History {
        applied: vec![row("001")],
        events: vec![event("up", "001", "r"), event("up", "002", "r"), event("down", "002", "r")],
        ..history.clone()
    };
    assert!(history.agrees_with(&read));
    assert!(!history.agrees_with(&History { applied: vec![row("002")], ..read.clone() }));
    assert!(!history.agrees_with(&History { events: read.events[..2].to_vec(), ..read }));
}

#[test]
fn the_last_event_decides_about_environments_and_attempts() {
    let mut history = history(&[], "up 003 1 started - 4\ndown 003 1 failed - 3\nup 004 - done - -");
    assert_eq!(history.attempts(), [("003", 4)].into());
    for name in ["staging", "production"] {
        history.events.push(Event {
            action: "environment".into(),
            name: Some(name.into()),
            outcome: "done".into(),
            ..Event::default()
        });
    }
    assert_eq!(history.environment(), Some("production"));
}
