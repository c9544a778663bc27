//! What goes wrong at a point, and how it is brought about.

use std::process::Child;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::command::Command;
use crate::migrator;
use crate::point::{PATIENCE, World};
use crate::proxy::{Harm, Strike};
use crate::server::Server;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// The connection ends before the message.
    Cut,
    /// The message is worked off, its answer is lost.
    LoseReply,
    /// `kill -9` of the migrator.
    KillMigrator,
    /// `pg_terminate_backend`.
    Terminate,
    /// `kill -9` of the process that serves the connection: the whole cluster recovers.
    KillBackend,
    /// The server stops at once, without a checkpoint, and starts again.
    Restart,
    /// The migrator is frozen, its sessions are terminated, another one does the same work to its end, and the first one
    /// wakes up.
    Freeze,
    /// The same, but the other one undoes the work.
    FreezeOpposed,
    /// Another migrator begins to undo the work; nothing else goes wrong.
    Race,
}

impl Fault {
    pub(crate) const GENTLE: [Fault; 4] = [Fault::Cut, Fault::LoseReply, Fault::KillMigrator, Fault::Terminate];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Fault::Cut => "connection cut before the message",
            Fault::LoseReply => "reply lost",
            Fault::KillMigrator => "kill -9 of the migrator",
            Fault::Terminate => "pg_terminate_backend",
            Fault::KillBackend => "kill -9 of the backend",
            Fault::Restart => "immediate restart of the server",
            Fault::Freeze => "frozen, overtaken, woken",
            Fault::FreezeOpposed => "frozen, undone, woken",
            Fault::Race => "another one undoes it",
        }
    }

    /// Whether another migrator goes the other way.
    pub(crate) fn is_opposed(self) -> bool {
        matches!(self, Fault::FreezeOpposed | Fault::Race)
    }
}

/// Where a point is played, and by whom.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) database: String,
    pub(crate) command: Command,
    /// The process of the first migrator; 0: not yet known.
    pub(crate) first: Arc<AtomicI32>,
    /// Those that a fault has brought in.
    pub(crate) others: Arc<Mutex<Vec<Child>>>,
}

impl Stage {
    /// Those that a fault has brought in.
    pub(crate) fn others(&self) -> MutexGuard<'_, Vec<Child>> {
        lock(&self.others)
    }

    /// What a fault is for the proxy.
    pub(crate) fn harm(&self, world: &World, fault: Fault, behind: bool) -> Harm {
        let strike = |ends, act: Arc<dyn Fn(i32) + Send + Sync>| Harm::Strike(Strike { behind, ends, act });
        let server = Arc::clone(&world.server);
        let command = if fault.is_opposed() { self.command.opposite() } else { self.command };
        let other = migrator::command(world.db(command), &world.server.url(&self.database), &command.arguments());
        let other = Mutex::new(other);
        let spawn = move || other.lock().unwrap_or_else(PoisonError::into_inner).spawn().unwrap();
        let Stage { database, first, others, .. } = self.clone();
        match fault {
            Fault::Cut => Harm::Cut,
            Fault::LoseReply => Harm::LoseReply,
            Fault::KillMigrator => strike(true, Arc::new(move |_| send(wait_for(&first), Signal::KILL))),
            Fault::Terminate => strike(
                false,
                Arc::new(move |process| {
                    server.session("postgres").rows(&format!("SELECT pg_terminate_backend({process})"));
                }),
            ),
            Fault::KillBackend => strike(false, Arc::new(move |process| crash(&server, process))),
            Fault::Restart => strike(false, Arc::new(move |_| server.restart())),
            Fault::Freeze | Fault::FreezeOpposed => {
                let act = move |_| {
                    let frozen = Frozen::new(wait_for(&first));
                    terminate_all(&server, &database);
                    let mut other = spawn();
                    wait_for_end(&mut other);
                    lock(&others).push(other);
                    drop(frozen);
                };
                strike(false, Arc::new(act))
            }
            Fault::Race => {
                let act = move |process| {
                    let mut other = spawn();
                    wait_for_rival(&server, &database, process, &mut other);
                    lock(&others).push(other);
                };
                strike(false, Arc::new(act))
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The migrator's process, once it is known.
pub(crate) fn wait_for(victim: &AtomicI32) -> i32 {
    loop {
        match victim.load(Ordering::SeqCst) {
            0 => std::thread::sleep(Duration::from_millis(1)),
            pid => return pid,
        }
    }
}

fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may have ended by itself in this moment.
        let _ = kill_process(pid, signal);
    }
}

/// A migrator that does nothing until the value is dropped.
struct Frozen(i32);

impl Frozen {
    fn new(pid: i32) -> Frozen {
        send(pid, Signal::STOP);
        Frozen(pid)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        send(self.0, Signal::CONT);
    }
}

/// Ends every session of a database, and returns when they are gone: with them goes the lock.
fn terminate_all(server: &Server, database: &str) {
    let session = server.session("postgres");
    let of_it = format!("FROM pg_stat_activity WHERE datname = '{database}' AND backend_type = 'client backend'");
    let begun = Instant::now();
    while !session.rows(&format!("SELECT pg_terminate_backend(pid) {of_it}")).is_empty() {
        assert!(begun.elapsed() < PATIENCE, "the sessions of {database} do not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits as long as a migrator may take that has the database for itself.
fn wait_for_end(child: &mut Child) {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until another migrator than the one of that session waits for the lock, or has ended; not long: it may have seen
/// that there is nothing to wait for.
fn wait_for_rival(server: &Server, database: &str, first: i32, other: &mut Child) {
    let session = server.session("postgres");
    let waits = format!(
        "SELECT FROM pg_stat_activity WHERE datname = '{database}' AND pid <> {first} AND query ~ 'pg_try_advisory_lock|held by'"
    );
    let begun = Instant::now();
    while session.rows(&waits).is_empty() && other.try_wait().unwrap().is_none() && begun.elapsed() < MOST_OF_A_RACE {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// How long the first migrator is held up for the other one to catch up.
const MOST_OF_A_RACE: Duration = Duration::from_secs(2);

/// Kills a process of the server, and returns when the server has noticed: it ends every session then. A process that has come to
/// its end by itself is not missed.
fn crash(server: &Server, process: i32) {
    let session = server.session("postgres");
    send(process, Signal::KILL);
    let is_there = format!("SELECT FROM pg_stat_activity WHERE pid = {process}");
    while session.try_rows(&is_there).is_ok_and(|rows| !rows.is_empty()) {
        std::thread::sleep(Duration::from_millis(5));
    }
}
