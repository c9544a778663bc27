//! Many migrators at once.

use std::process::Child;

use crate::claims::{Said, Trial};
use crate::command::{Command, Task};
use crate::facts::{self, Facts};
use crate::inquiry;
use crate::migrator;
use crate::oracle;
use crate::scenario::{MIGRATIONS, REPEATABLES};
use crate::sweep::{calm, is_full};

const MIGRATORS: usize = 32;

#[test]
fn of_many_at_once_each_step_is_done_by_one_and_all_succeed() {
    for _ in 0..if is_full() { 5 } else { 1 } {
        one_round();
    }
}

fn one_round() {
    let world = calm();
    let database = world.create();
    let url = world.server.url(&database);
    let start = |_| migrator::command(world.db(Command::Up), &url, &["up"]).spawn().unwrap();
    let children: Vec<Child> = (0..MIGRATORS).map(start).collect();
    let all: Vec<_> = children.into_iter().map(migrator::finish).collect();
    let session = world.server.session(&database);
    assert_eq!(facts::wait_for_quiet(&session), Vec::<String>::new());
    assert_eq!(facts::left_behind(&session), Vec::<String>::new());
    let facts = Facts::read(&session);
    assert_eq!(oracle::judge_complete(&facts), Vec::<String>::new());
    assert_eq!(facts::schema(&session), world.clean(Task::Up).schema);
    let mut lines: Vec<&str> = Vec::new();
    for said in &all {
        assert_eq!(said.exit, Some(0), "{}", said.text());
        let (command, before) = (Command::Up, &Facts::default());
        let trial = Trial { command, before, after: &facts, killed: false, undone: false, by_others: 0 };
        assert_eq!(trial.judge(said), Vec::<String>::new(), "{}", said.text());
        assert!(!said.stderr.contains("deadlock"), "{}", said.text());
        // The last line of a run has no time in parentheses: `(992 ms)`, on a busy machine `(1.2 s)`.
        lines.extend(said.stdout.lines().filter(|line| line.starts_with("applied ") && line.ends_with(')')));
    }
    assert_eq!(lines.len(), MIGRATIONS.len() + REPEATABLES.len(), "{lines:#?}");
    assert!(!world.server.lock().log().contains("deadlock detected"));
}

#[test]
fn of_many_in_both_directions_each_step_is_done_and_undone_by_turns() {
    let world = calm();
    for _ in 0..if is_full() { 5 } else { 1 } {
        let database = world.begin(Task::Down);
        let url = world.server.url(&database);
        let session = world.server.session(&database);
        let before = Facts::read(&session);
        let command = |number: usize| if number.is_multiple_of(2) { Command::Down } else { Command::Up };
        let start =
            |number| migrator::command(world.db(Command::Up), &url, &command(number).arguments()).spawn().unwrap();
        let children: Vec<Child> = (0..MIGRATORS / 2).map(start).collect();
        let all: Vec<Said> = children.into_iter().map(migrator::finish).collect();
        assert_eq!(facts::wait_for_quiet(&session), Vec::<String>::new());
        assert_eq!(facts::left_behind(&session), Vec::<String>::new());
        let after = Facts::read(&session);
        assert_eq!(oracle::judge(&after), Vec::<String>::new());
        let texts: Vec<String> = all.iter().map(Said::text).collect();
        let everyone: Vec<&Said> = all.iter().collect();
        assert_eq!(inquiry::miscounted(&everyone, &before, &after), Vec::<String>::new(), "{}", texts.concat());
        assert!(after.is_complete() || after.has_rows(0), "{}", texts.concat());
        for (number, said) in all.iter().enumerate() {
            // A rollback is not another one than was asked for: who comes too late does nothing.
            let possible: &[i32] = if command(number) == Command::Down { &[0, 5, 8] } else { &[0] };
            assert!(said.exit.is_some_and(|exit| possible.contains(&exit)), "{}", said.text());
        }
        assert!(!world.server.lock().log().contains("deadlock detected"));
    }
}
