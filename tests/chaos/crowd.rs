//! Many migrators at once.

use std::process::Child;

use crate::claims::Trial;
use crate::command::{Command, Task};
use crate::facts::{self, Facts};
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
    let start = |_| migrator::command(&world.db, &url, &["up"]).spawn().unwrap();
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
        let trial = Trial { command, before, after: &facts, killed: false, undone: false };
        assert_eq!(trial.judge(said), Vec::<String>::new(), "{}", said.text());
        assert!(!said.stderr.contains("deadlock"), "{}", said.text());
        lines.extend(said.stdout.lines().filter_map(|line| line.strip_suffix(" ms)")));
    }
    assert_eq!(lines.len(), MIGRATIONS.len() + REPEATABLES.len(), "{lines:#?}");
    assert!(!world.server.lock().log().contains("deadlock detected"));
}
