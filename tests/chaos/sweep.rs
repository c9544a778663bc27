//! Every fault at every message.
//!
//! `cargo test` runs a part of the points; `cargo xtask chaos` sets `MIGRATOR_CHAOS=full` and runs all of them. The seed
//! (`MIGRATOR_CHAOS_SEED`) chooses which points a part consists of, and whether a blow falls before or behind a message.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use migrator_postgres::TemporaryServer;

use crate::command::Task;
use crate::fault::Fault;
use crate::page::{Swept, page};
use crate::point::{Outcome, Point, World};
use crate::proxy::{Place, Traffic};

/// Whether every point is to be run.
pub(crate) fn is_full() -> bool {
    std::env::var("MIGRATOR_CHAOS").is_ok_and(|form| form == "full")
}

/// A number of the environment.
fn number(name: &str, default: usize) -> usize {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}=`{text}` is no number")),
        Err(_) => default,
    }
}

/// The server of the points after which it is as before; shared by all tests.
pub(crate) fn calm() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| World::new(TemporaryServer::builder()))
}

/// A server that is crashed again and again. What was committed must be there afterwards, and what was committed
/// asynchronously is gone, because nobody writes it in the background. The file system does not crash, so that nothing
/// need be flushed to the disk.
pub(crate) fn rough() -> World {
    World::new(TemporaryServer::builder().setting("synchronous_commit", "on").setting("wal_writer_delay", "10s"))
}

/// A number that depends on everything that is given, and on nothing else.
fn dice(seed: usize, fault: Fault, place: Place) -> usize {
    let mut mixed = seed as u64;
    for part in [fault as u64, place.connection as u64, place.message as u64] {
        mixed = (mixed ^ part).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29) ^ (mixed >> 31);
    }
    (mixed >> 8) as usize
}

/// The points of a sweep.
struct Points {
    seed: usize,
    list: Vec<Point>,
}

impl Points {
    /// A fault at every `step`-th message of a run, from one that the seed chooses.
    fn add(&mut self, world: &World, task: Task, fault: Fault, step: usize) {
        let of_connection = |(connection, traffic): (usize, &Traffic)| {
            let messages = 0..traffic.messages.len();
            messages.map(move |message| Place { connection, message }).collect::<Vec<_>>()
        };
        let places = world.clean(task).traffic.iter().enumerate().flat_map(of_connection);
        for place in places.skip((self.seed + fault as usize) % step).step_by(step) {
            let behind = dice(self.seed, fault, place) % 2 == 1;
            self.list.push(Point { behind, ..Point::of(task, fault, place) });
        }
    }

    /// The same fault at the same messages of that task, on the other side of each.
    fn add_other_side(&mut self, task: Task, fault: Fault) {
        let same = self.list.iter().filter(|point| point.fault == fault && point.task == task);
        let other: Vec<Point> = same.map(|point| Point { behind: !point.behind, ..point.clone() }).collect();
        self.list.extend(other);
    }

    /// The same as before, with something else about the run.
    fn add_with(&mut self, world: &World, task: Task, step: usize, change: fn(Point) -> Point) {
        let mut others = Points { seed: self.seed, list: Vec::new() };
        Fault::GENTLE.into_iter().for_each(|fault| others.add(world, task, fault, step));
        self.list.extend(others.list.into_iter().map(change));
    }

    /// The connection is cut while something is applied, and the one that looks what is true is in trouble too.
    fn add_trouble_in_the_aftermath(&mut self, world: &World, step: usize) {
        let (first, last) = (world.place_of("CREATE TABLE accounts").message, world.place_of("R/020_policy").message);
        for message in (first + self.seed % step..=last).step_by(step) {
            for second in [Fault::Cut, Fault::LoseReply, Fault::KillMigrator, Fault::Terminate] {
                // It connects, takes the lock, reads, flushes, and gives the lock back.
                for message_of_second in 0..5 {
                    let then = Some((second, Place { connection: 1, message: message_of_second }));
                    let place = Place { connection: 0, message };
                    self.list.push(Point { then, behind: true, ..Point::new(Fault::Cut, place) });
                }
            }
        }
    }
}

/// Those of a calm server, and those that end it.
fn points(seed: usize) -> (Vec<Point>, Vec<Point>) {
    let mut gentle = Points { seed, list: Vec::new() };
    let mut harsh = Points { seed, list: Vec::new() };
    let world = calm();
    if !is_full() {
        for fault in [Fault::Cut, Fault::LoseReply] {
            gentle.add(world, Task::Up, fault, 7);
            gentle.add(world, Task::Down, fault, 14);
            gentle.add(world, Task::DownOfNewer, fault, 18);
        }
        gentle.add_with(world, Task::Up, 30, |point| Point { rival: true, ..point });
        for task in [Task::Seed, Task::Stamp, Task::Adopt, Task::ResolveApplied, Task::ResolveRetry] {
            gentle.add(world, task, Fault::LoseReply, 6);
        }
        for fault in [Fault::Freeze, Fault::FreezeOpposed, Fault::Race] {
            gentle.add(world, Task::Up, fault, 24);
            gentle.add(world, Task::Down, fault, 24);
        }
        return (gentle.list, harsh.list);
    }
    for task in Task::ALL {
        Fault::GENTLE.into_iter().for_each(|fault| gentle.add(world, task, fault, 1));
    }
    for task in [Task::Up, Task::Down, Task::DownOfNewer] {
        gentle.add_other_side(task, Fault::Terminate);
        gentle.add_with(world, task, 2, |point| Point { rival: true, ..point });
        gentle.add(world, task, Fault::Freeze, 1);
        gentle.add(world, task, Fault::FreezeOpposed, 2);
        gentle.add(world, task, Fault::Race, 2);
    }
    for task in [Task::Seed, Task::Stamp, Task::Adopt] {
        gentle.add(world, task, Fault::Freeze, 2);
    }
    gentle.add_trouble_in_the_aftermath(world, 5);
    gentle.add_with(world, Task::Up, 3, |point| Point { one_by_one: true, ..point });
    for fault in [Fault::KillBackend, Fault::Restart] {
        for task in
            [Task::Up, Task::Down, Task::DownOfNewer, Task::Seed, Task::Stamp, Task::Adopt, Task::ResolveApplied]
        {
            harsh.add(world, task, fault, 3);
        }
    }
    for list in [&mut gentle.list, &mut harsh.list] {
        list.retain(|point| only().is_none_or(|words| name(point).contains(&words)));
    }
    (gentle.list, harsh.list)
}

/// Which lines of the table are wanted: those with these words; `None`: all.
fn only() -> Option<String> {
    std::env::var("MIGRATOR_CHAOS_ONLY").ok()
}

/// How the points of one fault ended.
#[derive(Default)]
struct Line {
    points: usize,
    not_reached: usize,
    exits: BTreeMap<Option<i32>, usize>,
    decisions: usize,
    broken: usize,
}

/// Runs points on one server, so many at a time.
fn run_all(world: &World, points: &[Point], jobs: usize, finished: &(dyn Fn(&Point, Outcome) + Sync)) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    finished(point, world.run(point));
                }
            });
        }
    });
}

#[test]
fn no_fault_at_any_message_breaks_a_promise() {
    let (seed, jobs) = (number("MIGRATOR_CHAOS_SEED", 1), number("MIGRATOR_CHAOS_JOBS", 2));
    let begun = Instant::now();
    for task in Task::ALL {
        let counts = calm().clean(task).traffic.iter().map(|traffic| (traffic.messages.len(), traffic.round_trips));
        eprintln!("{} without a fault: messages and round trips {:?}", task.name(), counts.collect::<Vec<_>>());
    }
    let (gentle, harsh) = points(seed);
    let total = gentle.len() + harsh.len();
    let lines: Mutex<BTreeMap<String, Line>> = Mutex::default();
    let broken: Mutex<Vec<String>> = Mutex::default();
    let done = AtomicUsize::new(0);
    let finished = |point: &Point, outcome: Outcome| {
        let count = done.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_multiple_of(50) {
            eprintln!("{count} of {total} points, {} s", begun.elapsed().as_secs());
        }
        if !outcome.wrong.is_empty() {
            let text = describe(point, &outcome);
            eprintln!("{text}");
            broken.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        }
        add(lines.lock().unwrap_or_else(PoisonError::into_inner).entry(name(point)).or_default(), &outcome);
    };
    std::thread::scope(|scope| {
        if !harsh.is_empty() {
            scope.spawn(|| run_all(&rough(), &harsh, 1, &finished));
        }
        run_all(calm(), &gentle, jobs, &finished);
    });
    let lines = lines.into_inner().unwrap_or_else(PoisonError::into_inner);
    eprint!("{}", table(&lines));
    write_page(seed, &lines, begun.elapsed().as_secs());
    let broken = broken.into_inner().unwrap_or_else(PoisonError::into_inner);
    eprintln!("seed {seed}: {total} points in {} s, {} with a violation", begun.elapsed().as_secs(), broken.len());
    let reached = total - lines.values().map(|line| line.not_reached).sum::<usize>();
    assert!(
        reached * 10 >= total * 9,
        "only {reached} of {total} points were reached: the messages are not the same in every run"
    );
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn add(line: &mut Line, outcome: &Outcome) {
    line.points += 1;
    line.not_reached += usize::from(!outcome.reached);
    *line.exits.entry(outcome.exit).or_default() += 1;
    line.decisions += outcome.decisions;
    line.broken += usize::from(!outcome.wrong.is_empty());
}

const HEADING: [&str; 9] =
    ["fault", "points", "not reached", "exit 0", "exit 6", "exit 7", "killed", "decisions", "violations"];

/// The numbers in a fault's row of the table.
fn numbers(line: &Line) -> [usize; HEADING.len() - 1] {
    let exit = |code| line.exits.get(&code).copied().unwrap_or_default();
    let [done, lost, in_doubt, killed] = [Some(0), Some(6), Some(7), None].map(exit);
    [line.points, line.not_reached, done, lost, in_doubt, killed, line.decisions, line.broken]
}

fn table(lines: &BTreeMap<String, Line>) -> String {
    let mut text = format!("{:<72}", HEADING[0]);
    HEADING[1..].iter().for_each(|word| text.push_str(&format!("{word:>12}")));
    text.push('\n');
    for (name, line) in lines {
        text.push_str(&format!("{name:<72}"));
        numbers(line).iter().for_each(|number| text.push_str(&format!("{number:>12}")));
        text.push('\n');
    }
    text
}

/// Writes the page of a whole sweep where `cargo xtask chaos` wants it.
fn write_page(seed: usize, lines: &BTreeMap<String, Line>, seconds: u64) {
    let Some(path) = std::env::var_os("MIGRATOR_CHAOS_PAGE") else { return };
    let swept = Swept {
        seed,
        points: lines.values().map(|line| line.points).sum(),
        not_reached: lines.values().map(|line| line.not_reached).sum(),
        violations: lines.values().map(|line| line.broken).sum(),
        seconds,
        heading: &HEADING,
        rows: lines.iter().map(|(name, line)| (name.clone(), numbers(line).into())).collect(),
    };
    let circumstances = migrator_tests::machine::circumstances(&calm().version());
    std::fs::write(&path, page(&swept, &circumstances)).unwrap();
}

/// The line of the table that a point belongs to.
fn name(point: &Point) -> String {
    let what = format!("{}: {}", point.task.name(), point.fault.name());
    match point.then {
        Some((second, _)) => format!("{what}, then {}", second.name()),
        None if point.rival => format!("{what}, another one waiting"),
        None if point.one_by_one => format!("{what}, one by one"),
        None => what,
    }
}

fn describe(point: &Point, outcome: &Outcome) -> String {
    let messages = &calm().clean(point.task).traffic[point.place.connection].messages;
    let label: String = messages[point.place.message].chars().take(120).collect();
    format!(
        "VIOLATION: {} ({}) at {:?} and {:?}, `{label}`:\n  {}\n{}",
        name(point),
        if point.behind { "behind" } else { "before" },
        point.place,
        point.then,
        outcome.wrong.join("\n  "),
        outcome.log
    )
}
